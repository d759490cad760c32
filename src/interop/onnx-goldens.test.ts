/** Models that PyTorch's two exporters and skl2onnx wrote, against PyTorch in float64 and against ONNX Runtime on the file itself. */
import { readdirSync, readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { NDArray, type DType } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { hessian as hessianOperator, topEigenpairs } from '../curvature/index.ts';

import { crossEntropy } from '../losses/index.ts';
import { mean } from '../ops/index.ts';
import type { Problem } from '../problem/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile } from '../transforms/index.ts';
import { key } from '../util/random/index.ts';
import { importOnnx, operatorNames } from './index.ts';

interface Entry { readonly shape: readonly number[]; readonly data: readonly number[] }
interface Golden {
  readonly inputs: Entry;
  readonly targets: Entry;
  readonly outputs: Entry;
  readonly loss: number;
  readonly parameters?: Readonly<Record<string, readonly number[]>>;
  readonly trace?: number;
  readonly eigenvalues?: readonly number[];
}

const folder = new URL('../../test/golden/onnx/', import.meta.url);
const names = readdirSync(folder).filter((file) => file.endsWith('.onnx')).map((file) => file.slice(0, -'.onnx'.length));
const read = (name: string): { bytes: Uint8Array; golden: Golden } => ({
  bytes: readFileSync(new URL(`${name}.onnx`, folder)), golden: JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Golden,
});

const arrayOf = ({ shape, data }: Entry, isToken: boolean, dtype: DType): NDArray =>
  (isToken ? new NDArray(Int32Array.from(data), shape, 'int32') : new NDArray(dtype === 'float64' ? Float64Array.from(data) : Float32Array.from(data), shape, dtype));

/** ONNX Runtime has no float64 kernel of erf, which the exact GELU is made of; the reference rules are slow on whole Hessians. */
const SINGLE: readonly string[] = ['vit-tracer', 'vit-dynamo'];
/** Written twice by the exporter, once transposed and under a name of its own. */
const TIED: Readonly<Record<string, Readonly<Record<string, string>>>> = { 'gpt-dynamo': { val_92: 'head.weight' } };
const executor = nodeExecutor({ threads: 1 });

function problemOf(name: string): { problem: Problem<never, never>; point: never; golden: Golden; isSingle: boolean; imported: ReturnType<typeof importOnnx> } {
  const { bytes, golden } = read(name);
  const isSingle = SINGLE.includes(name);
  const dtype = isSingle ? 'float32' : 'float64';
  const imported = importOnnx(bytes, { name, dtype, tied: TIED[name] ?? {} });
  const inputs = arrayOf(golden.inputs, imported.input.type === 'int64', dtype);
  const problem = { name, model: imported.model, loss: crossEntropy, train: { inputs, targets: arrayOf(golden.targets, true, dtype), size: inputs.shape[0] } };
  return { problem: problem as never, point: imported.model.init(key(0)) as never, golden, isSingle, imported };
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));

describe.each(names.filter((name) => !name.startsWith('lstm') || operatorNames().includes('LSTM')))('%s', (name) => {
  test('outputs and loss are those of PyTorch in float64', async () => {
    const { problem, point, golden, isSingle, imported } = problemOf(name);
    const { params, state } = point as { params: never; state: never };
    const run = compile((p: never, s: never, x: Tensor, y: Tensor) => {
      const { outputs } = imported.model.apply(p, x, { mode: 'eval', state: s });
      return { outputs, loss: mean(crossEntropy(outputs, y)) };
    }, { executor });
    const { outputs, loss } = await run(params, state, problem.train.inputs, problem.train.targets);
    // Weights and constants are float32 in the file, so that float64 agrees to their rounding where PyTorch keeps a constant in double.
    const tolerance = isSingle ? 2e-6 : 1e-7;
    expect(outputs.shape).toEqual(golden.outputs.shape);
    expect(worst(outputs.data, golden.outputs.data)).toBeLessThan(tolerance);
    expect(Math.abs(loss.item() - golden.loss)).toBeLessThan(tolerance);
    await run.dispose();
  });

  test('the parameters are those of the module, and the Hessian is PyTorch\'s', async () => {
    const { problem, point, golden, isSingle, imported } = problemOf(name);
    if (golden.parameters === undefined) return;
    const total = (shapes: readonly (readonly number[])[]): number => shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(imported.parameters.reduce((sum, { size }) => sum + size, 0)).toBe(total(Object.values(golden.parameters)));
    const operator = hessianOperator(problem, point, { executor });
    const unit = (i: number): Float64Array => { const v = new Float64Array(operator.size); v[i] = 1; return v; };
    const columns: Float64Array[] = [];
    for (let i = 0; i < operator.size; i += 64) columns.push(...await operator.multiply(Array.from({ length: Math.min(64, operator.size - i) }, (_, j) => unit(i + j))));
    const trace = columns.reduce((sum, column, i) => sum + column[i], 0);
    const { magnitude } = await topEigenpairs(operator, { magnitude: 5, tolerance: 1e-6, denseUpTo: 1 });
    const tolerance = isSingle ? 1e-4 : 1e-6;
    const scale = Math.abs(golden.eigenvalues![0]);
    expect(Math.abs(trace - golden.trace!) / Math.abs(golden.trace!)).toBeLessThan(tolerance);
    expect(worst(magnitude.map(({ value }) => value), golden.eigenvalues!) / scale).toBeLessThan(tolerance);
    await operator.dispose();
  }, 120_000);

  test('ONNX Runtime computes the same from the file itself', async () => {
    const { bytes, golden } = read(name);
    const imported = importOnnx(bytes, { name });
    // A final softmax is left off; the file itself has it.
    const whole = imported.loss === undefined ? imported : importOnnx(bytes, { name, output: imported.outputs.find(({ type }) => type === 'float')!.name });
    const inputs = arrayOf(golden.inputs, imported.input.type === 'int64', 'float32');
    const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
    const feed = inputs.dtype === 'int32' ? new ort.Tensor('int64', BigInt64Array.from(inputs.data, BigInt), [...inputs.shape]) : new ort.Tensor('float32', inputs.data as Float32Array, [...inputs.shape]);
    const expected = (await session.run({ [imported.input.name]: feed }, [whole.output]))[whole.output];
    const { params, state } = whole.model.init(key(0)) as { params: never; state: never };
    const run = compile((p: never, s: never, x: Tensor) => whole.model.apply(p, x, { mode: 'eval', state: s }).outputs, { executor });
    expect(worst((await run(params, state, inputs)).data, expected.data as Float32Array)).toBeLessThan(2e-6);
    await run.dispose();
    await session.release();
  });
});
