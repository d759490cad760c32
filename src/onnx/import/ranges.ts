/** Where integers that the format computes in 64 bits might not fit the 32 of the engine: bounds by interval arithmetic. @module */
import { sizeOf } from '../../core/ndarray.ts';
import { INTEGER_RANGE, isFloatType, type OnnxType } from './element-types.ts';
import type { Value } from './value.ts';

/** Smallest and largest value. */
type Range = readonly [number, number];

/** What 32 bits hold, but for the one number without opposite, at which every negation would be suspected. */
const FULL: Range = [-2147483647, 2147483647];
const ANY: Range = [-Infinity, Infinity];

/** Types of which the engine's 32 bits hold only a part. */
const isWide = (type: OnnxType): boolean => type === 'int64' || type === 'uint64' || type === 'uint32';

/** Bounds of values, as found while they were traced. */
const found = new WeakMap<Value, Range>();

function rangeOf(value: Value | undefined): Range {
  if (value === undefined) return [0, 0];
  const own = found.get(value) ?? boundsOf(value);
  found.set(value, own);
  return own;
}

function boundsOf(value: Value): Range {
  const { known, type } = value;
  if (isFloatType(type)) return ANY;
  if (known !== undefined) {
    let [low, high] = [Infinity, -Infinity];
    for (const x of known) { low = Math.min(low, x); high = Math.max(high, x); }
    return known.length === 0 ? [0, 0] : [low, high];
  }
  if (type === 'bool') return [0, 1];
  // Data of these types were found to fit 32 bits when they were read.
  return isWide(type) ? (type === 'int64' ? FULL : [0, FULL[1]]) : INTEGER_RANGE[type]!;
}

interface Bounded {
  readonly inputs: readonly (Value | undefined)[];
  readonly output: Value;
  /** Bounds of an input; of an absent one zero. */
  at(place: number): Range;
}
type Rule = (node: Bounded) => Range;

const union = (ranges: readonly Range[]): Range => [Math.min(...ranges.map(([low]) => low)), Math.max(...ranges.map(([, high]) => high))];
const hull = (...corners: readonly number[]): Range => { const sure = corners.map((x) => (Number.isNaN(x) ? 0 : x)); return [Math.min(...sure), Math.max(...sure)]; };
const sum = ([a, b]: Range, [c, d]: Range): Range => [a + c, b + d];
const product = ([a, b]: Range, [c, d]: Range): Range => hull(a * c, a * d, b * c, b * d);
const largest = ([low, high]: Range): number => Math.max(Math.abs(low), Math.abs(high));
const upTo = (size: number): Range => [-size, size];

/** Elements of the first input that each element of the output is made of. */
const shareOf = ({ inputs, output }: Bounded): number => Math.max(1, Math.round((inputs[0]?.size ?? 0) / Math.max(1, output.size)));
const repeated = ([low, high]: Range, count: number): Range => hull(low, high, low * count, high * count);

const first: Rule = ({ at }) => at(0);
const places = (...list: readonly number[]): Rule => ({ at }) => union(list.map(at));
const all: Rule = ({ inputs, at }) => union(inputs.map((_, place) => at(place)));
const withZero: Rule = ({ inputs, at }) => union([at(0), [0, 0], ...(inputs[2] === undefined ? [] : [at(2)])]);
const position: Rule = ({ inputs }) => [0, Math.max(0, ...(inputs[0]?.shape ?? []))];
const longest = ({ inputs }: Bounded): number => Math.max(1, ...(inputs[0]?.shape ?? []));

const rules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(['Identity', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Slice', 'Expand', 'Tile', 'Gather', 'GatherElements', 'GatherND', 'Split', 'TopK', 'Compress',
    'ReduceMax', 'ReduceMin', 'ReduceMean', 'DepthToSpace', 'SpaceToDepth', 'ReverseSequence', 'Cast', 'CastLike', 'Dropout'].map((name) => [name, first])),
  ...Object.fromEntries(['Concat', 'Mean'].map((name) => [name, all])),
  ...Object.fromEntries(['Pad', 'Trilu', 'Relu'].map((name) => [name, withZero])),
  ...Object.fromEntries(['Scatter', 'ScatterElements', 'ScatterND'].map((name) => [name, places(0, 2)])),
  ArgMax: position, ArgMin: position,
  Max: ({ inputs, at }) => inputs.map((_, place) => at(place)).reduce(([a, b], [c, d]) => [Math.max(a, c), Math.max(b, d)]),
  Min: ({ inputs, at }) => inputs.map((_, place) => at(place)).reduce(([a, b], [c, d]) => [Math.min(a, c), Math.min(b, d)]),
  Clip: ({ inputs, at }) => {
    const [low, high] = [inputs[1] === undefined ? -Infinity : at(1)[0], inputs[2] === undefined ? Infinity : at(2)[1]];
    return [Math.min(high, Math.max(low, at(0)[0])), Math.min(high, Math.max(low, at(0)[1]))];
  },
  Where: places(1, 2), OneHot: places(2),
  Sign: () => [-1, 1],
  EyeLike: () => [0, 1],
  Add: ({ at }) => sum(at(0), at(1)),
  Sub: ({ at }) => sum(at(0), [-at(1)[1], -at(1)[0]]),
  Mul: ({ at }) => product(at(0), at(1)),
  Sum: ({ inputs, at }) => inputs.map((_, place) => at(place)).reduce(sum),
  Neg: ({ at }) => [-at(0)[1], -at(0)[0]],
  Abs: ({ at }) => { const [low, high] = at(0); return low >= 0 ? [low, high] : [0, largest([low, high])]; },
  Div: ({ at }) => (at(0)[0] >= 0 && at(1)[0] >= 0 ? [0, at(0)[1]] : upTo(largest(at(0)))),
  Mod: ({ at }) => (at(1)[0] > 0 && at(0)[0] >= 0 ? [0, at(1)[1]] : upTo(largest(at(1)))),
  Pow: ({ at }) => { const size = Math.max(1, largest(at(0)) ** Math.max(0, at(1)[1])); return at(0)[0] >= 0 ? [0, size] : upTo(size); },
  ReduceSum: (node) => repeated(node.at(0), shareOf(node)),
  ReduceL1: (node) => [0, largest(node.at(0)) * shareOf(node)],
  ReduceL2: (node) => [0, largest(node.at(0)) * Math.sqrt(shareOf(node))],
  ReduceSumSquare: (node) => [0, largest(node.at(0)) ** 2 * shareOf(node)],
  ReduceProd: (node) => upTo(Math.max(1, largest(node.at(0))) ** shareOf(node)),
  CumSum: (node) => union([[0, 0], repeated(node.at(0), longest(node))]),
  CumProd: (node) => upTo(Math.max(1, largest(node.at(0))) ** longest(node)),
  MatMul: ({ inputs, at }) => upTo(largest(at(0)) * largest(at(1)) * (inputs[0]?.shape.at(-1) ?? 1)),
  Einsum: ({ inputs, at }) => upTo(inputs.map((_, place) => largest(at(place))).reduce((a, b) => a * b, 1) * sizeOf(inputs.map((value) => value?.size ?? 1))),
};

/**
 * Takes bounds of a node's outputs from those of its inputs. Returns whether some 64-bit (or uint32) integer that the program computes may lie
 * beyond what 32 bits hold: from there on it is taken to fit.
 */
export function mayOverflow(operator: string, inputs: readonly (Value | undefined)[], outputs: readonly (Value | undefined)[]): boolean {
  let isBeyond = false;
  outputs.forEach((output, i) => {
    if (output === undefined || output.isKnown || !isWide(output.type) || found.has(output)) return;
    const rule = operator === 'TopK' && i === 1 ? position : Object.hasOwn(rules, operator) ? rules[operator] : undefined;
    // What else makes integers makes positions, counts and codes.
    if (rule === undefined) return;
    const [low, high] = rule({ inputs, output, at: (place) => rangeOf(inputs[place]) });
    const least = output.type === 'int64' ? FULL[0] : 0;
    const fits = low >= least && high <= FULL[1];
    found.set(output, [Math.max(least, Math.min(low, FULL[1])), Math.min(FULL[1], Math.max(high, least))]);
    isBeyond ||= !fits;
  });
  return isBeyond;
}
