/** What each operation says about its axes: which positions of its arguments and results are the same unit. @module */
import { Graph } from '../../core/graph.ts';
import type { Node, Tensor } from '../../core/tensor.ts';
import { copyOf, fixAxis, fixedAxis, freshAxis, resolve, unifyAxes, Unit, type AxisLabels, type Label } from './axis-labels.ts';

/** Labels of each axis of a tensor. */
export type TensorLabels = readonly AxisLabels[];
type Rule = (node: Node, inputs: readonly TensorLabels[]) => readonly TensorLabels[];
type Pair = readonly [readonly number[], readonly number[]];

const ELEMENTWISE = new Set([
  'neg', 'abs', 'sign', 'exp', 'log', 'log1p', 'expm1', 'sqrt', 'rsqrt', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'logistic',
  'erf', 'floor', 'ceil', 'round', 'not', 'stop_gradient', 'alias', 'add', 'sub', 'mul', 'div', 'pow', 'max', 'min', 'atan2', 'mod',
  'equal', 'not_equal', 'less', 'less_equal', 'greater', 'greater_equal', 'and', 'or', 'select', 'convert',
]);

const freshTensor = ({ shape }: Tensor): TensorLabels => shape.map(freshAxis);
const fixedTensor = ({ shape }: Tensor): TensorLabels => shape.map(fixedAxis);

/** Nothing is known: nothing moves. */
const refuse: Rule = ({ outputs }, inputs) => {
  inputs.forEach((labels) => labels.forEach(fixAxis));
  return outputs.map(fixedTensor);
};

const elementwise: Rule = ({ outputs: [output] }, inputs) => {
  const [first, ...rest] = inputs.filter((labels) => labels.length === output.rank);
  for (const other of rest) first.forEach((axis, i) => unifyAxes(axis, other[i]));
  return [first];
};

const without = (labels: TensorLabels, axes: readonly number[]): TensorLabels => labels.filter((_, axis) => !axes.includes(axis));

const reduce: Rule = ({ params }, [x]) => [without(x, (params as { axes: readonly number[] }).axes)];

/** Positions along the axis have an order that the operation sees. */
const ordered = (axisOf: (node: Node) => number, keeps: boolean): Rule => (node, [x]) => {
  const axis = axisOf(node);
  fixAxis(x[axis]);
  return node.outputs.map((output) => (keeps ? x.map((labels, i) => (labels.length === output.shape[i] ? labels : fixedAxis(output.shape[i]))) : without(x, [axis])));
};

const broadcast: Rule = ({ params, outputs: [output] }, [x]) => {
  const { axes } = params as { axes: readonly number[] };
  return [output.shape.map((extent, axis) => (axes.includes(axis) ? x[axes.indexOf(axis)] : freshAxis(extent)))];
};

const dot: Rule = ({ params }, [x, y]) => {
  const { batch, contract } = params as { batch: Pair; contract: Pair };
  for (const pairs of [batch, contract]) pairs[0].forEach((axis, i) => unifyAxes(x[axis], y[pairs[1][i]]));
  return [[...batch[0].map((axis) => x[axis]), ...without(x, [...batch[0], ...contract[0]]), ...without(y, [...batch[1], ...contract[1]])]];
};

const conv: Rule = ({ params, inputs: [x, kernel], outputs: [output] }, [data, weight]) => {
  const { groups } = params as { groups: number };
  [...data.slice(2), ...weight.slice(2)].forEach(fixAxis);
  // With a kernel for each channel the channels stay apart; other groups would only move as blocks.
  const depthwise = groups > 1 && groups === x.shape[1] && kernel.shape[0] === groups;
  if (groups === 1) unifyAxes(data[1], weight[1]);
  else if (depthwise) unifyAxes(data[1], weight[0]);
  else [data[1], weight[0], weight[1]].forEach(fixAxis);
  return [[data[0], weight[0], ...output.shape.slice(2).map(fixedAxis)]];
};

const maxPool: Rule = ({ outputs }, [x]) => {
  x.slice(2).forEach(fixAxis);
  return outputs.map(({ shape }) => [x[0], x[1], ...shape.slice(2).map(fixedAxis)]);
};

const transpose: Rule = ({ params }, [x]) => [(params as { permutation: readonly number[] }).permutation.map((axis) => x[axis])];

const reverse: Rule = ({ params }, [x]) => {
  const { axes } = params as { axes: readonly number[] };
  return [x.map((axis, i) => (axes.includes(i) ? [...axis].reverse() : axis))];
};

const concat: Rule = ({ params }, inputs) => {
  const { axis } = params as { axis: number };
  const [first, ...rest] = inputs;
  for (const other of rest) first.forEach((labels, i) => { if (i !== axis) unifyAxes(labels, other[i]); });
  return [first.map((labels, i) => (i === axis ? inputs.flatMap((input) => input[i]) : labels))];
};

const slice: Rule = ({ params, outputs: [{ shape }] }, [x]) => {
  const { start, step } = params as { start: readonly number[]; step: readonly number[] };
  return [shape.map((extent, axis) => Array.from({ length: extent }, (_, i) => x[axis][start[axis] + i * step[axis]]))];
};

/** Padded positions are units of their own: exchangeable with each other, not with those that were there before. */
const pad: Rule = ({ params, outputs: [{ shape }] }, [x]) => {
  const { low, interior } = params as { low: readonly number[]; interior: readonly number[] };
  return [shape.map((extent, axis) => {
    const labels: Label[] = [...freshAxis(extent)];
    x[axis].forEach((label, i) => {
      const at = low[axis] + i * (interior[axis] + 1);
      if (at >= 0 && at < extent) labels[at] = label;
    });
    return labels;
  })];
};

/** Operand [batch, indexed, rest], indices [batch, points, k]: result [batch, points, rest]. */
const gather: Rule = ({ params, inputs: [, indices] }, [operand, index]) => {
  const { batchAxes } = params as { batchAxes: number };
  const k = indices.shape[indices.rank - 1];
  for (let axis = 0; axis < batchAxes; axis++) unifyAxes(operand[axis], index[axis]);
  operand.slice(batchAxes, batchAxes + k).forEach(fixAxis);
  fixAxis(index[index.length - 1]);
  return [[...operand.slice(0, batchAxes), ...index.slice(batchAxes, -1), ...operand.slice(batchAxes + k)]];
};

/** Extents of both shapes cut into the finest runs of equal products. */
function reshapeBlocks(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] {
  const blocks: { from: number[]; to: number[] }[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length || j < to.length) {
    const block = { from: [] as number[], to: [] as number[] };
    let [left, right] = [1, 1];
    do {
      if (i < from.length && (left <= right || j === to.length)) {
        left *= from[i];
        block.from.push(i++);
      } else {
        right *= to[j];
        block.to.push(j++);
      }
    } while (left !== right);
    blocks.push(block);
  }
  return blocks;
}

/** Axes of several: only one of them may have units, and the merged positions are its copies. */
function merged(axes: readonly AxisLabels[]): AxisLabels {
  const movable = axes.filter((axis) => axis.some((label) => resolve(label) !== 'fixed'));
  if (movable.length > 1) movable.forEach(fixAxis);
  let labels: { moving: Label; copy: number }[] = [{ moving: 'fixed', copy: 0 }];
  for (const axis of axes) {
    const moves = movable.length === 1 && axis === movable[0];
    labels = labels.flatMap(({ moving, copy }) => axis.map((label, i) => (moves ? { moving: label, copy } : { moving, copy: copy * axis.length + i })));
  }
  return labels.map(({ moving, copy }) => copyOf(moving, copy));
}

/** The inverse of `merged`: the one axis of `extents` whose positions name the units; null when there is none. */
function unmerged(labels: AxisLabels, extents: readonly number[]): TensorLabels | null {
  for (let axis = 0; axis < extents.length; axis++) {
    const inner = extents.slice(axis + 1).reduce((a, b) => a * b, 1);
    const units: (Unit | undefined)[] = new Array<undefined>(extents[axis]).fill(undefined);
    const fits = labels.every((label, position) => {
      const resolved = resolve(label);
      if (resolved === 'fixed' || resolved instanceof Unit) return false;
      const at = Math.floor(position / inner) % extents[axis];
      units[at] ??= resolved.unit;
      return units[at] === resolved.unit && resolved.copy === String(Math.floor(position / (inner * extents[axis])) * inner + (position % inner));
    });
    if (fits) return extents.map((extent, i) => (i === axis ? (units as Unit[]) : fixedAxis(extent)));
  }
  return null;
}

const reshape: Rule = ({ inputs: [x], outputs: [y] }, [labels]) => {
  const out: AxisLabels[] = y.shape.map(() => []);
  const long = (shape: readonly number[], axes: readonly number[]): number[] => axes.filter((axis) => shape[axis] !== 1);
  for (const block of reshapeBlocks(x.shape, y.shape)) {
    const from = long(x.shape, block.from);
    const to = long(y.shape, block.to);
    for (const axis of block.to) if (y.shape[axis] === 1) out[axis] = freshAxis(1);
    if (from.length === 1 && to.length === 1) out[to[0]] = labels[from[0]];
    else if (to.length === 1) out[to[0]] = merged(from.map((axis) => labels[axis]));
    else {
      const split = from.length === 1 ? unmerged(labels[from[0]], to.map((axis) => y.shape[axis])) : null;
      if (split === null) from.forEach((axis) => fixAxis(labels[axis]));
      to.forEach((axis, i) => { out[axis] = split?.[i] ?? fixedAxis(y.shape[axis]); });
    }
  }
  return [out];
};

const constant: Rule = ({ params, outputs: [output] }) => {
  const { data } = (params as { value: { data: ArrayLike<number> } }).value;
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return [fixedTensor(output)];
  return [freshTensor(output)];
};

const iota: Rule = ({ params, outputs: [{ shape }] }) => {
  const { axis } = params as { axis: number };
  return [shape.map((extent, i) => (i === axis ? fixedAxis(extent) : freshAxis(extent)))];
};

const lastAxis = ({ inputs: [x] }: Node): number => x.rank - 1;
const namedAxis = ({ params }: Node): number => (params as { axis: number }).axis;

const RULES: Readonly<Record<string, Rule>> = {
  reduce_sum: reduce, reduce_max: reduce, reduce_min: reduce, argmax: ordered(namedAxis, false), cumulative_sum: ordered(namedAxis, true), top_k: ordered(lastAxis, true),
  broadcast, dot, conv, max_pool: maxPool, transpose, reverse, concat, slice, pad, gather, reshape, constant, iota,
};

/** The labels of a graph's tensors; a body that is called twice has labels for each call, which `all` holds too. */
export interface Labelling {
  readonly of: Map<Tensor, TensorLabels>;
  readonly all: TensorLabels[];
}

/** Labels every tensor of a graph whose inputs are labelled; bodies of called functions are entered. */
export function labelGraph(graph: Graph, labelling: Labelling): void {
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => labelling.of.get(input) ?? freshTensor(input));
    const outputs = outputLabels(node, inputs, labelling);
    node.outputs.forEach((output, i) => labelling.of.set(output, outputs[i]));
    labelling.all.push(...outputs);
  }
}

function outputLabels(node: Node, inputs: readonly TensorLabels[], { all }: Labelling): readonly TensorLabels[] {
  const { name } = node.primitive;
  if (ELEMENTWISE.has(name)) return elementwise(node, inputs);
  const { body } = (node.params ?? {}) as { body?: unknown };
  const isCall = name === 'checkpoint' || name === 'custom_jvp' || name === 'custom_vjp';
  if (!isCall || !(body instanceof Graph)) return (RULES[name] ?? refuse)(node, inputs);
  const own = new Map(body.inputs.map((input, i) => [input, inputs[i]]));
  labelGraph(body, { of: own, all });
  return body.outputs.map((output) => own.get(output) ?? fixedTensor(output));
}

/** Labels of a tensor none of whose positions may move; of one of which nothing is known yet. */
export { fixedTensor, freshTensor };
