/** A model traced once on data of its declared shape: remarks that are made while tracing, before there are data. @module */
import { trace } from '../core/graph.ts';
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor, Type } from '../core/tensor.ts';
import { key } from '../util/random/index.ts';
import type { ImportedModel } from './onnx-model.ts';
import { engineTypeOf } from './onnx-trace.ts';

type Named<Value> = Readonly<Record<string, Value>>;

/**
 * Traces the model in eval mode, open extents 2, so that its notices hold what is only seen then. Nothing is computed.
 * @throws DataError where a node refuses: open extents may have to be others.
 */
export function traceDeclared({ model, input }: ImportedModel): void {
  const { params, state } = model.init(key(0)) as unknown as { params: Named<NDArray>; state: Named<NDArray> };
  const arrays = [...Object.values(params), ...Object.values(state)];
  const shape = (input.shape ?? [2, 2]).map((extent) => (typeof extent === 'number' ? extent : 2));
  const types = arrays.map(({ shape: own, dtype }): Type => ({ shape: own, dtype }));
  trace([...types, { shape, dtype: engineTypeOf(input, arrays[0]?.dtype ?? 'float32') }], (...tensors) => {
    const named = (like: Named<NDArray>, from: number): Named<Tensor> => Object.fromEntries(Object.keys(like).map((name, i) => [name, tensors[from + i]]));
    const { outputs } = model.apply(named(params, 0), tensors[arrays.length], { mode: 'eval', state: named(state, Object.keys(params).length) } as never) as { outputs: Tensor };
    return [outputs];
  });
}
