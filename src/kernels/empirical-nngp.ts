/** The kernel of a network's outputs, or of what a part of it computes: inner products of features. @module */
import type { NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { chunkedSum, ParameterSpace, type Point } from '../problem/index.ts';
import type { KernelMatrix, KernelOptions } from './empirical-ntk.ts';
import { inputsOf, outputsOf, type Network } from './network.ts';

/**
 * f(x1) f(x2)' / outputs of a model in eval mode, [rows, columns], added in float64 on the host: one sample of the NNGP
 * kernel (its mean over random weights in the limit of infinite width), as neural-tangents' `empirical_nngp_fn`. For the kernel
 * of hidden features give a model that ends there.
 */
export async function empiricalNngp<P, State>(network: Network<P, State>, point: Point<P, State>, first: NDArray, second?: NDArray, { signal, onProgress, executor, block, memoryBudget }: KernelOptions = {}): Promise<KernelMatrix> {
  const operation = `empiricalNngp of ${network.name}`;
  const { dtype } = new ParameterSpace(point.params);
  const features = async (name: string, inputs: NDArray): Promise<{ readonly values: Float64Array; readonly width: number }> => {
    const given = inputsOf(operation, name, inputs, dtype);
    const program = chunkedSum((at: { params: P; state: State }, batch: Tensor) => outputsOf(network, at.params, at.state, batch), { params: point.params, state: point.state } as never, given as never, { name: operation, bind: false, ...(executor && { executor }), ...(block !== undefined && { chunk: block }), ...(memoryBudget !== undefined && { memoryBudget }) });
    try {
      const parts: Float64Array[] = [];
      await program.each([], (part) => {
        signal?.throwIfAborted();
        parts.push(Float64Array.from((part as NDArray).data));
      });
      const values = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
      parts.reduce((at, part) => { values.set(part, at); return at + part.length; }, 0);
      return { values, width: values.length / given.shape[0] };
    } finally {
      await program.dispose();
    }
  };
  const left = await features('first', first);
  const right = second === undefined ? left : await features('second', second);
  const { width } = left;
  const [n, m] = [first.shape[0], (second ?? first).shape[0]];
  const values = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < (second === undefined ? i + 1 : m); j++) {
      let sum = 0;
      for (let o = 0; o < width; o++) sum += left.values[i * width + o] * right.values[j * width + o];
      values[i * m + j] = sum / width;
      if (second === undefined) values[j * m + i] = values[i * m + j];
    }
  }
  onProgress?.({ done: 1, total: 1, unit: 'blocks' });
  return { values, shape: [n, m] };
}
