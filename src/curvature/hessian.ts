/** The Hessian of a problem's mean loss. @module */
import type { Tensor } from '../core/tensor.ts';
import { hvp } from '../transforms/index.ts';
import { lossSum, type Point, type Problem } from '../problem/index.ts';
import { problemOperator, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/**
 * The Hessian of the mean loss over a split (default: training) with respect to all parameters, or to those chosen by name:
 * then the diagonal block of these. A product costs a tangent pass over the gradient (forward over reverse, Pearlmutter
 * 1994); gradient and activations are computed once and kept within the memory budget.
 *
 * @throws ArgumentError when no parameter or more samples than there are are chosen; DtypeError when parameters mix types.
 */
export const hessian = <P, State>(problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions = {}): ProblemOperator =>
  problemOperator('Hessian', problem, point, ({ state, batch, paramsAt }, chosen, vector) =>
    hvp((leaves: Tensor[]) => lossSum(problem, paramsAt(leaves), state, batch))(chosen, vector), options);
