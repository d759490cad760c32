/** The generalised Gauss-Newton matrix of a problem. @module */
import type { Tensor } from '../core/tensor.ts';
import { sum } from '../ops/index.ts';
import { predict, type Point, type Problem } from '../problem/index.ts';
import { ggnvp } from '../transforms/index.ts';
import { problemOperator, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/**
 * The generalised Gauss-Newton matrix (1/N) sum_n J_n' H_n J_n, with J_n the Jacobian of the outputs of example n and H_n the
 * Hessian of its loss with respect to them (Schraudolph 2002). Positive semi-definite for convex losses; for cross-entropy
 * it is the Fisher information matrix.
 */
export const ggn = <P, State>(problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions = {}): ProblemOperator =>
  problemOperator('GGN', problem, point, ({ state, batch, paramsAt }, chosen, vector) =>
    ggnvp((leaves: Tensor[]) => predict(problem, paramsAt(leaves), state, batch.inputs), (outputs: Tensor) => sum(problem.loss(outputs, batch.targets)))(chosen, vector), options);
