/** Every primitive on its samples: `vmap` is a loop, for every choice of batched inputs; derivatives and batching exchange. */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../src/core/evaluate.ts';
import { array, isFloat, toDtype } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import * as ops from '../src/ops/index.ts';
import '../src/runtime/node.ts';
import { traceFlat } from '../src/testing/evaluate.ts';
import { checkBatch, checkGrads, evaluateReference, requireClose } from '../src/testing/index.ts';
import { compile, jvp, vjp, vmap } from '../src/transforms/index.ts';
import { cases, inFloat32, subsets, withFloat, type Case } from './primitive-cases.ts';

const batchable = cases.filter(({ sample }) => sample.inputs.length > 0);
const list = (f: Case['f']) => (...inputs: Tensor[]): Tensor[] => [...f(...inputs)];
const axesOf = (flags: readonly boolean[]): (number | null)[] => flags.map((flag) => (flag ? 0 : null));
/** Inputs with derivatives, and a loop that has no reverse mode. */
const smooth = (entry: Case): boolean => entry.sample.inputs.some(({ dtype }) => isFloat(dtype)) && entry.primitive.shape(entry.sample.params, entry.sample.inputs).some(({ dtype }) => isFloat(dtype));
const forwardOnly = new Set(['while']);
/** Its derivative is not that of the function it computes. */
const stopped = new Set(['stop_gradient']);

describe('vmap = loop', () => {
  test.each(batchable)('$title', ({ f, sample, batches }) => {
    for (const flags of subsets(sample.inputs.length)) checkBatch(list(f), batches(flags), { inAxes: axesOf(flags) });
  });

  test('constants stay unbatched', () => {
    const constants = cases.filter(({ sample }) => sample.inputs.length === 0);
    expect(constants.length).toBeGreaterThan(0);
    for (const { primitive, sample } of constants) expect(primitive.batch({ params: sample.params, inputs: [], batched: [], size: 3 }).batched).toEqual([false]);
  });
});

describe('vmap on ONNX Runtime = vmap on the reference', () => {
  test.each(batchable)('$title', async (entry) => {
    const f32 = list(inFloat32(entry));
    for (const flags of subsets(entry.sample.inputs.length)) {
      const inAxes = axesOf(flags);
      const inputs = withFloat(entry.batches(flags), 'float32');
      const precise = withFloat(inputs, 'float64');
      const expected = evaluate(traceFlat((x) => vmap(list(entry.f), { inAxes })(...x), precise), precise);
      const run = compile((...x: Tensor[]) => vmap(f32, { inAxes })(...x));
      const outputs = (await run(...inputs)).map((output) => (isFloat(output.dtype) ? toDtype(output, 'float64') : output));
      requireClose(outputs, expected.map((value) => (isFloat(value.dtype) ? toDtype(value, 'float64') : value)), { relative: 3e-6, absolute: 1e-6, scaled: 1e-6 }, String(flags));
      await run.dispose();
    }
  });
});

describe('derivatives of vmap, and vmap of derivatives', () => {
  test.each(batchable.filter((entry) => smooth(entry) && !stopped.has(entry.primitive.name)))('$title', (entry) => {
    const { f, sample, primitive, batches } = entry;
    const modes = forwardOnly.has(primitive.name) ? ['forward', 'linearize'] as const : ['forward', 'reverse', 'linearize'] as const;
    const isMoving = sample.inputs.map(({ dtype }) => isFloat(dtype));
    for (const flags of subsets(sample.inputs.length)) {
      const inAxes = axesOf(flags);
      const values = batches(flags);
      checkGrads((...x: Tensor[]) => vmap(list(f), { inAxes })(...x), values, { order: 1, modes, step: 2 ** -12 });
      const floats = (g: Case['f']) => (...x: Tensor[]): Tensor[] => g(...x).filter(({ dtype }) => isFloat(dtype));
      // The tangents are the values themselves; cotangents are the outputs.
      const pushed = (...x: Tensor[]): Tensor[] => jvp((...y: Tensor[]) => floats(f)(...merge(x, y, isMoving)), x.filter((_, i) => isMoving[i]), x.filter((_, i) => isMoving[i]))[1];
      checkBatch(pushed, values, { inAxes });
      if (forwardOnly.has(primitive.name)) continue;
      const pulled = (...x: Tensor[]): Tensor[] => {
        const [out, pull] = vjp((...y: Tensor[]) => floats(f)(...merge(x, y, isMoving)), ...x.filter((_, i) => isMoving[i]));
        return pull(out);
      };
      checkBatch(pulled, values, { inAxes });
    }
  });
});

/** `all` with the flagged entries replaced. */
function merge(all: readonly Tensor[], moving: readonly Tensor[], flags: readonly boolean[]): Tensor[] {
  let next = 0;
  return all.map((value, i) => (flags[i] ? moving[next++] : value));
}

describe('nested vmap', () => {
  test.each(batchable.filter(({ sample }) => sample.inputs.length <= 2))('$title', ({ f, sample, batches }) => {
    // Both levels map the first input, the outer one alone the rest.
    const flags = sample.inputs.map((_, i) => i === 0);
    const outer = batches(flags).map((value) => evaluateReference((x: Tensor) => ops.stack([x, ops.reverse(x, flags[0] && x.rank > 0 && x.shape[0] === 2 ? 0 : [])]), value));
    checkBatch((...x: Tensor[]) => vmap(list(f), { inAxes: axesOf(flags) })(...x), outer);
  });
});

test('padding with an infinite value of its own for each element', () => {
  const f = (x: Tensor, value: Tensor): Tensor => ops.pad(x, [1], [0], { value });
  checkBatch(f, [array([[1, 2], [3, 4]], [2, 2], 'float64'), array([-Infinity, NaN], [2], 'float64')]);
  checkBatch(f, [array([1, 2], [2], 'float64'), array([-Infinity, 7], [2], 'float64')], { inAxes: [null, 0] });
});
