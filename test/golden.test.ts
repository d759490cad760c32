/** Every golden of JAX (float64) rewritten with this library's operations and transformations, and compared. */
import { describe, expect, test } from 'vitest';
import type { Executor } from '../src/core/backend.ts';
import type { NDArray } from '../src/core/ndarray.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import { referenceExecutor } from '../src/runtime/reference.ts';
import { compile } from '../src/transforms/index.ts';
import { control } from './golden/families/control.ts';
import { convolutions } from './golden/families/convolution.ts';
import { indexing } from './golden/families/indexing.ts';
import { layers } from './golden/families/layers.ts';
import { networks } from './golden/families/networks.ts';
import { scalars } from './golden/families/scalars.ts';
import { goldenNames, hostInputs, readGolden, type GoldenCase, type GoldenFile } from './golden/golden.ts';

const families = { networks, layers, convolutions, indexing, scalars, control };
const cases = Object.values(families).flatMap((family) => Object.entries(family));
const ort = nodeExecutor({ threads: 1 });

async function outputsOf(golden: GoldenFile, { run, finish }: GoldenCase, executor: Executor, dtype: 'float32' | 'float64'): Promise<Record<string, NDArray>> {
  const compiled = compile(run, { executor, dtype });
  const outputs = await compiled(hostInputs(golden, dtype)) as Record<string, NDArray>;
  await compiled.dispose();
  return { ...outputs, ...finish?.(outputs) };
}

/** Largest error of an output relative to its scale: its largest element, or what the case says. */
function relativeError(received: NDArray, expected: readonly number[], absolute: number | undefined): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return expected.reduce((worst, value, i) => {
    const scale = absolute === undefined ? largest || 1 : Math.max(absolute, Math.abs(value));
    const error = Math.abs(received.data[i] - value) / scale;
    return Number.isNaN(error) ? Infinity : Math.max(worst, error);
  }, 0);
}

function expectAgreement(golden: GoldenFile, outputs: Record<string, NDArray>, tolerance: number, absolute: number | undefined): void {
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(golden.outputs).sort());
  const wrong: string[] = [];
  for (const [name, { shape, data }] of Object.entries(golden.outputs)) {
    expect(outputs[name].shape, `shape of ${name}`).toEqual(shape);
    const error = relativeError(outputs[name], data, absolute);
    if (error > tolerance) wrong.push(`${name}: error ${error.toExponential(1)} relative to its largest element, at most ${tolerance}`);
  }
  expect(wrong, golden.description).toEqual([]);
}

test('every stored golden has one case, and every case a golden', () => {
  expect(cases.map(([name]) => name).sort()).toEqual(goldenNames());
});

describe('the reference in float64 agrees with JAX', () => {
  test.each(cases)('%s', async (name, golden) => {
    const file = readGolden(name);
    expectAgreement(file, await outputsOf(file, golden, referenceExecutor, 'float64'), 1e-12, golden.absolute);
  });
});

describe('ONNX Runtime in float32 agrees with JAX', () => {
  test.each(cases)('%s', async (name, golden) => {
    const file = readGolden(name);
    expectAgreement(file, await outputsOf(file, golden, ort, 'float32'), golden.float32 ?? 2e-5, golden.absolute);
  });
});

describe('ONNX Runtime in float64 agrees with JAX', () => {
  test.each(cases)('%s', async (name, golden) => {
    const file = readGolden(name);
    const received = outputsOf(file, golden, ort, 'float64');
    if (golden.lacksFloat64 === undefined) expectAgreement(file, await received, 1e-11, golden.absolute);
    else await expect(received).rejects.toThrow(new RegExp(`must have ${golden.lacksFloat64} for float64`));
  });
});
