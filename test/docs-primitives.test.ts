/** The tables of docs/autodiff.md against the registry: every primitive, its zero derivatives, its transposes, its operators and its types. */
import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Graph } from '../src/core/graph.ts';
import { isFloat, type DType } from '../src/core/ndarray.ts';
import { bind, placeholder, type Primitive, type Sample, type Tensor } from '../src/core/tensor.ts';
import { ModelProtoSchema, type GraphProto } from '../src/onnx/proto/onnx_pb.ts';
import { lower } from '../src/onnx/lower.ts';
import { primitives } from '../src/prims/registry.ts';
import { zeroTangent } from '../src/prims/rules.ts';
import { CPU_KERNELS, hasCpuKernel } from '../src/onnx/kernels.ts';
import { LoweringError, NonlinearError, ThalwegError } from '../src/util/errors.ts';
import { read } from './tree-files.ts';

interface Row {
  readonly name: string;
  readonly jvp: string;
  readonly transpose: string;
  readonly batch: string;
  readonly onnx: string;
  readonly types: string;
}

/** Rows of the tables whose head is `primitive | jvp | transpose | batch | ONNX | types`. */
function rowsOf(markdown: string): Row[] {
  const tables = [...markdown.matchAll(/^\| primitive \| jvp \| transpose \| batch \| ONNX \| types \|\n\|[-|]+\|\n((?:\|.*\|\n)+)/gm)];
  return tables.flatMap(([, body = '']) => body.trim().split('\n').map((line) => {
    const cells = line.slice(1, -1).split('|').map((cell) => cell.trim());
    if (cells.length !== 6) throw new Error(`a row must have six cells: ${line}`);
    const [name, jvp, transpose, batch, onnx, types] = cells as [string, string, string, string, string, string];
    return { name: name.replaceAll('`', ''), jvp, transpose, batch, onnx, types };
  }));
}

const rows = rowsOf(read('docs/autodiff.md'));
const described = primitives.flatMap((primitive) => rows.filter((row) => row.name === primitive.name).map((row) => ({ name: primitive.name, row, primitive: primitive as Primitive })));

const hasBody = ({ params }: Sample<unknown>): boolean => Object.values(params as object).some((value) => value instanceof Graph || typeof value === 'function');
const apply = (primitive: Primitive, { params, inputs }: Sample<unknown>): { inputs: Tensor[]; outputs: readonly Tensor[] } => {
  const values = inputs.map((type) => placeholder(type));
  return { inputs: values, outputs: bind(primitive, params, values) };
};

/** The sample with its main element type (float64 where it has one) exchanged. */
function withType(sample: Sample<unknown>, dtype: DType): Sample<unknown> {
  const main = sample.inputs.some((input) => input.dtype === 'float64') ? 'float64' : sample.inputs[0]?.dtype;
  return { params: sample.params, inputs: sample.inputs.map((input) => (input.dtype === main ? { ...input, dtype } : input)) };
}

const isRefused = (error: unknown, kind: new (...args: never[]) => ThalwegError): boolean => {
  if (error instanceof kind) return true;
  throw error;
};

/** Operators of the lowered program, outside of nested graphs. */
function operatorsOf(primitive: Primitive, sample: Sample<unknown>): string[] {
  const { inputs, outputs } = apply(primitive, sample);
  const { bytes } = lower(new Graph(inputs, outputs), { name: 'the CPU kernels', supports: hasCpuKernel });
  return (fromBinary(ModelProtoSchema, bytes).graph as GraphProto).node.map(({ opType }) => opType);
}

function isAccepted(primitive: Primitive, { params, inputs }: Sample<unknown>): boolean {
  try { primitive.shape(params, inputs); return true; } catch (error) { return !isRefused(error, ThalwegError); }
}

type Support = 'run' | 'reference only' | 'refused';

function supportOf(primitive: Primitive, dtype: DType): Support {
  let support: Support = 'refused';
  for (const sample of primitive.samples().map((each) => withType(each, dtype))) {
    if (!isAccepted(primitive, sample)) continue;
    try { operatorsOf(primitive, sample); } catch (error) { isRefused(error, LoweringError); return 'reference only'; }
    support = 'run';
  }
  return support;
}

function typesOf(primitive: Primitive): string {
  const samples = primitive.samples();
  if (samples.some(hasBody)) return 'as the body';
  const brief = { float32: 'f32', float64: 'f64', int32: 'i32', bool: 'bool' } as const;
  const marks = { run: '', 'reference only': '†' } as const;
  return (Object.keys(brief) as DType[]).flatMap((dtype) => {
    const support = supportOf(primitive, dtype);
    return support === 'refused' ? [] : [brief[dtype] + marks[support]];
  }).join(' ');
}

/** True when the primitive transposes with respect to some one of its floating-point inputs. */
function transposesInSome(primitive: Primitive): boolean {
  const samples = primitive.samples();
  // Conversions between floating-point types are no sample of their own.
  const all = samples.some(hasBody) ? samples : [...samples, ...samples.map((sample) => withType(sample, 'float32'))];
  return all.filter((sample) => isAccepted(primitive, sample)).some((sample) => {
    const { inputs, outputs } = apply(primitive, sample);
    const cotangents = outputs.map((output) => (isFloat(output.dtype) ? placeholder(output) : null));
    if (cotangents.every((cotangent) => cotangent === null)) return false;
    return inputs.some((input, i) => isFloat(input.dtype) && transposesIn(primitive, () =>
      primitive.transpose({ params: sample.params, inputs, outputs, cotangents, linear: inputs.map((_, k) => k === i) })[i]));
  });
}

/** A refusal by an operation of the sample's body says nothing of the primitive around it. */
function transposesIn(primitive: Primitive, transpose: () => Tensor | null | undefined): boolean {
  try {
    return transpose() !== null;
  } catch (error) {
    return isRefused(error, NonlinearError) && !(error as Error).message.startsWith(`${primitive.name}:`);
  }
}

describe('the tables of docs/autodiff.md', () => {
  test('have one row for each primitive, in the order of the registry', () => {
    expect(rows.map(({ name }) => name)).toEqual(primitives.map(({ name }) => name));
  });

  test('leave no cell empty', () => {
    expect(rows.filter((row) => Object.values(row).includes('')).map(({ name }) => name)).toEqual([]);
  });

  test.each(described)('$name', ({ primitive, row }) => {
    expect(/^0\b/.test(row.jvp), `jvp '${row.jvp}' says zero`).toBe(primitive.jvp === zeroTangent);
    expect(row.transpose !== '–', `transpose '${row.transpose}' says there is one`).toBe(transposesInSome(primitive));
    expect(row.types).toBe(typesOf(primitive));
    const listed = [...row.onnx.matchAll(/`([A-Z]\w*)`/g)].map((match) => match[1] ?? '');
    const unknown = listed.filter((operator) => !CPU_KERNELS.has(operator) && !CPU_KERNELS.has(`com.microsoft:${operator}`));
    expect(unknown, 'operators that ONNX Runtime does not have').toEqual([]);
    const samples = primitive.samples();
    if (samples.some(hasBody)) return;
    const unnamed = (['float32', 'float64', 'int32', 'bool'] as const).filter((dtype) => supportOf(primitive, dtype) === 'run')
      .flatMap((dtype) => samples.map((sample) => withType(sample, dtype)))
      .filter((sample) => isAccepted(primitive, sample)).flatMap((sample) => operatorsOf(primitive, sample));
    const plumbing = ['Identity', 'Reshape', 'Expand'];
    expect([...new Set(unnamed)].filter((operator) => !listed.includes(operator) && !plumbing.includes(operator)), 'operators of the lowering that the row does not name').toEqual([]);
  });

  test('the reader of tables refuses a row of another width', () => {
    const head = '| primitive | jvp | transpose | batch | ONNX | types |\n|---|---|---|---|---|---|\n';
    expect(rowsOf(`${head}| \`a\` | 0 | – | each | \`Neg\` | f32 |\n`)).toEqual([{ name: 'a', jvp: '0', transpose: '–', batch: 'each', onnx: '`Neg`', types: 'f32' }]);
    expect(() => rowsOf(`${head}| \`a\` | 0 | – |\n`)).toThrow('six cells');
  });
});
