/** An ONNX node test through the importer: its numbers on ONNX Runtime against the stored ones, its derivatives against finite differences. */
import { fromBinary } from '@bufbuild/protobuf';
import { NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { add, constant, mul, sum } from '../../ops/index.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import { evaluateReference } from '../../testing/index.ts';
import { compile, grad } from '../../transforms/index.ts';
import { TensorProtoSchema } from '../proto/onnx_pb.ts';
import { engineType, isFloatType, toStorage, type OnnxType } from './element-types.ts';
import type { ImportedProgram } from './graph.ts';
import type { RunSettings } from './operator.ts';
import { operatorOf } from './operators/registry.ts';
import { runProgram } from './run.ts';
import { storedTensor, typeRefusal } from './stored-tensor.ts';
import { Value } from './value.ts';

/** The check of derivatives; `kink`: the function is not smooth at the point; `none`: nothing floating-point to differentiate. */
export type GradientOutcome = 'passed' | 'failed' | 'kink' | 'none';

/** Relative and absolute: stored numbers of half precision were rounded, which those computed here are not. */
const TOLERANCES: Readonly<Partial<Record<OnnxType, readonly [number, number]>>> = { float: [1e-4, 1e-5], double: [1e-6, 1e-7], float16: [1e-3, 1e-3], bfloat16: [1e-2, 1e-3] };
/** Nor looser than the ONNX project's own runner, which matters near zero. */
const tolerance = (type: OnnxType, x: number): number => {
  const [relative, absolute] = TOLERANCES[type] ?? [0, 0];
  return Math.min(absolute + relative * Math.abs(x), 1e-7 + (type === 'bfloat16' ? 1e-2 : 1e-3) * Math.abs(x));
};
/** Derivatives of larger cases by the reference rules take long. */
const MOST_ELEMENTS = 4096;
const STEP = 1e-5;
const executor = nodeExecutor({ threads: 1 });

/** A stored input or output. */
export interface Stored { readonly type: OnnxType; readonly shape: readonly number[]; read(): ArrayLike<number> }

/** A difference between what was computed and what is stored. */
export class Wrong extends Error {}

/** The element type code of bfloat16 and of what some of its test data are written as: the same bits. */
const [BFLOAT16, UINT16] = [16, 4];

/** Stored tensors by their serialised messages and declared types; or why they say nothing about the importer. */
export function tensorsOf(list: readonly Uint8Array[], declared: readonly number[], what: string): Stored[] | string {
  const made: Stored[] = [];
  for (const [i, bytes] of list.entries()) {
    let proto;
    try { proto = fromBinary(TensorProtoSchema, bytes); } catch { return `${what} ${i} is no tensor`; }
    if (declared[i] === BFLOAT16 && proto.dataType === UINT16) proto.dataType = BFLOAT16;
    const refusal = typeRefusal(proto.dataType);
    if (refusal !== undefined) return refusal;
    try { made.push(storedTensor(proto, `${what} ${i}`, undefined) as Stored); } catch { return `${what} ${i} is no tensor`; }
  }
  return made;
}

const settingsOf = (float: 'float32' | 'float64'): RunSettings =>
  ({ float, mode: 'eval', batchNormalisation: 'eval', keepStatistic: () => undefined, noise: () => undefined, notice: () => undefined });

/** Which inputs the program computes with, the others being known beforehand: all; all that are not settings; none. */
export const ways = ['computed', 'settings known', 'known'] as const;
export type Way = typeof ways[number];

function isComputed(program: ImportedProgram, name: string, type: OnnxType, way: Way): boolean {
  if (way !== 'settings known') return way === 'computed';
  const { nodes } = program.graph;
  if (nodes.length > 1) return isFloatType(type);
  const definition = operatorOf(nodes[0].domain, nodes[0].operator);
  return definition?.settings?.includes(nodes[0].inputs.indexOf(name)) !== true && isFloatType(type);
}

const arrayOf = ({ type, shape, read }: Stored, float: 'float32' | 'float64'): NDArray => {
  const dtype = engineType(type, float);
  return new NDArray(toStorage(Float64Array.from(read()), dtype), [...shape], dtype);
};

/** The program as a function of the computed inputs. */
function functionOf(program: ImportedProgram, inputs: readonly Stored[], float: 'float32' | 'float64', way: Way): { arrays: NDArray[]; types: OnnxType[]; run: (tensors: readonly Tensor[]) => Value[] } {
  const declared = program.graph.inputs;
  const given = inputs.map((input, i) => ({ ...input, name: declared[i].name, isComputed: isComputed(program, declared[i].name, input.type, way) }));
  const computed = given.filter((input) => input.isComputed);
  return {
    arrays: computed.map((input) => arrayOf(input, float)), types: computed.map(({ type }) => type),
    run(tensors) {
      const feeds = new Map(computed.map(({ name, type }, i) => [name, Value.ofTensor(type, tensors[i])]));
      given.filter((input) => !input.isComputed).forEach(({ name, type, shape, read }) => feeds.set(name, Value.ofKnown(type, shape, () => read() as Float64Array)));
      return runProgram(program, { settings: settingsOf(float), feeds, outputs: program.graph.outputs.map((output) => output.name) });
    },
  };
}

/** Runs a test in one way. @throws Wrong when something differs; an error of ours when the program refuses. */
export async function runOnce(program: ImportedProgram, inputs: readonly Stored[], expected: readonly Stored[], way: Way, accepts?: (own: number) => boolean): Promise<void> {
  const float = inputs.some(({ type }) => type === 'double') ? 'float64' : 'float32';
  const { arrays, run } = functionOf(program, inputs, float, way);
  let values: Value[] = [];
  const compiled = compile((tensors: Tensor[]) => { values = run(tensors); return values.map((value) => (value.isKnown ? constant(new NDArray(new Float32Array(1), [1], 'float32')) : value.tensor(float))); }, { executor });
  let results: NDArray[];
  try { results = await compiled(arrays as never) as unknown as NDArray[]; } finally { await compiled.dispose(); }
  expected.forEach(({ type, shape, read }, i) => {
    const value = values[i];
    if (value.type !== type) throw new Wrong(`output ${i} has type ${value.type}, expected ${type}`);
    if (value.shape.join() !== shape.join()) throw new Wrong(`output ${i} has shape [${value.shape.join(',')}], expected [${shape.join(',')}]`);
    const received = value.isKnown ? value.known! : results[i].data;
    Array.from(read()).forEach((x, j) => {
      const y = received[j];
      if (!(Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance(type, x) || accepts?.(y) === true)) throw new Wrong(`output ${i} element ${j} is ${y}, expected ${x} (${way})`);
    });
  });
}

/** Numbers of [-1, 1] that look random. */
const direction = (count: number, seed: number): Float64Array => Float64Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 78.233 * seed + seed));

/** The derivative along one direction of a random combination of the outputs: by the engine's reverse mode, and by central differences. */
export function checkGradient(program: ImportedProgram, inputs: readonly Stored[], way: Way): [GradientOutcome, string?] {
  const { arrays, types, run } = functionOf(program, inputs, 'float64', way);
  if (!types.some(isFloatType) || arrays.reduce((total, { size }) => total + size, 0) > MOST_ELEMENTS) return ['none'];
  const isExact = program.graph.nodes.every((node) => (operatorOf(node.domain, node.operator)?.gradient ?? 'exact') === 'exact');
  if (!isExact) return ['none'];
  const f = (t: Tensor): Tensor => {
    const moved = arrays.map((array, i) => (isFloatType(types[i]) ? add(constant(array), mul(t, constant(new NDArray(direction(array.size, i + 1), array.shape, 'float64')))) : constant(array)));
    // New running statistics are state, which derivatives do not pass.
    const terms = run(moved).slice(0, program.graph.nodes.some(({ operator }) => operator === 'BatchNormalization') ? 1 : undefined).flatMap((value, i) => (value.isFloat && !value.isKnown ? [sum(mul(value.tensor('float64'), constant(new NDArray(direction(value.size, i + 7), value.shape, 'float64'))))] : []));
    return terms.length === 0 ? mul(t, t) : terms.reduce((a, b) => add(a, b));
  };
  const at = (t: number): number => (evaluateReference(f, new NDArray(Float64Array.of(t), [], 'float64')) as NDArray).data[0];
  const [below, here, above] = [at(-STEP), at(0), at(STEP)];
  if (![below, here, above].every(Number.isFinite)) return ['kink', 'not finite'];
  const scale = Math.max(1, Math.abs(here), Math.abs(above - below) / STEP);
  // One-sided slopes differ by the second derivative times the step; by more where the function has a kink between.
  if (Math.abs((above - here) - (here - below)) / STEP > 1e-2 * scale) return ['kink', 'one-sided slopes differ'];
  const own = (evaluateReference(grad(f), new NDArray(Float64Array.of(0), [], 'float64')) as NDArray).data[0];
  const difference = (above - below) / (2 * STEP);
  return Math.abs(own - difference) <= 1e-4 * scale ? ['passed'] : ['failed', `${own}, central differences ${difference}`];
}
