/** Loss, accuracy and entropy of predictions, watched on examples of either split. @module */
import type { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { correct } from '../../losses/index.ts';
import { meanOf, moments, predict, type Examples, type Moments, type PointTensors, type Problem } from '../../problem/index.ts';
import { ArgumentError } from '../../util/errors.ts';
import type { BesideProbe, Measured, Moment, PreparedProbe, ProbeSetting } from '../probe.ts';
import { evaluatedOf, movingSums } from './points.ts';
import { entropies } from './predictions.ts';

export interface EvaluationOptions {
  /** Default 100. */
  readonly every?: number | undefined;
  /** The first so many examples of each split. Default: all. */
  readonly samples?: number | undefined;
  /** Default: `both`, where there is a test split. */
  readonly split?: 'train' | 'test' | 'both' | undefined;
  /** Where: at the parameters that the method gives as its answer (averages), or at those it steps from. Default `answer`. */
  readonly at?: 'answer' | 'params' | undefined;
}

/** The moment with the parameters that the method gives as its answer, if these are wanted and are others. */
export const answered = <P, State>(moment: Moment<P, State>, at: 'answer' | 'params'): Moment<P, State> =>
  (at === 'answer' && moment.answer !== undefined ? { ...moment, params: moment.answer } : moment);

type Values = <P, State>(problem: Problem<P, State>, point: PointTensors<P, State>, batch: Examples) => Tensor;

/** A probe of the mean of one number an example, [batch]; replicas are evaluated at once. */
function meanProbe(name: string, valuesOf: Values, { every = 100, samples, split, at = 'answer' }: EvaluationOptions): BesideProbe {
  return {
    where: 'beside', name, every,
    prepare<P, State>(setting: ProbeSetting<P, State>): PreparedProbe<P, State> {
      if (split === 'test' && setting.problem.test === undefined) throw new ArgumentError({ operation: name, required: 'split test needs a problem with a test split', received: `'${setting.problem.name}', which has none` });
      const wanted = split === undefined || split === 'both' ? ['train', ...(setting.problem.test ? ['test'] : [])] as const : [split];
      const sums = wanted.map((one) => {
        const evaluated = evaluatedOf(setting, { samples, split: one as 'train' | 'test' });
        return { one, size: evaluated.split.size, total: movingSums(name, evaluated, (point, batch) => moments(valuesOf(setting.problem, point, batch))) };
      });
      const measureAll = async (given: readonly Moment<P, State>[]): Promise<Measured[]> => {
        const points = given.map((moment) => answered(moment, at));
        const out = points.map((): Record<string, Measured[string]> => ({}));
        for (const { one, size, total } of sums) {
          const start = performance.now();
          const all = (await total.atAll(points)) as unknown as Moments<NDArray>[];
          const seconds = (performance.now() - start) / 1000 / points.length;
          all.forEach(({ sum, squares }, i) => { out[i][one] = { ...meanOf({ sum: sum.item(), squares: squares.item() }, size), cost: { products: 0, seconds } }; });
        }
        return out;
      };
      return { measure: async (moment) => (await measureAll([moment]))[0], measureAll, dispose: async () => { for (const { total } of sums) await total.dispose(); } };
    },
  };
}

/** Mean loss over the first `samples` examples of the splits, in eval mode: columns `train` and `test`. Standard errors over examples. */
export const loss = (options: EvaluationOptions = {}): BesideProbe =>
  meanProbe('loss', (problem, { params, state }, { inputs, targets }) => problem.loss(predict(problem, params, state, inputs), targets), options);

/** Mean entropy in nats of the predictive distribution, softmax or logistic of the outputs, as `loss`. At most ln(classes). */
export const predictionEntropy = (options: EvaluationOptions = {}): BesideProbe =>
  meanProbe('prediction-entropy', (problem, { params, state }, { inputs }) => entropies('predictionEntropy', predict(problem, params, state, inputs)), options);

/** Share of examples that are answered right (`correct`), as `loss`. */
export const accuracy = (options: EvaluationOptions = {}): BesideProbe =>
  meanProbe('accuracy', (problem, { params, state }, { inputs, targets }) => correct(predict(problem, params, state, inputs), targets), options);
