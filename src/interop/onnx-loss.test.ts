import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../core/ndarray.ts';
import type { Tensor } from '../core/tensor.ts';
import { ggn } from '../curvature/index.ts';
import { losses, type Loss } from '../losses/index.ts';
import { ModelBuilder } from '../onnx/model.ts';
import { mean } from '../ops/index.ts';
import type { Problem } from '../problem/index.ts';
import { nodeExecutor } from '../runtime/node.ts';
import { compile, valueAndGrad } from '../transforms/index.ts';
import { key } from '../util/random/index.ts';
import { importLoss, importOnnx, type ImportedModel, type OnnxImportOptions } from './index.ts';

const executor = nodeExecutor({ threads: 1 });
const ramp = (shape: number[], factor = 0.5): NDArray => array(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => factor * Math.sin(i + 1)), shape);
const x = ramp([6, 4], 1);
const labels = array([0, 2, 1, 1, 0, 2], [6], 'int32');
const like = ramp([6, 3], 0.7);

type Finish = (b: ModelBuilder, logits: string) => string;

/** x [batch, 4] and target to the loss that `finish` makes of logits [batch, 3]. */
function model(finish: Finish, target: 'int64' | 'float32' = 'int64', outputs: readonly string[] = []): Uint8Array {
  const b = new ModelBuilder();
  b.input('x', 'float32', ['batch', 4]);
  b.input('target', target, target === 'int64' ? ['batch'] : ['batch', 3]);
  const hidden = b.value('Tanh', [b.value('Gemm', ['x', b.initializer('a.weight', ramp([4, 5])), b.initializer('a.bias', ramp([5]))])]);
  const [logits] = b.node('Gemm', [hidden, b.initializer('b.weight', ramp([5, 3])), b.initializer('b.bias', ramp([3]))], {}, ['logits']);
  const loss = finish(b, logits);
  outputs.forEach((name) => b.output(name, 'float32', ['batch', 3]));
  b.output(loss, 'float32', [], 'loss');
  return b.finish();
}

/** Reduction and weights as ONNX's own operators have them. */
const own = (operator: string, reduction?: string, weights?: NDArray): Finish => (b, logits) =>
  b.value(operator, [operator.startsWith('Neg') ? b.value('LogSoftmax', [logits], { axis: 1 }) : logits, 'target', ...(weights ? [b.initializer('class', weights)] : [])], { ...(reduction !== undefined && { reduction: reduction }) });
const squares: Finish = (b, logits) => { const difference = b.value('Sub', [b.value('Expand', [logits, b.value('Shape', ['target'])]), 'target']); return b.value('ReduceMean', [b.value('Mul', [difference, difference])], { keepdims: 0 }); };

interface Measured { readonly loss: number; readonly gradient: number[]; readonly curvature: number[] }

/** Mean loss, gradient, and a product with the Gauss-Newton matrix. */
async function measured(imported: ImportedModel, loss: Loss, inputs: NDArray, targets: NDArray): Promise<Measured> {
  const { params, state } = imported.model.init(key(0)) as { params: Record<string, NDArray>; state: never };
  const objective = (p: Record<string, Tensor>, of: Tensor, to: Tensor): Tensor => mean(loss(imported.model.apply(p, of, { mode: 'eval', state: {} }).outputs as Tensor, to));
  const [value, gradient] = await compile(valueAndGrad(objective), { executor })(params as never, inputs as never, targets as never) as unknown as [NDArray, Record<string, NDArray>];
  const problem = { name: 'p', model: imported.model, loss, train: { inputs, targets, size: inputs.shape[0] } } as unknown as Problem<never, never>;
  const matrix = ggn(problem, { params, state } as never, { executor });
  const [curvature] = await matrix.multiply([Float64Array.from({ length: matrix.size }, (_, i) => Math.cos(i))]);
  return { loss: Number(value.data[0]), gradient: Object.values(gradient).flatMap(({ data }) => Array.from(data as Float32Array)), curvature: Array.from(curvature) };
}

async function onRuntime(bytes: Uint8Array, inputs: NDArray, targets: NDArray): Promise<number> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  const tensor = ({ data, shape, dtype }: NDArray): ort.Tensor => (dtype === 'int32' ? new ort.Tensor('int64', BigInt64Array.from(data as Int32Array, BigInt), [...shape]) : new ort.Tensor('float32', data as Float32Array, [...shape]));
  const results = await session.run({ [session.inputNames[0]]: tensor(inputs), [session.inputNames[1]]: tensor(targets) });
  return Number(results['loss'].data[0]);
}

function close(a: readonly number[], b: readonly number[]): void {
  expect(a.length).toBe(b.length);
  a.forEach((value, i) => { expect(Math.abs(value - b[i])).toBeLessThan(2e-6); });
}

const inside = (bytes: Uint8Array, options: OnnxImportOptions = {}): ImportedModel => importOnnx(bytes, { lossInside: {}, ...options });

describe('a loss inside the model', () => {
  // Logarithms of probabilities are no outputs: the loss is linear in them, and the Gauss-Newton matrix would be zero.
  test.each([
    ['cross-entropy', own('SoftmaxCrossEntropyLoss'), losses['cross-entropy'], labels],
    ['logarithms of probabilities', own('NegativeLogLikelihoodLoss'), losses['cross-entropy'], labels],
    ['squares, with the shape of the targets', squares, losses['mean-squared-error'], like],
  ] as const)('%s: value, gradient and curvature are those of the loss by name, the value that of ONNX Runtime', async (_, finish, named, targets) => {
    const bytes = model(finish, targets === labels ? 'int64' : 'float32');
    const imported = inside(bytes);
    expect([imported.output, imported.ownLoss!.name, imported.parameters.length]).toEqual(['logits', 'loss', 4]);
    const mine = await measured(imported, imported.ownLoss!.loss, x, targets);
    const theirs = await measured(imported, named, x, targets);
    expect(mine.loss).toBeCloseTo(await onRuntime(bytes, x, targets), 6);
    close([mine.loss, ...mine.gradient, ...mine.curvature], [theirs.loss, ...theirs.gradient, ...theirs.curvature]);
    expect(Math.max(...mine.curvature.map(Math.abs))).toBeGreaterThan(1e-3);
    expect(imported.notices).toEqual(["the model ends at 'logits', from which its own loss 'loss' is taken with the targets 'target'"]);
  });

  test('of tokens whose shape is read from the data, as language models join positions', async () => {
    const b = new ModelBuilder();
    b.input('tokens', 'int64', ['batch', 'sequence']);
    b.input('labels', 'int64', ['batch', 'sequence']);
    const logits = b.value('MatMul', [b.value('Gather', [b.initializer('table', ramp([5, 4], 1)), 'tokens']), b.initializer('head', ramp([4, 5]))]);
    const positions = b.value('ReduceProd', [b.value('Shape', ['tokens'])], { keepdims: 1 });
    const joined = b.value('Reshape', [logits, b.value('Concat', [positions, b.int64([5])], { axis: 0 })]);
    b.output(b.value('SoftmaxCrossEntropyLoss', [joined, b.value('Reshape', ['labels', positions])], { ignore_index: -100 }), 'float32', [], 'loss');
    const bytes = b.finish();
    const imported = inside(bytes, { input: 'tokens' });
    const tokens = array([0, 1, 2, 3, 4, 0], [2, 3], 'int32');
    const next = array([1, 2, 3, 4, 0, 1], [2, 3], 'int32');
    const mine = await measured(imported, imported.ownLoss!.loss, tokens, next);
    expect(mine.loss).toBeCloseTo(await onRuntime(bytes, tokens, next), 6);
    close(mine.curvature, (await measured(imported, losses['next-token'], tokens, next)).curvature);
  });

  const traced = (imported: ImportedModel): void => { compile((o: Tensor, t: Tensor) => imported.ownLoss!.loss(o, t)).graph(like, labels); };

  test('a sum over the batch is averaged, with a notice; other ways to join examples are refused', () => {
    const sum = inside(model(own('SoftmaxCrossEntropyLoss', 'sum')));
    traced(sum);
    expect(sum.notices.at(-1)).toBe("the loss 'loss' is a sum over the batch: measured is its mean over examples");
    expect(() => inside(model(own('SoftmaxCrossEntropyLoss', undefined, array([1, 2, 3]))))).toThrow(/SoftmaxCrossEntropyLoss.*mean weighted by class.*Try: export the loss with reduction='none'/s);
    const weighted = inside(model(own('SoftmaxCrossEntropyLoss', 'none', array([1, 2, 3]))));
    traced(weighted);
    expect(weighted.notices).toHaveLength(1);
    // Weights between a declared output and the loss are trained, unless the output is named.
    const shifted = model((b, logits) => own('SoftmaxCrossEntropyLoss')(b, b.value('Add', [logits, b.initializer('offset', ramp([3]))])), 'int64', ['logits']);
    expect(inside(shifted).parameters.map(({ name }) => name)).toContain('offset');
    expect(inside(shifted, { output: 'logits' }).notices.at(-1)).toBe("the loss takes 'offset': taken for constants, not trained");
    const largest = inside(model((b, logits) => b.value('ReduceMax', [own('SoftmaxCrossEntropyLoss', 'none')(b, logits)], { keepdims: 0 })));
    expect(() => { traced(largest); }).toThrow(/the loss 'loss' of a batch must be the mean or the sum of the losses of its examples/);
  });

  test('what does not come apart is refused with the values that cross', () => {
    const two = (b: ModelBuilder, logits: string): string => b.value('Add', [own('SoftmaxCrossEntropyLoss')(b, logits), b.value('ReduceSum', [b.value('Mul', ['x', 'x'])], { keepdims: 0 })]);
    expect(() => inside(model(two))).toThrow(/one value must cross from the model into the loss, got several: 'logits', 'v_\d+'/);
    const penalty = (b: ModelBuilder, logits: string): string => b.value('Add', [own('SoftmaxCrossEntropyLoss')(b, logits), b.value('ReduceSum', [b.value('Mul', ['b.weight', 'b.weight'])], { keepdims: 0 })]);
    expect(() => inside(model(penalty))).toThrow(/parameters through the outputs 'logits' alone, got it takes 'b\.weight' as well/);
    expect(() => inside(model(own('SoftmaxCrossEntropyLoss')), { output: 'loss' })).toThrow(/must pass through 'loss', got the values 'logits' cross/);
    expect(() => inside(model(own('SoftmaxCrossEntropyLoss')), { lossInside: { target: 'y' } })).toThrow(/option target .*got 'y'; it has 'x' float\[batch,4\], 'target' int64\[batch\]/);
    expect(() => inside(model((b, logits) => b.value('ReduceMean', [logits], { keepdims: 0 })))).toThrow(/must depend on the targets 'target'/);
  });
});

describe('a loss in a file of its own', () => {
  const head = (finish: (b: ModelBuilder) => string, target: readonly (number | string)[] = ['n', 1]): Uint8Array => {
    const b = new ModelBuilder();
    b.input('scores', 'float32', ['n', 1]);
    b.input('truth', 'float32', target);
    b.output(finish(b), 'float32');
    return b.finish();
  };
  const scaled = (b: ModelBuilder): string => b.value('ReduceMean', [b.value('Abs', [b.value('Mul', [b.value('Sub', ['scores', 'truth']), b.initializer('scale', array([2], [1, 1]))])])], { keepdims: 0 });

  test('gives one number an example; targets get the axis that is declared', async () => {
    const b = head((builder) => builder.value('ReduceSum', [builder.value('Abs', [builder.value('Sub', ['scores', 'truth'])]), builder.int64([1])], { keepdims: 0 }));
    const { loss, target, outputs } = importLoss(b);
    expect([target.name, outputs]).toEqual(['truth', 'scores']);
    const run = compile((o: Tensor, t: Tensor) => loss(o, t), { executor });
    expect(Array.from((await run(array([1, 2, 4], [3, 1]), array([0, 2, 7], [3])) as unknown as NDArray).data)).toEqual([1, 0, 3]);
    await expect(run(array([1, 2], [2, 1]), array([0, 2, 1, 1], [2, 2]))).rejects.toThrow(/fit input 'truth' float\[n,1\], got an array \[1,2\]/);
  });

  test('is refused with other inputs, and where the batch is fixed', () => {
    const three = new ModelBuilder();
    for (const name of ['a', 'b', 'c']) three.input(name, 'float32', ['n']);
    three.output(three.value('Sum', ['a', 'b', 'c']), 'float32');
    expect(() => importLoss(three.finish())).toThrow(/must have two inputs, outputs and targets, got 'a' float\[n\]/);
    expect(importLoss(three.finish(), { values: { c: 0 } }).target.name).toBe('b');
    const fixed = importLoss(head(scaled, [8, 1]));
    expect(() => compile((o: Tensor, t: Tensor) => fixed.loss(o, t)).graph(ramp([4, 1]), ramp([4, 1]))).toThrow(/the batch of 'truth' must be open, or of one example/);
  });
});
