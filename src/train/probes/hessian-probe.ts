/** What probes of the Hessian share: one moving Hessian, replicas at once, vectors that are kept. @module */
import type { LinearOperator } from '../../curvature/index.ts';
import type { ParameterSpace } from '../../problem/index.ts';
import type { Measured, Moment, PreparedProbe, ProbeSetting } from '../probe.ts';
import { movingHessian } from './moving-hessian.ts';
import type { MovingSearch } from './moving-search.ts';
import { evaluatedOf, type Evaluated, type ExampleOptions } from './points.ts';

/** Options that all probes of the Hessian have. */
export interface HessianProbeOptions extends ExampleOptions {
  /** Steps between measurements. */
  readonly every?: number | undefined;
}

/** What a measurement is given. */
export interface HessianMoment<P, State> {
  readonly operator: LinearOperator;
  readonly moment: Moment<P, State>;
  readonly replica: number;
}

interface HessianTask<P, State> {
  measure(given: HessianMoment<P, State>): Promise<Measured>;
  readonly search?: MovingSearch;
  dispose?(): Promise<void>;
}

/**
 * A probe of the Hessian of the mean loss over the chosen examples. Measurements of several replicas run at the same time, their
 * products as one.
 */
export function hessianProbe<P, State>(setting: ProbeSetting<P, State>, examples: ExampleOptions, prepare: (evaluated: Evaluated<P, State>, space: ParameterSpace) => HessianTask<P, State>): PreparedProbe<P, State> {
  const evaluated = evaluatedOf(setting, examples);
  const hessian = movingHessian(evaluated, setting.start);
  const { measure, search, dispose } = prepare(evaluated, hessian.space);
  const measureAll = (moments: readonly Moment<P, State>[]): Promise<Measured[]> =>
    hessian.forEach(moments, (operator, replica) => measure({ operator, moment: moments[replica], replica }));
  return {
    measure: async (moment) => (await measureAll([moment]))[0], measureAll,
    ...(search && { save: () => search.save(), restore: (memory: Parameters<typeof search.restore>[0]) => search.restore(memory) }),
    dispose: async () => { await Promise.all([hessian.dispose(), dispose?.()]); },
  };
}
