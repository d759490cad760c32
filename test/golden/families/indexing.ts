/** Gather, scatter, slices, padding, sorting, cumulative and reducing operations, products. */
import type { Tensor } from '../../../src/core/tensor.ts';
import {
  add, argsort, at, concat, cummax, cumprod, cumsum, dynamicSlice, dynamicUpdateSlice, einsum, exp, expandDims, eye, gather, max, maximum, mean, min, mul,
  narrow, neg, pad, pow, prod, relu, reverse, scatterAdd, scatterSet, slice, sort, sqrt, square, stack, standardDeviation, sum, take, takeAlongAxis, topK,
  transpose, zeros,
} from '../../../src/ops/index.ts';
import { grad } from '../../../src/transforms/index.ts';
import { curvedCase, type GoldenCases, type Tensors } from '../golden.ts';

const starts = ({ start }: Tensors): Tensor[] => [at(start, 0), at(start, 1)];
const points = (indices: Tensor): Tensor => expandDims(indices, 1);

function twoContractions({ p, q, s, m }: Tensors): Tensor {
  const trace = sum(mul(m, eye(3, m.dtype)));
  return add(einsum('aijb,jic->bc', p, q), mul(einsum('b,c->bc', narrow(s, 0, 0, 2), s), trace));
}

export const indexing: GoldenCases = {
  'take-rows': curvedCase(({ x, indices }) => take(x, indices, 0)),
  'take-middle-axis': curvedCase(({ x, indices }) => take(x, indices, 1)),
  'take-along-last-axis': curvedCase(({ x, indices }) => takeAlongAxis(x, indices, 1)),
  'gather-points': curvedCase(({ x, rows, columns }) => square(gather(x, stack([rows, columns], 1)))),
  'scatter-add-rows': curvedCase(({ x, updates, indices }) => scatterAdd(x, points(indices), square(updates))),
  'scatter-set-rows': curvedCase(({ x, updates, indices }) => scatterSet(x, points(indices), mul(at(x, 0), updates))),
  'segment-sum': curvedCase(({ x, segments }) => scatterAdd(zeros([3, 2], x.dtype), points(segments), exp(x))),
  'dynamic-slices': curvedCase((a) => dynamicSlice(a.x, starts(a), [2, 4])),
  'dynamic-slice-clamped': curvedCase((a) => dynamicSlice(a.x, starts(a), [2, 4])),
  'dynamic-updates': curvedCase((a) => dynamicUpdateSlice(square(a.x), mul(a.u, narrow(at(a.x, 0), 0, 0, 3)), starts(a))),
  sorting: curvedCase(({ x }) => sort(x), ({ x }) => ({ permutation: argsort(x) })),
  'sort-by-keys': curvedCase(({ x, keys }) => {
    const order = argsort(keys);
    return mul(take(x, order), expandDims(take(keys, order), 1));
  }),
  'top-k': curvedCase(({ x }) => topK(x, 2)[0], ({ x }) => ({ indices: topK(x, 2)[1] })),
  'cumulative-sum': curvedCase(({ x }) => add(cumsum(square(x), 0), cumsum(x, 1, { reverse: true }))),
  'cumulative-product': curvedCase(({ x }) => cumprod(x, 1)),
  'cumulative-extrema': curvedCase(({ x }) => add(cummax(x, 1), neg(cummax(neg(x), 0)))),
  'strided-slices': curvedCase(({ x }) => mul(slice(x, [1, 0], [6, 6], [3, 2]), slice(x, [0, 4], [2, 7]))),
  padding: curvedCase(({ x, fill }) => pad(x, [1, -1], [0, 2], { interior: [1, 0], value: fill })),
  'padding-negative-interior': curvedCase(({ x }) => pad(x, [-2], [-1], { interior: [2] })),
  'reverse-and-concatenate': curvedCase(({ x, a }) => concat([reverse(x, [0, 1]), a, mul(narrow(x, 1, 0, 1), narrow(a, 1, 1, 2))], 1)),
  'roll-tile-transpose': curvedCase(({ x }) => {
    const rolled = concat([narrow(x, 1, 2, 3), narrow(x, 1, 0, 2)], 1);
    return transpose(concat([rolled, rolled]));
  }),
  'einsum-batched': curvedCase(({ p, q }) => einsum('bij,bjk->bik', p, q)),
  'einsum-attention': curvedCase(({ p, q }) => einsum('bqhd,bkhd->bhqk', p, q)),
  'einsum-bilinear': curvedCase(({ x, w, z }) => einsum('ni,oij,nj->no', x, w, z)),
  'einsum-two-contractions': curvedCase(twoContractions),
  'reduce-product': curvedCase(({ x }) => prod(x, 1)),
  'reduce-product-with-zeros': curvedCase(({ x }) => prod(x, 1)),
  'reduce-extrema': curvedCase(({ x }) => add(mul(max(x, [1, 2]), min(x, [1, 2])), square(mean(x, [1, 2])))),
  'reduce-extrema-ties': {
    run({ x }) {
      const [pairX, pairY] = grad(([a, b]: [Tensor, Tensor]) => sum(maximum(a, b)))([at(x, 0), at(x, 1)]);
      return {
        'maximum.grad': grad((t: Tensor) => sum(max(t, 1)))(x), 'minimum.grad': grad((t: Tensor) => sum(min(t, 1)))(x),
        'pair.grad.x': pairX, 'pair.grad.y': pairY, 'relu.grad': grad((t: Tensor) => sum(relu(t)))(at(x, 2)),
      };
    },
  },
  moments: curvedCase(({ x }) => add(mul(standardDeviation(x, 0), sum(pow(x, 3), 0)), sqrt(sum(square(x), 0)))),
};
