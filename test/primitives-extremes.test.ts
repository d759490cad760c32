/** Elementwise primitives at zero, +-1e3, subnormal numbers, NaN and the infinities: ONNX Runtime agrees with the reference. */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../src/core/evaluate.ts';
import { isFloat, NDArray, toDtype, type DType } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import '../src/runtime/node.ts';
import { traceFlat } from '../src/testing/evaluate.ts';
import { allClose } from '../src/testing/index.ts';
import { compile } from '../src/transforms/index.ts';
import { hasCpuKernel } from '../src/onnx/kernels.ts';
import { LoweringError } from '../src/util/errors.ts';
import { cases, inFloat32, isElementwise, withFloat, type Case } from './primitive-cases.ts';

const elementwise = cases.filter((entry) => isElementwise(entry) && entry.sample.inputs.some(({ dtype }) => isFloat(dtype)));
const extremes: Readonly<Record<'float32' | 'float64', readonly number[]>> = {
  float32: [0, 1, -1, 0.5, -0.5, 3.7, -3.7, 20, -20, 88, -88, 1e3, -1e3, 1e-40, -1e-40, 1e-5, -1e-5, 1e30, -1e30, NaN, Infinity, -Infinity],
  float64: [0, 1, -1, 0.5, -0.5, 3.7, -3.7, 20, -20, 700, -700, 1e3, -1e3, 5e-310, -5e-310, 1e-9, -1e-9, 1e300, -1e300, NaN, Infinity, -Infinity],
};

/**
 * Where a backend may differ, and why. Each entry says for which arguments; everything else must agree.
 */
interface Exception { readonly reason: string; readonly applies: (dtype: DType, ...args: number[]) => boolean }
const exceptions: Readonly<Record<string, Exception>> = {
  atan2: {
    reason: 'both infinite: the quotient is NaN, and the four corners at infinity are not worth four more operations',
    applies: (_, y, x) => Math.abs(x) === Infinity && Math.abs(y) === Infinity,
  },
};

/** All tuples of the values, one array for each position. */
function tuples(values: readonly number[], { sample }: Case, dtype: DType): NDArray[] {
  const kinds = sample.inputs.map((input) => (isFloat(input.dtype) ? values : [0, 1]));
  let rows: number[][] = [[]];
  for (const kind of kinds) rows = rows.flatMap((row) => kind.map((value) => [...row, value]));
  return sample.inputs.map((input, i) => {
    const column = rows.map((row) => row[i]);
    const type = isFloat(input.dtype) ? dtype : input.dtype;
    return new NDArray(type === 'bool' ? Uint8Array.from(column) : type === 'float32' ? Float32Array.from(column) : Float64Array.from(column), [rows.length], type);
  });
}

/** Exceptions that a difference was seen for. */
const needed = new Set<string>();

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  test.each(elementwise)('$title', async (entry) => {
    const inputs = tuples(extremes[dtype], entry, dtype);
    const precise = withFloat(inputs, 'float64');
    const expected = evaluate(traceFlat((x) => entry.f(...x), precise), precise).map((value) => (isFloat(value.dtype) ? toDtype(value, dtype) : value));
    const f = dtype === 'float32' ? inFloat32(entry) : entry.f;
    const run = compile((...x: Tensor[]) => [...f(...x)]);
    let outputs: NDArray[];
    try {
      outputs = await run(...inputs);
    } catch (error) {
      if (!(error instanceof LoweringError)) throw error;
      expect(hasCpuKernel(/must have (\S+) for/.exec(error.message)?.[1] ?? 'Add', dtype)).toBe(false);
      return;
    }
    const wrong: string[] = [];
    outputs.forEach((output, k) => {
      for (let i = 0; i < output.size; i++) {
        const args = inputs.map(({ data }) => data[i]);
        const pick = (a: NDArray): NDArray => new NDArray(a.data.slice(i, i + 1), [], a.dtype);
        // Six units in the last place; ONNX Runtime's float32 tanh loses bits among the subnormal numbers.
        const tolerances = dtype === 'float32' ? { relative: 8e-7, absolute: 4e-43 } : { relative: 2e-15, absolute: 1e-322 };
        const agrees = allClose(pick(output), pick(expected[k]), tolerances);
        if (exceptions[entry.primitive.name]?.applies(dtype, ...args) === true) {
          if (!agrees) needed.add(entry.primitive.name);
        } else if (!agrees) wrong.push(`${entry.primitive.name}(${args.join(', ')}) = ${output.data[i]}, reference ${expected[k].data[i]}`);
      }
    });
    expect(wrong).toEqual([]);
    await run.dispose();
  });
});

test('every exception is needed', () => {
  expect([...needed].sort()).toEqual(Object.keys(exceptions).sort());
});
