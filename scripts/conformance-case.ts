/** One ONNX node test through the importer: numbers against the stored ones, derivatives against finite differences. */
import * as ort from 'onnxruntime-node';
import { fromBinary } from '@bufbuild/protobuf';
import { NDArray } from '../src/core/ndarray.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { engineType, isFloatType, toStorage, type OnnxType } from '../src/onnx/import/element-types.ts';
import type { ImportedProgram } from '../src/onnx/import/graph.ts';
import type { RunSettings } from '../src/onnx/import/operator.ts';
import { operatorOf } from '../src/onnx/import/operators/registry.ts';
import { refusalOf } from '../src/onnx/import/operators/refused.ts';
import { parseOnnx } from '../src/onnx/import/parse.ts';
import { runProgram } from '../src/onnx/import/run.ts';
import { storedTensor, typeRefusal } from '../src/onnx/import/stored-tensor.ts';
import { Value } from '../src/onnx/import/value.ts';
import { ModelProtoSchema, TensorProtoSchema, type ValueInfoProto } from '../src/onnx/proto/onnx_pb.ts';
import { add, constant, mul, sum } from '../src/ops/index.ts';
import { nodeExecutor } from '../src/runtime/node.ts';
import { evaluateReference } from '../src/testing/index.ts';
import { compile, grad } from '../src/transforms/index.ts';
import { ThalwegError } from '../src/util/errors.ts';
import type { NodeTest } from './onnx-node-tests.ts';

/** `passed`: every way of running it agrees. `disputed`: the stored number differs, and ONNX Runtime on the same file has ours. `failed`: a wrong number, shape or type, or an error that is not ours. `unsupported`: refused. `inapplicable`: types that no program here has, or another domain. */
export type Outcome = 'passed' | 'disputed' | 'failed' | 'unsupported' | 'inapplicable';
/** The check of derivatives; `kink`: the function is not smooth at the point; `none`: nothing floating-point to differentiate. */
export type GradientOutcome = 'passed' | 'failed' | 'kink' | 'none';

/** What became of a test. */
export interface CaseResult {
  readonly name: string;
  readonly operator: string;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly gradient: GradientOutcome;
  readonly gradientReason?: string;
}

/** The tolerances of the ONNX project's own runner; numbers of bfloat16 have 8 bits. */
const tolerance = (type: OnnxType, x: number): number => 1e-7 + (type === 'bfloat16' ? 1e-2 : 1e-3) * Math.abs(x);
/** Derivatives of larger cases by the reference rules take long. */
const MOST_ELEMENTS = 4096;
const STEP = 1e-5;
/** Stored numbers of onnx 1.16 that wrap around; for those with float32 scales ONNX Runtime says so itself, float16 it does not run. */
const WRAPPED = /^test_qlinearmatmul_[23]D_int8_float16$/;

const executor = nodeExecutor({ threads: 1 });

interface Stored { readonly type: OnnxType; readonly shape: readonly number[]; read(): ArrayLike<number> }

/** A difference; of numbers, with its place. */
class Wrong extends Error {
  readonly at: { readonly output: number; readonly element: number; readonly value: number } | undefined;
  constructor(message: string, at?: Wrong['at']) { super(message); this.at = at; }
}

const ORT_TYPES: Readonly<Partial<Record<OnnxType, readonly [ort.Tensor.Type, (data: ArrayLike<number>) => ort.Tensor.DataType]>>> = {
  float: ['float32', (data) => Float32Array.from(data)], double: ['float64', (data) => Float64Array.from(data)], int32: ['int32', (data) => Int32Array.from(data)],
  int64: ['int64', (data) => BigInt64Array.from(Array.from(data, BigInt))], int8: ['int8', (data) => Int8Array.from(data)], uint8: ['uint8', (data) => Uint8Array.from(data)], bool: ['bool', (data) => Uint8Array.from(data)],
};

/** What ONNX Runtime has at the place of a difference; undefined where it cannot run the test. */
async function runtimeNumber(test: NodeTest, program: ImportedProgram, inputs: readonly Stored[], { output, element }: NonNullable<Wrong['at']>): Promise<number | undefined> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [i, { type, shape, read }] of inputs.entries()) {
    const known = ORT_TYPES[type];
    if (known === undefined) return undefined;
    feeds[program.graph.inputs[i].name] = new ort.Tensor(known[0], known[1](read()) as never, [...shape]) as ort.Tensor;
  }
  try {
    const session = await ort.InferenceSession.create(test.model, { intraOpNumThreads: 1, logSeverityLevel: 4 });
    const results = await session.run(feeds);
    await session.release();
    return Number((results[program.graph.outputs[output].name].data as ArrayLike<number>)[element]);
  } catch {
    return undefined;
  }
}

/** The element type code of bfloat16 and of what some of its test data are written as: the same bits. */
const [BFLOAT16, UINT16] = [16, 4];

function tensorsOf(list: readonly Uint8Array[], declared: readonly number[], what: string): Stored[] | string {
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

interface About {
  readonly operator: string;
  readonly domain: string;
  readonly reason?: string;
  /** Declared element types of inputs and outputs. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What a test is about, and why it says nothing about the importer where that is so. */
function inapplicable({ model }: NodeTest): About {
  const proto = fromBinary(ModelProtoSchema, model);
  const nodes = proto.graph!.node;
  const [first] = nodes;
  const operator = nodes.length === 1 ? first.opType : '';
  const domain = first.domain === 'ai.onnx' ? '' : first.domain;
  const version = Number(proto.opsetImport.find((set) => set.domain === '' || set.domain === 'ai.onnx')?.version ?? 7n);
  const typesOf = (values: readonly ValueInfoProto[]): number[] => values.map(({ type }) => (type?.value.case === 'tensorType' ? type.value.value.elemType : 0));
  const about = { operator, domain, inputs: typesOf(proto.graph!.input), outputs: typesOf(proto.graph!.output) };
  if (version < 7) return { ...about, reason: `operator set ${version}` };
  const other = proto.opsetImport.find((set) => /^ai\.onnx\./.test(set.domain) && nodes.some((node) => node.domain === set.domain));
  if (operator === 'ImageDecoder') return { ...about, reason: 'decodes files of pictures' };
  if (other !== undefined) return { ...about, reason: `operators of ${other.domain}` };
  const kinds = [...proto.graph!.input, ...proto.graph!.output].map(({ type }) => type?.value.case);
  if (kinds.some((kind) => kind !== 'tensorType')) return { ...about, reason: 'sequences or optional values' };
  return about;
}

/** What names the main operator of a test of several nodes: its function body written out is named after it. */
export const withoutExpansion = (name: string): string => name.replace(/_expanded.*$/, '');

/** The operator of a test of one node. */
export const operatorOfTest = (test: NodeTest): string | undefined => inapplicable(test).operator || undefined;

const settingsOf = (float: 'float32' | 'float64'): RunSettings =>
  ({ float, mode: 'eval', batchNormalisation: 'eval', keepStatistic: () => undefined, noise: () => undefined, notice: () => undefined });

/** Which inputs the program computes with, the others being known beforehand: all; all that are not settings; none. */
const ways = ['computed', 'settings known', 'known'] as const;
type Way = typeof ways[number];

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
async function runOnce(program: ImportedProgram, inputs: readonly Stored[], expected: readonly Stored[], way: Way): Promise<void> {
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
      if (!(Object.is(x, y) || x === y || Math.abs(x - y) <= (isFloatType(type) ? tolerance(type, x) : 0))) throw new Wrong(`output ${i} element ${j} is ${y}, expected ${x} (${way})`, { output: i, element: j, value: y });
    });
  });
}

/** Numbers of [-1, 1] that look random. */
const direction = (count: number, seed: number): Float64Array => Float64Array.from({ length: count }, (_, i) => Math.sin((i + 1) * 78.233 * seed + seed));

/** The derivative along one direction of a random combination of the outputs: by the engine's reverse mode, and by central differences. */
function checkGradient(program: ImportedProgram, inputs: readonly Stored[], way: Way): [GradientOutcome, string?] {
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

/** Every cause down to the first, in one line. */
function reasonOf(error: unknown): string {
  let at = error as Error;
  while (at.cause instanceof Error) at = at.cause;
  return at.message.split('\n')[0].replace(/^import: /, '').slice(0, 200);
}

/** Errors are ours as far down as they have causes. */
const isOurs = (error: unknown): boolean => error instanceof ThalwegError && ((error as Error).cause === undefined || isOurs(error.cause));

/** Runs a test in all ways. */
export async function runCase(test: NodeTest, operator: string): Promise<CaseResult> {
  const { domain, reason, inputs: inputTypes, outputs: outputTypes } = inapplicable(test);
  const result = (outcome: Outcome, why?: string, [gradient, gradientReason]: [GradientOutcome, string?] = ['none']): CaseResult =>
    ({ name: test.name, operator, outcome, gradient, ...(why !== undefined && { reason: why }), ...(gradientReason !== undefined && { gradientReason }) });
  if (reason !== undefined) return result('inapplicable', reason);
  const [inputs, outputs] = [tensorsOf(test.inputs, inputTypes, 'input'), tensorsOf(test.outputs, outputTypes, 'output')];
  if (typeof inputs === 'string') return result('inapplicable', inputs);
  if (typeof outputs === 'string') return result('inapplicable', outputs);
  const refusal = refusalOf(domain, operator);
  if (refusal?.startsWith('draws random numbers') === true) return result('inapplicable', refusal);
  if (/^test_training_dropout(?!.*zero_ratio)/.test(test.name)) return result('inapplicable', 'draws random numbers of its own, which no other program repeats');
  let refused: unknown;
  let passed: Way | undefined;
  let program: ImportedProgram | undefined;
  try {
    program = parseOnnx(test.model);
    for (const way of ways) {
      try {
        await runOnce(program, inputs, outputs, way);
        passed ??= way;
      } catch (error) {
        if (error instanceof Wrong || !isOurs(error)) throw error;
        // A later way knows more: its reason is the one that remains.
        refused = error;
      }
    }
    if (passed === undefined) return result('unsupported', refusal === undefined ? reasonOf(refused) : `it ${refusal}`);
    return result('passed', passed === 'computed' ? undefined : passed, gradientOf(program, inputs, passed));
  } catch (error) {
    if (isOurs(error)) return result('unsupported', reasonOf(error));
    if (error instanceof Wrong && WRAPPED.test(test.name)) return result('disputed', `${error.message}: the stored numbers wrap around where the definition saturates`);
    const at = error instanceof Wrong ? error.at : undefined;
    const other = at === undefined ? undefined : await runtimeNumber(test, program!, inputs, at);
    const agrees = other !== undefined && (Object.is(other, at!.value) || Math.abs(other - at!.value) <= tolerance('float', other));
    return result(agrees ? 'disputed' : 'failed', `${reasonOf(error)}${other === undefined ? '' : `; ONNX Runtime has ${other}`}`);
  }
}

function gradientOf(program: ImportedProgram, inputs: readonly Stored[], way: Way): [GradientOutcome, string?] {
  try { return checkGradient(program, inputs, way); } catch (error) { return isOurs(error) ? ['none', reasonOf(error)] : ['failed', reasonOf(error)]; }
}
