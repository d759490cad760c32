/** What becomes of one ONNX node test: whether it says something about the importer, and whether the importer's numbers are right. */
import * as ort from 'onnxruntime-node';
import { fromBinary } from '@bufbuild/protobuf';
import type { OnnxType } from '../src/onnx/import/element-types.ts';
import type { ImportedProgram } from '../src/onnx/import/graph.ts';
import { checkGradient, runOnce, tensorsOf, ways, Wrong, type GradientOutcome, type Stored, type Way } from '../src/onnx/import/node-test.test-helper.ts';
import { refusalOf } from '../src/onnx/import/operators/refused.ts';
import { parseOnnx } from '../src/onnx/import/parse.ts';
import { ModelProtoSchema, type ValueInfoProto } from '../src/onnx/proto/onnx_pb.ts';
import { ThalwegError } from '../src/util/errors.ts';
import type { NodeTest } from './onnx-node-tests.ts';

/** `passed`: every way of running it agrees. `disputed`: stored numbers differ for a reason that is written down here, and ONNX Runtime on the same file has ours. `failed`: a wrong number, shape or type, or an error that is not ours. `unsupported`: refused. `inapplicable`: types that no program here has, or another domain. */
export type Outcome = 'passed' | 'disputed' | 'failed' | 'unsupported' | 'inapplicable';
export type { GradientOutcome } from '../src/onnx/import/node-test.test-helper.ts';

/** What became of a test. */
export interface CaseResult {
  readonly name: string;
  readonly operator: string;
  readonly outcome: Outcome;
  readonly reason?: string;
  readonly gradient: GradientOutcome;
  readonly gradientReason?: string;
}

/** A test whose stored numbers are not to be had, with the reason. */
interface Dispute {
  readonly tests: RegExp;
  readonly why: string;
  /** Numbers of ours that are right beside other stored ones, where ONNX Runtime does not run the test; elsewhere its numbers must be ours. */
  accepts?(own: number): boolean;
}
const WRAPPED = 'the stored numbers of onnx 1.16 wrap around where the definition saturates';
const disputes: readonly Dispute[] = [
  { tests: /^test_qlinearmatmul_[23]D_int8_float16$/, why: WRAPPED, accepts: (own) => own === -128 || own === 127 },
  { tests: /^test_qlinearmatmul_[23]D_int8_float32$/, why: WRAPPED },
  { tests: /^test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True$/, why: 'the stored numbers count what sticks out behind the padding, which PyTorch and ONNX Runtime do not' },
  { tests: /^test_resize_downsample_scales_(cubic|linear)_align_corners$/, why: 'the stored numbers align corners with an extent before it is rounded down, PyTorch and ONNX Runtime with the extent itself' },
  { tests: /^test_gridsample_bicubic/, why: 'the stored numbers have four digits' },
];

const ORT_TYPES: Readonly<Partial<Record<OnnxType, readonly [ort.Tensor.Type, (data: ArrayLike<number>) => ort.Tensor.DataType]>>> = {
  float: ['float32', (data) => Float32Array.from(data)], double: ['float64', (data) => Float64Array.from(data)], int32: ['int32', (data) => Int32Array.from(data)],
  int64: ['int64', (data) => BigInt64Array.from(Array.from(data, BigInt))], int8: ['int8', (data) => Int8Array.from(data)], uint8: ['uint8', (data) => Uint8Array.from(data)], bool: ['bool', (data) => Uint8Array.from(data)],
};

/** What ONNX Runtime makes of the file itself; undefined where it does not run the test. */
async function runtimeOutputs(test: NodeTest, program: ImportedProgram, inputs: readonly Stored[], expected: readonly Stored[]): Promise<Stored[] | undefined> {
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
    return expected.map(({ type }, i) => {
      const { dims, data } = results[program.graph.outputs[i].name];
      return { type, shape: dims, read: () => Array.from(data as ArrayLike<number | bigint>, Number) };
    });
  } catch {
    return undefined;
  }
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
  const runAll = async (program: ImportedProgram, expected: readonly Stored[], accepts?: Dispute['accepts']): Promise<{ passed?: Way; refused?: unknown }> => {
    let refused: unknown;
    let passed: Way | undefined;
    for (const way of ways) {
      try {
        await runOnce(program, inputs, expected, way, accepts);
        passed ??= way;
      } catch (error) {
        if (error instanceof Wrong || !isOurs(error)) throw error;
        // A later way knows more: its reason is the one that remains.
        refused = error;
      }
    }
    return { ...(passed && { passed }), refused };
  };
  let program: ImportedProgram | undefined;
  try {
    program = parseOnnx(test.model);
    const { passed, refused } = await runAll(program, outputs);
    if (passed === undefined) return result('unsupported', refusal === undefined ? reasonOf(refused) : `it ${refusal}`);
    return result('passed', passed === 'computed' ? undefined : passed, gradientOf(program, inputs, passed));
  } catch (error) {
    if (isOurs(error)) return result('unsupported', refusal === undefined ? reasonOf(error) : `it ${refusal}`);
    const dispute = disputes.find(({ tests }) => tests.test(test.name));
    if (!(error instanceof Wrong) || dispute === undefined) return result('failed', reasonOf(error));
    const other = dispute.accepts === undefined ? await runtimeOutputs(test, program!, inputs, outputs) : outputs;
    if (other === undefined) return result('failed', `${error.message}; ONNX Runtime does not run it`);
    try { await runAll(program!, other, dispute.accepts); } catch (second) { return result('failed', `${error.message}; ${reasonOf(second)} of ONNX Runtime`); }
    return result('disputed', `${error.message}: ${dispute.why}`);
  }
}

function gradientOf(program: ImportedProgram, inputs: readonly Stored[], way: Way): [GradientOutcome, string?] {
  try { return checkGradient(program, inputs, way); } catch (error) { return isOurs(error) ? ['none', reasonOf(error)] : ['failed', reasonOf(error)]; }
}
