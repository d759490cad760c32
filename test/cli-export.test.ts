/** Models out again by the command: a run's folder, a checkpoint, a model from a file; and back in. */
import { readFileSync, writeFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { importOnnx, parseSafetensors } from '../src/interop/index.ts';
import { mlp } from '../src/nn/index.ts';
import { compile, type NDArray } from '../src/index.ts';
import { array } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import type { SurveyRecord } from '../src/survey/index.ts';
import { installedCommand } from './command.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const thalweg = installedCommand('cli-export');

test('a run goes out as ONNX and as a state_dict, and both come in again', patience, async () => {
  const folder = thalweg.at('run');
  expect((await thalweg.run(['train', '--model', 'mlp:4-4-3', '--data', 'iris', '--steps', '20', '--out', folder])).code).toBe(0);
  const [onnx, weights] = [thalweg.at('model.onnx'), thalweg.at('weights.safetensors')];
  const { code, stdout, stderr } = await thalweg.run(['export', folder, '--onnx', onnx, '--safetensors', weights]);
  expect([code, stderr]).toEqual([0, '']);
  for (const part of [/operator set 21/, /input +input {2}float32\[batch, 4\]/, /output +output {2}float32\[batch, 3\]/, /parameters +35; 4 arrays/, /bytes +[\d,]+/, /weights\.safetensors: 4 arrays, 35 elements/]) expect(stdout).toMatch(part);

  // The checkpoint has [inputs, outputs], the state_dict and the model [outputs, inputs]: the first matrix is square.
  const own = parseSafetensors(readFileSync(`${folder}/model.safetensors`)).read('layers.0.weight').data;
  const theirs = parseSafetensors(readFileSync(weights));
  expect([theirs.metadata['format'], [...theirs.read('layers.0.weight').data]]).toEqual(['pt', Array.from(own, (_, i) => own[(i % 4) * 4 + Math.floor(i / 4)])]);
  const x = array([[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]);
  const session = await ort.InferenceSession.create(readFileSync(onnx));
  const { output } = await session.run({ input: new ort.Tensor('float32', x.data as Float32Array, x.shape) });
  const read = parseSafetensors(readFileSync(`${folder}/model.safetensors`));
  const model = mlp({ sizes: [4, 4, 3] });
  const run = compile((params: never, data: Tensor) => model.apply(params, data, { mode: 'eval', state: {} }).outputs, { executor: nodeExecutor({ threads: 1 }) });
  const expected = await run({ layers: [0, 1].map((i) => ({ weight: read.read(`layers.${i}.weight`), bias: read.read(`layers.${i}.bias`) })) } as never, x) as NDArray;
  expected.data.forEach((y, i) => { expect((output.data as Float32Array)[i]).toBeCloseTo(y, 5); });

  // Both checkpoints are of one model: a survey finds the same loss.
  const { stdout: json } = await thalweg.run(['survey', '--model', 'mlp:4-4-3', '--data', 'iris', '--weights', weights, `${folder}/model.safetensors`, '--only', 'quality', '--json', '--out', thalweg.at('survey')]);
  const losses = (JSON.parse(json) as { surveys: SurveyRecord[] }).surveys.map(({ quality }) => quality!.trainLoss.value);
  expect(losses).toHaveLength(2);
  expect(losses[0]).toBe(losses[1]);

  // Into the model from the file, for one batch size.
  const fixed = thalweg.at('fixed.onnx');
  const again = await thalweg.run(['export', onnx, '--weights', weights, '--onnx', fixed, '--batch', '2']);
  expect([again.code, again.stdout]).toEqual([0, expect.stringMatching(/float32\[2, 4\]/)]);
  expect(again.stderr).toMatch(/4 of 4 arrays by name/);
  expect(importOnnx(readFileSync(fixed)).parameters.map(({ name }) => name)).toEqual(['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']);
});

test('what cannot be exported is one line', patience, async () => {
  const weights = thalweg.at('other.safetensors');
  writeFileSync(weights, 'no weights');
  const line = async (args: string[]): Promise<string> => {
    const { code, stderr } = await thalweg.run(['export', ...args]);
    expect([code, stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
    return stderr;
  };
  expect(await line([weights, '--onnx', thalweg.at('x.onnx')])).toContain('--model and --data must say what');
  expect(await line([thalweg.at(), '--onnx', thalweg.at('x.onnx')])).toContain('must be the folder of a run of thalweg train');
});
