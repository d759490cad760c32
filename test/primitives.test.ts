/** Every primitive on its samples: the shape rule, the reference rule and ONNX Runtime agree. */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../src/core/evaluate.ts';
import { isFloat, toDtype } from '../src/core/ndarray.ts';
import { primitives } from '../src/prims/registry.ts';
import { hasCpuKernel } from '../src/onnx/kernels.ts';
import '../src/runtime/node.ts';
import { requireClose } from '../src/testing/index.ts';
import { traceFlat } from '../src/testing/evaluate.ts';
import { compile } from '../src/transforms/index.ts';
import { LoweringError } from '../src/util/errors.ts';
import { cases, inFloat32, withFloat } from './primitive-cases.ts';

describe('the registry', () => {
  test('holds each primitive once', () => {
    const names = primitives.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('every primitive has a sample, of each kind of number it takes', () => {
    expect(primitives.filter((primitive) => primitive.samples().length === 0).map(({ name }) => name)).toEqual([]);
    const withoutFloat = primitives.filter((primitive) => {
      const { params, inputs } = primitive.samples()[0];
      const floats = inputs.map((input) => ({ shape: input.shape, dtype: 'float64' as const }));
      try { primitive.shape(params, floats); } catch { return false; }
      return inputs.length > 0 && !primitive.samples().some((sample) => sample.inputs.some(({ dtype }) => dtype === 'float64'));
    });
    expect(withoutFloat.map(({ name }) => name)).toEqual([]);
  });
});

describe('shape rule = reference', () => {
  test.each(cases)('$title', ({ f, values }) => {
    const inputs = values();
    const graph = traceFlat((x) => f(...x), inputs);
    const outputs = evaluate(graph, inputs);
    expect(outputs.map(String)).toEqual(graph.outputs.map(String));
  });
});

describe('ONNX Runtime = reference, float32', () => {
  test.each(cases)('$title', async (entry) => {
    const f32 = inFloat32(entry);
    // Both start from the same numbers, rounded to float32.
    const inputs = withFloat(entry.values(), 'float32');
    const expected = evaluate(traceFlat((x) => entry.f(...x), withFloat(inputs, 'float64')), withFloat(inputs, 'float64'));
    const run = compile((...x: Parameters<typeof f32>) => [...f32(...x)]);
    const outputs = await run(...inputs);
    outputs.forEach((output, i) => {
      requireClose(isFloat(output.dtype) ? toDtype(output, 'float64') : output, expected[i], { relative: 3e-6, absolute: 1e-6, scaled: 1e-6 }, `output ${i}`);
    });
    await run.dispose();
  });
});

const without64 = new Set<string>();

describe('ONNX Runtime = reference, float64', () => {
  test.each(cases.filter(({ sample, primitive }) => [...sample.inputs, ...primitive.shape(sample.params, sample.inputs)].some(({ dtype }) => dtype === 'float64')))('$title', async ({ f, values, primitive }) => {
    const inputs = values();
    const expected = evaluate(traceFlat((x) => f(...x), inputs), inputs);
    const run = compile((...x: Parameters<typeof f>) => [...f(...x)]);
    try {
      const outputs = await run(...inputs);
      requireClose(outputs, expected, { relative: 1e-13, absolute: 1e-13, scaled: 1e-14 });
    } catch (error) {
      if (!(error instanceof LoweringError)) throw error;
      // Refused by Thalweg, naming an operator that the table of kernels says is missing; not by the runtime.
      const operator = /must have (\S+) for float64/.exec(error.message)?.[1];
      expect(operator, error.message).toBeDefined();
      expect(hasCpuKernel(operator!, 'float64')).toBe(false);
      without64.add(primitive.name);
    }
    await run.dispose();
  });

  test('the operations without float64 are these', () => {
    expect([...without64].sort()).toMatchInlineSnapshot(`
      [
        "acos",
        "asin",
        "atan",
        "atan2",
        "erf",
      ]
    `);
  });
});
