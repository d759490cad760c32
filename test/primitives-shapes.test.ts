/**
 * Operations with shapes, axes and paddings drawn at random: ONNX Runtime agrees with the reference, derivatives with finite
 * differences, `vmap` with a loop. A failure prints the smallest arguments that show it, and the seed.
 */
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { isFloat, NDArray, toDtype } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import * as ops from '../src/ops/index.ts';
import '../src/runtime/node.ts';
import { checkBatch, checkGrads, evaluateReference, requireClose } from '../src/testing/index.ts';
import { stackArrays } from '../src/testing/batching.ts';
import { compile } from '../src/transforms/index.ts';
import { key, normal, split } from '../src/util/random/index.ts';

const runs = 40;
/** Settings of every property; a fixed seed, so that a run is repeatable. */
const settings = { numRuns: runs, seed: 20240229 };

const extent = fc.integer({ min: 1, max: 4 });
const shapeOf = (minimum: number, maximum: number) => fc.array(extent, { minLength: minimum, maxLength: maximum });
const values = (shape: readonly number[], seed: number): NDArray => {
  const size = shape.reduce((a, b) => a * b, 1);
  // Multiples of 1/8 are the same numbers in float32 and float64.
  return new NDArray(normal(split(key(7), seed), size, { dtype: 'float64' }).map((x) => Math.round(x * 8) / 8), shape, 'float64');
};

/** Runs the function on ONNX Runtime in float32 and on the reference, then checks its first derivatives and its batching. */
async function agree(f: (...inputs: Tensor[]) => Tensor | Tensor[], shapes: readonly (readonly number[])[], { derivatives = true } = {}): Promise<void> {
  const inputs = shapes.map((shape, i) => values(shape, i));
  const all = (...x: Tensor[]): Tensor[] => [f(...x)].flat();
  const run = compile(all);
  const outputs = (await run(...inputs.map((input) => toDtype(input, 'float32')))).map((output) => (isFloat(output.dtype) ? toDtype(output, 'float64') : output));
  requireClose(outputs, evaluateReference(all, ...inputs), { relative: 3e-6, absolute: 2e-6, scaled: 2e-6 }, 'ONNX Runtime against the reference');
  await run.dispose();
  if (derivatives) checkGrads(all, inputs, { order: 1 });
  const other = shapes.map((shape, i) => values(shape, i + 100));
  checkBatch(all, inputs.map((input, i) => stackArrays([input, other[i]])));
  if (shapes.length > 1) checkBatch(all, inputs.map((input, i) => (i === 0 ? stackArrays([input, other[i]]) : input)), { inAxes: shapes.map((_, i) => (i === 0 ? 0 : null)) });
}

const limit = 60_000;

describe('operations at random shapes', () => {
  test('elementwise, with broadcasting in both directions', async () => {
    const argument = shapeOf(0, 4).chain((shape) => fc.tuple(fc.constant(shape), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }), fc.integer({ min: 0, max: shape.length })));
    await fc.assert(fc.asyncProperty(argument, async ([shape, left, right, dropped]) => {
      const x = shape.map((n, i) => (left[i] ? 1 : n));
      const y = shape.map((n, i) => (right[i] ? 1 : n)).slice(dropped);
      await agree((a, b) => ops.add(ops.mul(ops.sin(a), b), ops.tanh(ops.sub(b, a))), [x, y]);
    }), settings);
  }, limit);

  test('reductions over any axes, kept or not', async () => {
    const argument = shapeOf(0, 4).chain((shape) => fc.tuple(fc.constant(shape), fc.subarray(shape.map((_, i) => i)), fc.boolean()));
    await fc.assert(fc.asyncProperty(argument, async ([shape, axes, keepDims]) => {
      await agree((x) => [ops.sum(x, axes, { keepDims }), ops.mean(x, axes, { keepDims }), ops.logSumExp(x, axes, { keepDims }), ops.prod(x, axes, { keepDims })], [shape]);
      // Where elements tie or come close, finite differences say nothing.
      await agree((x) => [ops.max(x, axes, { keepDims }), ops.min(x, axes, { keepDims })], [shape], { derivatives: false });
    }), settings);
  }, limit);

  test('reshape, transpose, reverse, running sums', async () => {
    const argument = shapeOf(1, 4).chain((shape) => fc.tuple(fc.constant(shape), fc.shuffledSubarray(shape.map((_, i) => i), { minLength: shape.length, maxLength: shape.length }), fc.subarray(shape.map((_, i) => i)), fc.nat({ max: shape.length - 1 }), fc.boolean()));
    await fc.assert(fc.asyncProperty(argument, async ([shape, permutation, axes, axis, reverse]) => {
      await agree((x) => {
        const moved = ops.transpose(x, permutation);
        return [moved, ops.reshape(moved, [-1]), ops.reverse(x, axes), ops.cumsum(x, axis, { reverse }), ops.cumprod(x, axis, { reverse }), ops.reshape(ops.transpose(ops.reverse(moved, axes)), shape)];
      }, [shape]);
    }), settings);
  }, limit);

  test('products over any batch and contracted axes', async () => {
    const axis = fc.tuple(extent, fc.constantFrom('batch', 'contract', 'left', 'right'));
    const argument = fc.array(axis, { maxLength: 5 }).chain((axes) => fc.tuple(fc.constant(axes), fc.infiniteStream(fc.nat({ max: 1000 })).map((stream) => [...axes, ...axes].map(() => stream.next().value as number))));
    await fc.assert(fc.asyncProperty(argument, async ([axes, ranks]) => {
      // Each operand has its axes in an order of its own.
      const order = (side: 0 | 1): number[] => axes.map((_, i) => i).filter((i) => axes[i][1] !== (side === 0 ? 'right' : 'left')).sort((a, b) => ranks[a + side * axes.length] - ranks[b + side * axes.length] || a - b);
      const [left, right] = [order(0), order(1)];
      const places = (own: number[], kind: string): number[] => axes.map((_, i) => i).filter((i) => axes[i][1] === kind).map((i) => own.indexOf(i));
      await agree((x, y) => ops.dot(x, y, { batch: [places(left, 'batch'), places(right, 'batch')], contract: [places(left, 'contract'), places(right, 'contract')] }),
        [left.map((i) => axes[i][0]), right.map((i) => axes[i][0])]);
    }), { ...settings, numRuns: 2 * runs });
  }, limit);

  test('convolutions with strides, padding of any sign, both dilations and groups', async () => {
    const axis = fc.record({ n: fc.integer({ min: 3, max: 6 }), window: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 3 }), low: fc.integer({ min: -1, max: 2 }), high: fc.integer({ min: -1, max: 2 }), inputDilation: fc.integer({ min: 1, max: 2 }), kernelDilation: fc.integer({ min: 1, max: 2 }) });
    const argument = fc.record({ axes: fc.array(axis, { minLength: 1, maxLength: 2 }), batch: fc.integer({ min: 1, max: 2 }), groups: fc.integer({ min: 1, max: 2 }), inner: fc.integer({ min: 1, max: 2 }), outer: fc.integer({ min: 1, max: 2 }) });
    await fc.assert(fc.asyncProperty(argument, async ({ axes, batch, groups, inner, outer }) => {
      const pick = <K extends keyof (typeof axes)[number]>(name: K): number[] => axes.map((a) => a[name]);
      fc.pre(axes.every((a) => (a.n - 1) * a.inputDilation + 1 + a.low + a.high >= (a.window - 1) * a.kernelDilation + 1));
      await agree((x, kernel) => ops.conv(x, kernel, { strides: pick('stride'), padding: axes.map((a) => [a.low, a.high] as const), inputDilation: pick('inputDilation'), kernelDilation: pick('kernelDilation'), groups }),
        [[batch, groups * inner, ...pick('n')], [groups * outer, inner, ...pick('window')]]);
    }), { ...settings, numRuns: 2 * runs });
  }, limit);

  test('slices with steps', async () => {
    const axis = extent.chain((n) => fc.tuple(fc.constant(n), fc.nat({ max: n }), fc.nat({ max: n }), fc.integer({ min: 1, max: 3 })));
    await fc.assert(fc.asyncProperty(fc.array(axis, { maxLength: 4 }), async (axes) => {
      const start = axes.map(([, a, b]) => Math.min(a, b));
      const end = axes.map(([, a, b]) => Math.max(a, b));
      await agree((x) => ops.slice(x, start, end, axes.map(([, , , step]) => step)), [axes.map(([n]) => n)]);
    }), settings);
  }, limit);

  test('padding before, after and between, of any sign, with a value', async () => {
    const axis = fc.tuple(extent, fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }), fc.nat({ max: 2 }));
    await fc.assert(fc.asyncProperty(fc.array(axis, { maxLength: 3 }), async (axes) => {
      fc.pre(axes.every(([n, low, high, interior]) => n + (n - 1) * interior + low + high >= 0));
      const at = (i: 1 | 2 | 3): number[] => axes.map((a) => a[i]);
      await agree((x, value) => ops.pad(x, at(1), at(2), { interior: at(3), value }), [axes.map(([n]) => n), []]);
    }), { ...settings, numRuns: 2 * runs });
  }, limit);

  test('concatenation and splitting along any axis', async () => {
    const argument = shapeOf(1, 4).chain((shape) => fc.tuple(fc.constant(shape), fc.nat({ max: shape.length - 1 }), fc.array(extent, { minLength: 1, maxLength: 3 })));
    await fc.assert(fc.asyncProperty(argument, async ([shape, axis, extents]) => {
      await agree((...parts) => {
        const whole = ops.concat(parts, axis);
        return [whole, ops.stack([parts[0], parts[0]], axis), ...ops.split(whole, whole.shape[axis], axis)];
      }, extents.map((n) => shape.map((m, i) => (i === axis ? n : m))));
    }), settings);
  }, limit);

  test('gather and scatter at random points', async () => {
    const argument = fc.record({ batch: shapeOf(0, 1), indexed: shapeOf(1, 2), rest: shapeOf(0, 1), points: shapeOf(0, 2), seed: fc.nat({ max: 1000 }) });
    await fc.assert(fc.asyncProperty(argument, async ({ batch, indexed, rest, points, seed }) => {
      const shape = [...batch, ...points, indexed.length];
      const draws = normal(split(key(seed), 'points'), shape, { dtype: 'float64' });
      const indices = new NDArray(Int32Array.from(draws, (x, i) => Math.floor(Math.abs(x) * 100) % indexed[i % indexed.length]), shape, 'int32');
      await agree((x, updates) => {
        const at = ops.constant(indices);
        return [ops.gather(x, at, batch.length), ops.scatterAdd(x, at, updates, batch.length)];
      }, [[...batch, ...indexed, ...rest], [...batch, ...points, ...rest]]);
    }), settings);
  }, limit);

  test('pooling with padding and overlap', async () => {
    const axis = fc.record({ n: fc.integer({ min: 3, max: 6 }), window: fc.integer({ min: 1, max: 3 }), stride: fc.integer({ min: 1, max: 3 }), low: fc.nat({ max: 2 }), high: fc.nat({ max: 2 }) });
    await fc.assert(fc.asyncProperty(fc.array(axis, { minLength: 1, maxLength: 2 }), async (axes) => {
      fc.pre(axes.every((a) => a.low < a.window && a.high < a.window && a.n + a.low + a.high >= a.window));
      const options = { strides: axes.map((a) => a.stride), padding: axes.map((a) => [a.low, a.high] as const) };
      const window = axes.map((a) => a.window);
      await agree((x) => ops.averagePool(x, window, options), [[2, 2, ...axes.map((a) => a.n)]]);
      await agree((x) => ops.maxPool(x, window, options), [[2, 2, ...axes.map((a) => a.n)]], { derivatives: false });
    }), settings);
  }, limit);

  test('arrays without elements', async () => {
    await agree((x, y) => [ops.add(x, y), ops.sum(x, 0), ops.concat([x, y]), ops.transpose(x), ops.matmul(ops.transpose(x), y), ops.reshape(x, [3, 0])], [[0, 3], [0, 3]], { derivatives: false });
  }, limit);
});
