/** The functions that every backend must compute alike, with their data; run in Node and, bundled, in a page. */
import { array, compile, grad, hvp, NDArray, scan, vmap, type Executor, type Tensor } from 'thalweg';
import { add, averagePool, conv, logSoftmax, matmul, mean, mul, neg, relu, reshape, square, sub, sum, tanh, zeros } from 'thalweg/ops';
import { key, normal, split } from 'thalweg/random';

interface Layer<T> { w: T; b: T }

/** The results of a program, leaf by leaf: plain numbers, which pass from a page to Node. */
export type Results = Record<string, number[][]>;

/** Normal numbers, named: the same in every process. */
const draw = (name: string, shape: number[], scale = 1): NDArray => {
  const data = normal(split(key(7), name), shape);
  return new NDArray(data.map((value) => value * scale), shape, 'float32');
};

const layers = (name: string, widths: readonly number[]): Layer<NDArray>[] => widths.slice(1).map((width, i) => ({
  w: draw(`${name}.${i}.w`, [widths[i], width], widths[i] ** -0.5), b: draw(`${name}.${i}.b`, [width], 0.1),
}));

/** One row for each label, with a one at the label. */
function oneHotRows(labels: readonly number[], classes: number): NDArray {
  return array(labels.flatMap((label) => Array.from({ length: classes }, (_, c) => Number(c === label))), [labels.length, classes]);
}

/** Cross-entropy of a tanh network, averaged over the rows. */
function mlpLoss(params: Layer<Tensor>[], x: Tensor, y: Tensor): Tensor {
  let h = x;
  params.forEach(({ w, b }, i) => {
    h = add(matmul(h, w), b);
    if (i < params.length - 1) h = tanh(h);
  });
  return neg(mean(sum(mul(y, logSoftmax(h)), 1)));
}

const mlpProduct = (params: Layer<Tensor>[], x: Tensor, y: Tensor, v: Layer<Tensor>[]) => hvp(mlpLoss)(params, v, x, y);

interface Filters<T> { first: T; second: T; head: T }

/** Two strided convolutions, one with padding, then pooling and a linear head. */
function convolutionalLoss({ first, second, head }: Filters<Tensor>, x: Tensor, y: Tensor): Tensor {
  const h = relu(conv(x, first, { padding: 'same' }));
  const g = averagePool(tanh(conv(h, second, { strides: 2 })), 2);
  const logits = matmul(reshape(g, [x.shape[0], head.shape[0]]), head);
  return neg(mean(sum(mul(y, logSoftmax(logits)), 1)));
}

/** A recurrent network over the rows of `xs`; the gradient runs back through time. */
function recurrentLoss(params: { recurrent: Tensor; input: Tensor }, xs: Tensor): Tensor {
  const step = (h: Tensor, x: Tensor): [Tensor, Tensor] => {
    const next = tanh(add(matmul(h, params.recurrent), matmul(x, params.input)));
    return [next, sum(square(next))];
  };
  const [last, energies] = scan(step, zeros([params.recurrent.shape[0]]), xs);
  return add(sum(square(sub(last, 0.5))), mean(energies));
}

/** The programs by name, not yet compiled. */
function programs(executor: Executor): Record<string, () => Promise<unknown>> {
  const params = layers('mlp', [12, 16, 8, 4]);
  const direction = layers('direction', [12, 16, 8, 4]);
  const x = draw('x', [10, 12]);
  const y = oneHotRows([0, 1, 2, 3, 0, 1, 2, 3, 0, 1], 4);
  const filters = { first: draw('first', [4, 2, 3, 3], 0.3), second: draw('second', [6, 4, 3, 3], 0.2), head: draw('head', [24, 4], 0.2) };
  const recurrent = { recurrent: draw('recurrent', [6, 6], 0.4), input: draw('input', [3, 6], 0.5) };
  const perExample = (p: Layer<Tensor>[], xs: Tensor, ys: Tensor) =>
    vmap((row: Tensor, label: Tensor) => grad(mlpLoss)(p, reshape(row, [1, 12]), reshape(label, [1, 4])))(xs, ys);
  return {
    'loss of a multilayer perceptron': () => compile(mlpLoss, { executor })(params, x, y),
    'gradient of a multilayer perceptron': () => compile(grad(mlpLoss), { executor })(params, x, y),
    'Hessian-vector product, whole': () => compile(mlpProduct, { executor })(params, x, y, direction),
    'Hessian-vector product, bound': async () => (await compile(mlpProduct, { executor, bind: 3 })(params, x, y))(direction),
    'Hessian-vector product, bound and embedded': async () => (await compile(mlpProduct, { executor, bind: 3, embed: true })(params, x, y))(direction),
    'gradient of a convolutional network': () => compile(grad(convolutionalLoss), { executor })(filters, draw('images', [10, 2, 10, 10]), y),
    'gradient through a scan': () => compile(grad(recurrentLoss), { executor })(recurrent, draw('sequence', [9, 3])),
    'gradients of single examples by vmap': () => compile(perExample, { executor })(params, x, y),
  };
}

/** Runs the programs on the backend, or those named by `only`. */
export async function runPrograms(executor: Executor, only?: readonly string[]): Promise<Results> {
  const results: Results = {};
  for (const [name, run] of Object.entries(programs(executor))) {
    if (only === undefined || only.includes(name)) results[name] = numbersOf(await run());
  }
  return results;
}

/** Leaves of a tree of host arrays as lists of numbers. */
const numbersOf = (tree: unknown): number[][] =>
  tree instanceof NDArray ? [[...tree.data]] : Object.values(tree as Record<string, unknown>).flatMap(numbersOf);
