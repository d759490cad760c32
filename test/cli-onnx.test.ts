/** A model from a file as the command meets it: inspect, survey against PyTorch's own Hessian, checkpoints under other names, training by its own loss, files that are none. */
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { array, type NDArray } from '../src/core/ndarray.ts';
import { encodeNpz, encodeSafetensors } from '../src/interop/index.ts';
import { importOnnx } from '../src/interop/index.ts';
import { ModelBuilder } from '../src/onnx/model.ts';
import type { RunRecord, RunSettings, SurveyRecord } from '../src/survey/index.ts';
import { key } from '../src/util/random/index.ts';
import { installedCommand } from './command.ts';
import { root } from './tree-files.ts';

// Each test starts processes, which on a busy machine may wait for their turn.
const patience = { timeout: 120_000 };
const thalweg = installedCommand('cli-onnx');
const golden = (file: string): string => path.join(root, 'test', 'golden', 'onnx', file);
interface Values { readonly shape: readonly number[]; readonly data: readonly number[] }
const expected = JSON.parse(readFileSync(golden('cnn-tracer.json'), 'utf8')) as { inputs: Values; targets: Values; loss: number; eigenvalues: readonly number[] };
let model = '';
let data = '';

beforeAll(() => {
  model = thalweg.at('cnn.onnx');
  data = thalweg.at('train.npz');
  copyFileSync(golden('cnn-tracer.onnx'), model);
  writeFileSync(data, encodeNpz({ images: array(expected.inputs.data, expected.inputs.shape), labels: array(expected.targets.data, expected.targets.shape, 'int32') }));
});

test('inspect tells parameters, statistics and layers before anything runs', patience, async () => {
  const { code, stdout, stderr } = await thalweg.run(['inspect', model]);
  expect([code, stderr]).toEqual([0, '']);
  for (const part of ['written by pytorch', '10 parameters, 357 elements', /conv1\.weight +\[4, 1, 3, 3\] +36 +10\.1 %/, 'running statistics, kept as state: norm1.running_mean', 'every operator on the way from parameters to output has its derivative']) expect(stdout).toMatch(part);
  const { stdout: json } = await thalweg.run(['inspect', model, '--params=-norm*', '--json']);
  const told = JSON.parse(json) as { parameters: { name: string }[]; frozen: { name: string; reason: string }[] };
  expect([told.parameters.map(({ name }) => name), told.frozen.map(({ name }) => name)]).toEqual([['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias', 'head.weight', 'head.bias'], ['norm1.weight', 'norm1.bias', 'norm2.weight', 'norm2.bias']]);
});

test("a survey of the file's own weights finds PyTorch's loss and eigenvalues", patience, async () => {
  const { code, stdout } = await thalweg.run(['survey', model, '--data', data, '--preset', 'economy', '--only', 'quality,eigenvalues', '--top', '2', '--json', '--out', thalweg.at('out')]);
  expect(code).toBe(0);
  const record = JSON.parse(stdout) as SurveyRecord;
  expect([record.problem.parameters, record.problem.batchNorm, record.problem.samples, record.training]).toEqual([357, 'eval', 16, undefined]);
  expect(record.quality!.trainLoss.value).toBeCloseTo(expected.loss, 5);
  const { largest } = record.eigenvalues!;
  expect(largest).toHaveLength(2);
  largest.forEach(({ value }, i) => { expect(Math.abs(value / expected.eigenvalues[i] - 1)).toBeLessThan(1e-4); });
});

test('checkpoints under the names of a wrapped module are mapped, surveyed and compared', patience, async () => {
  const { params, state } = importOnnx(readFileSync(model)).model.init(key(0)) as unknown as { params: Record<string, NDArray>; state: Record<string, NDArray> };
  const checkpoint = (name: string, prefix: string, factor: number): string => {
    const arrays = Object.fromEntries(Object.entries({ ...params, ...state }).map(([own, value]) => [prefix + own, own === 'head.weight' ? array(Array.from(value.data, (x) => factor * x), value.shape) : value]));
    writeFileSync(thalweg.at(name), encodeSafetensors(arrays));
    return thalweg.at(name);
  };
  const { code, stdout, stderr } = await thalweg.run(['spectrum', model, '--data', data, '--preset', 'economy', '--weights', checkpoint('a.safetensors', '', 1), checkpoint('b.safetensors', 'module.', 2), '--out', thalweg.at('two')]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/a\.safetensors: 14 of 14 arrays by name/);
  expect(stderr).toMatch(/head\.weight +module\.head\.weight +by suffix/);
  expect(stdout).toMatch(/comparison\.html/);
});

test('a model that contains its loss is trained from its weights, goes on, and refuses a changed file', patience, async () => {
  const b = new ModelBuilder();
  b.input('x', 'float32', ['batch', 4]);
  b.input('scale', 'float32', ['width']);
  b.input('label', 'int64', ['batch']);
  const weights = array([0.5, 0, -0.5, 0.2, 0.1, 0, 0.3, -0.2, 0.4, 0, 0.1, -0.1], [4, 3]);
  b.output(b.value('SoftmaxCrossEntropyLoss', [...b.node('MatMul', [b.value('Mul', ['x', 'scale']), b.initializer('w', weights)], {}, ['scores']), 'label']), 'float32', [], 'loss');
  const [file, head, out] = [thalweg.at('inside.onnx'), thalweg.at('head.onnx'), thalweg.at('trained')];
  writeFileSync(file, b.finish());
  const told = ['--values', 'scale=0.5', '--dimensions', 'width=4'];
  const first = await thalweg.run(['train', file, '--data', 'iris', '--loss', 'inside', ...told, '--batch', 'full', '--steps', '4', '--lr', '0.1', '--out', out]);
  expect(first.code).toBe(0);
  expect(first.stdout).toContain(`from the weights of ${file}`);
  const { code } = await thalweg.run(['train', '--resume', out, '--steps', '6']);
  expect(code).toBe(0);
  const record = JSON.parse(readFileSync(path.join(out, 'run.json'), 'utf8')) as RunRecord;
  expect([record.problem.loss, record.problem.parameters, record.provenance['initial parameters'], record.provenance['resumed after steps']]).toEqual(['loss inside inside.onnx', 12, 'the weights of the file', '4']);
  const { settings } = JSON.parse(readFileSync(path.join(out, 'settings.json'), 'utf8')) as { settings: RunSettings };
  expect(settings).toMatchObject({ model: file, loss: 'inside', values: { scale: 0.5 }, dimensions: { width: 4 }, sha256: createHash('sha256').update(readFileSync(file)).digest('hex') });
  // The same loss as a file of its own, of the outputs before it.
  const own = new ModelBuilder();
  own.input('scores', 'float32', ['batch', 3]);
  own.input('label', 'int64', ['batch']);
  own.output(own.value('SoftmaxCrossEntropyLoss', ['scores', 'label']), 'float32', [], 'loss');
  writeFileSync(head, own.finish());
  const survey = await thalweg.run(['survey', file, '--data', 'iris', '--input', 'x', '--output', 'scores', '--values', 'scale=0.5,label=0', '--dimensions', 'width=4', '--loss', head, '--only', 'quality', '--preset', 'economy', '--json', '--out', thalweg.at('head')]);
  const { quality } = JSON.parse(survey.stdout) as SurveyRecord;
  expect(record.columns.find(({ name }) => name === 'loss')!.values[0]).toBeCloseTo(quality!.trainLoss.value, 5);
  const exported = await thalweg.run(['export', out, '--onnx', thalweg.at('out.onnx')]);
  expect([exported.code, exported.stdout]).toEqual([0, expect.stringMatching(/output +scores +float32\[batch, 3\]/)]);
  writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from([0x32, 0])]));
  for (const args of [['train', '--resume', out, '--steps', '8'], ['export', out, '--onnx', thalweg.at('out.onnx')]]) {
    const changed = await thalweg.run(args);
    expect(changed.code).toBe(2);
    expect(changed.stderr).toMatch(/must be the file that the run was begun with, of SHA-256/);
  }
});

test('what is no model or does not fit is one line', patience, async () => {
  const line = async (args: readonly string[]): Promise<string> => {
    const { code, stderr } = await thalweg.run(args);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    return stderr;
  };
  writeFileSync(thalweg.at('empty.onnx'), '');
  writeFileSync(thalweg.at('cut.onnx'), readFileSync(model).subarray(0, 700));
  expect(await line(['inspect', thalweg.at('empty.onnx')])).toContain('got 0 bytes');
  expect(await line(['inspect', thalweg.at('cut.onnx')])).toContain('cut.onnx');
  expect(await line(['inspect', thalweg.at('model.pt')])).toContain('the file must end with .onnx or .safetensors');
  expect(await line(['survey', '--model', 'mlp', '--values', 'mask=1'])).toContain('--values belongs to a model from a file');
  expect(await line(['spectrum', model, '--data', 'iris', '--out', thalweg.at('refused')])).toContain('an example must have the shape [1,8,8] that the model declares, got [4] of the data');
});
