/** Models with batch normalisation, looked at with the statistics of the batch at hand. @module */
import type { Model } from './model.ts';

/**
 * The same model with batch normalisation by the statistics of the batch at hand in both modes; the state that comes in goes out. What an
 * instrument measures of it (a Hessian, a slice) is then of the loss over a set of examples with that set's own statistics, through which
 * derivatives flow. It is a function of the whole batch: evaluate it in one chunk. For models without dropout.
 */
export const withBatchStatistics = <P, State>(model: Model<P, State>): Model<P, State> => ({
  name: `${model.name}, statistics of the batch`,
  init: (key) => model.init(key),
  apply: (params: P, inputs, { state }) => ({ outputs: model.apply(params, inputs, { mode: 'train', state }).outputs, state }),
});
