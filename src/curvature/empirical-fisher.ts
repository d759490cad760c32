/** The empirical Fisher matrix of a problem. @module */
import type { Tensor } from '../core/tensor.ts';
import { losses, type Point, type Problem } from '../problem/index.ts';
import { jvp, vjp } from '../transforms/index.ts';
import { problemOperator, type CurvatureOptions, type ProblemOperator } from './problem-operator.ts';

/**
 * The uncentred second moment of the examples' gradients, (1/N) sum_n g_n g_n'. Not the Fisher matrix: that draws labels from
 * the model (Kunstner, Balles, Hennig 2019).
 */
export const empiricalFisher = <P, State>(problem: Problem<P, State>, point: Point<P, State>, options: CurvatureOptions = {}): ProblemOperator =>
  problemOperator('empirical Fisher', problem, point, ({ state, batch, paramsAt }, chosen, vector) => {
    const each = (leaves: Tensor[]): Tensor => losses(problem, paramsAt(leaves), state, batch);
    const [, slopes] = jvp(each, [chosen], [vector] as [Tensor[]]) as unknown as [Tensor, Tensor];
    return vjp(each, chosen)[1](slopes)[0];
  }, options);
