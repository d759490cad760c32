/** What the Gauss-Newton matrix leaves out of the Hessian. @module */
import type { Tensor } from '../core/tensor.ts';
import { stopGradient, sum, vdot } from '../ops/index.ts';
import { predict, type Point, type Problem } from '../problem/index.ts';
import { grad, hvp } from '../transforms/index.ts';
import { problemOperator, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/**
 * The residual part of the Hessian, (1/N) sum_n sum_k (dl_n / df_nk) Hess f_nk: the curvature of the model itself, weighted by
 * the slopes of the loss in its outputs. Hessian = GGN + this. Formed from its definition, as the Hessian of the outputs'
 * inner product with slopes that are held fixed, so it keeps its digits where the two large matrices nearly cancel. Zero for models
 * that are linear in the chosen parameters, and where the slopes vanish.
 */
export const residualHessian = <P, State>(problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions = {}): ProblemOperator =>
  problemOperator('residual Hessian', problem, point, ({ state, batch, paramsAt }, chosen, vector) => {
    const outputsAt = (leaves: Tensor[]): Tensor => predict(problem, paramsAt(leaves), state, batch.inputs);
    const slopes = stopGradient(grad((outputs: Tensor) => sum(problem.loss(outputs, batch.targets)))(outputsAt(chosen)));
    return hvp((leaves: Tensor[]) => vdot(slopes, outputsAt(leaves)))(chosen, vector);
  }, options);
