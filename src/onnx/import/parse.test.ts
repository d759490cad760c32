import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { array } from '../../core/ndarray.ts';
import { DataError, ThalwegError } from '../../util/errors.ts';
import { tensorProto, valueInfo } from '../encode.ts';
import { ModelBuilder } from '../model.ts';
import { AttributeProto_AttributeType as AttributeType, ModelProtoSchema, NodeProtoSchema, TensorProto_DataLocation as DataLocation } from '../proto/onnx_pb.ts';
import { parseOnnx } from './parse.ts';

type ModelInit = MessageInitShape<typeof ModelProtoSchema>;
type GraphInit = NonNullable<ModelInit['graph']>;
type NodeInit = MessageInitShape<typeof NodeProtoSchema>;

const modelOf = (graph: GraphInit, rest: Partial<ModelInit> = {}): Uint8Array =>
  toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ domain: '', version: 17n }], graph, ...rest } as ModelInit));
const node = (opType: string, input: string[], output: string[], rest: NodeInit = {}): NodeInit => ({ opType, input, output, name: `n_${output[0] ?? ''}`, ...rest });
const input = valueInfo('x', 'float32', ['batch', 2]);
const output = (name: string): ReturnType<typeof valueInfo> => valueInfo(name, 'float32');
const refusal = (bytes: Uint8Array): string => {
  try {
    parseOnnx(bytes, { name: 'a.onnx' });
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
  throw new Error('was not refused');
};

test('a model is read: inputs, outputs, weights, operator sets, who wrote it', () => {
  const bytes = modelOf({
    input: [input, valueInfo('w', 'float32', [2])], output: [output('y')], initializer: [tensorProto('w', 'float32', [2], new Uint8Array(new Float32Array([1, 2]).buffer))],
    node: [node('Mul', ['x', 'w'], ['y'], { name: '' })],
  }, { producerName: 'pytorch', producerVersion: '2.5', metadataProps: [{ key: 'a', value: 'b' }], opsetImport: [{ domain: 'ai.onnx', version: 13n }] });
  const program = parseOnnx(bytes);
  // Initialisers among the inputs are defaults, and no inputs.
  expect(program.graph.inputs).toEqual([{ name: 'x', type: 'float', shape: ['batch', 2] }]);
  expect(Array.from(program.graph.initialisers.get('w')!.read())).toEqual([1, 2]);
  expect(program.versions.get('')).toBe(13);
  expect(program.producer).toBe('pytorch 2.5');
  expect(program.metadata.get('a')).toBe('b');
  expect(program.graph.nodes[0].name).toBe('Mul_0');
});

describe('files that are no models', () => {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  test.each([
    ['nothing', new Uint8Array(0), /a\.onnx: the file must hold a model, got 0 bytes/],
    ['zeros', new Uint8Array(100), /must be an ONNX model \(protobuf\)/],
    ['text', text('a file of words'), /must be an ONNX model|must have a graph/],
    ['JSON', text('{"error": "not found"}'), /got a JSON file/],
    ['a zip', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0), /got a zip archive, as a checkpoint of PyTorch is/],
    ['a page of an error', text('\n<!DOCTYPE html>\n<html><body>404</body></html>'), /must be an ONNX model \(protobuf\), got a page of HTML\.\n {2}Try: download the file itself/],
    ['a refusal of a storage service', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'), /got an XML file/],
    ['a pointer of Git LFS', text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'), /got a pointer of Git LFS.*git lfs pull/s],
    ['gzip', gzipSync(modelOf({})), /got a file compressed by gzip/],
    ['a pickle', Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc), /got a pickle of Python/],
    ['HDF5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), /got an HDF5 file/],
    ['safetensors', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), /got a safetensors file/],
    ['no graph', toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 8n })), /got no graph/],
    ['an operator set of the future', modelOf({}, { opsetImport: [{ domain: '', version: 99n }] }), /operator set must lie in 7\.\.\d+, got 99/],
    ['an old operator set', modelOf({}, { opsetImport: [{ domain: '', version: 6n }] }), /got 6/],
    ['a format of the future', modelOf({}, { irVersion: 99n }), /ir_version\) must lie in .*, got 99/],
  ])('%s', (_, bytes, message) => expect(refusal(bytes)).toMatch(message));
});

describe('graphs that are none', () => {
  const call = (name: string, inputs: string[], outputs: string[]): NodeInit => node(name, inputs, outputs, { domain: 'f' });
  const functionOf = (name: string, nodes: NodeInit[]): NonNullable<ModelInit['functions']>[number] => ({ name, domain: 'f', input: ['a'], output: ['b'], node: nodes, opsetImport: [{ domain: '', version: 17n }] });
  test.each<[string, Uint8Array, RegExp]>([
    ['a value made twice', modelOf({ input: [input], output: [output('y')], node: [node('Relu', ['x'], ['y']), node('Abs', ['x'], ['y'])] }), /values must be made once, got 'y' again by node 'n_y' \(Abs\)/],
    ['an initialiser made twice', modelOf({ initializer: [tensorProto('w', 'float32', [0], new Uint8Array(0)), tensorProto('w', 'float32', [0], new Uint8Array(0))] }), /the initialiser 'w' twice/],
    ['a cycle', modelOf({ input: [input], output: [output('y')], node: [node('Add', ['x', 'z'], ['y']), node('Relu', ['y'], ['z'])] }), /node 'n_y' \(Add\).*'z', which a later node makes: .*cycle/],
    ['a missing input', modelOf({ input: [input], output: [output('y')], node: [node('Add', ['x', 'z'], ['y'])] }), /node 'n_y' \(Add\) must use values that are made before it, got 'z', which nothing makes/],
    ['an output nobody makes', modelOf({ input: [input], output: [output('y')] }), /outputs must be made by a node, got 'y'/],
    ['inputs of one name', modelOf({ input: [input, input] }), /'x' twice/],
    ['a branch that uses what is not there', modelOf({ input: [input], output: [output('y')], node: [node('If', ['x'], ['y'], { attribute: [{ name: 'then_branch', type: AttributeType.GRAPH, g: { node: [node('Relu', ['nowhere'], ['z'])], output: [output('z')] } }] })] }), /'nowhere', which nothing makes/],
    ['a function that calls itself', modelOf({ input: [input], output: [output('y')], node: [call('even', ['x'], ['y'])] }, { functions: [functionOf('even', [call('odd', ['a'], ['b'])]), functionOf('odd', [call('even', ['a'], ['b'])])] }), /functions must not call themselves, got 'even' calls 'odd' calls 'even'/],
    ['functions that double', modelOf({ input: [input], output: [output('y')], node: [call('f0', ['x'], ['y'])] }, {
      functions: Array.from({ length: 40 }, (_, i) => functionOf(`f${i}`, i === 39 ? [node('Relu', ['a'], ['b'])] : [call(`f${i + 1}`, ['a'], ['m']), call(`f${i + 1}`, ['m'], ['b'])])),
    }), /at most 200000 nodes/],
  ])('%s', (_, bytes, message) => expect(refusal(bytes)).toMatch(message));

  test('graphs nested without end', () => {
    let graph: GraphInit = { output: [output('z')], node: [node('Relu', ['x'], ['z'])] };
    for (let depth = 0; depth < 60; depth++) graph = { output: [output('z')], node: [node('If', ['x'], ['z'], { attribute: [{ name: 'then_branch', type: AttributeType.GRAPH, g: graph }] })] };
    expect(refusal(modelOf({ input: [input], ...graph }))).toMatch(/nest at most 32 deep|must be an ONNX model/);
  });
});

describe('tensors', () => {
  const tensor = (init: NonNullable<GraphInit['initializer']>[number]): Uint8Array => modelOf({ initializer: [{ name: 'w', ...init }] });
  test.each<[string, Uint8Array, RegExp]>([
    ['data cut short', tensor({ dataType: 1, dims: [2n, 3n], rawData: new Uint8Array(23) }), /tensor 'w': float\[2,3\] must have 24 bytes, got 23/],
    ['no data', tensor({ dataType: 1, dims: [2n] }), /must have 8 bytes, got 0/],
    ['too many numbers', tensor({ dataType: 1, dims: [2n], floatData: [1, 2, 3] }), /must have 2 elements, got 3/],
    ['numbers of another type', tensor({ dataType: 1, dims: [2n], int32Data: [1, 2] }), /elements must stand in the field for float/],
    ['a negative extent', tensor({ dataType: 1, dims: [-1n] }), /extents must not be negative, got \[-1\]/],
    ['more elements than there can be', tensor({ dataType: 1, dims: [4294967296n, 4294967296n, 1n] }), /at most 2147483647 elements/],
    ['an extent that would overflow beside a zero', tensor({ dataType: 1, dims: [0n, 9223372036854775807n] }), /at most 2147483647 elements/],
  ])('%s', (_, bytes, message) => expect(refusal(bytes)).toMatch(message));

  test('every element type is decoded, from bytes and from typed fields', () => {
    const raw = (dataType: number, view: ArrayBufferView): { dataType: number; dims: bigint[]; rawData: Uint8Array } => ({ dataType, dims: [2n], rawData: new Uint8Array(view.buffer) });
    const tensors: [NonNullable<GraphInit['initializer']>[number], string, number[]][] = [
      [raw(1, Float32Array.of(1.5, -2)), 'float', [1.5, -2]], [raw(11, Float64Array.of(0.1, -2)), 'double', [0.1, -2]],
      [raw(10, Uint16Array.of(0x3c00, 0xc000)), 'float16', [1, -2]], [raw(16, Uint16Array.of(0x3f80, 0xc000)), 'bfloat16', [1, -2]],
      [raw(2, Uint8Array.of(255, 1)), 'uint8', [255, 1]], [raw(3, Int8Array.of(-1, 1)), 'int8', [-1, 1]], [raw(4, Uint16Array.of(65535, 1)), 'uint16', [65535, 1]],
      [raw(5, Int16Array.of(-1, 1)), 'int16', [-1, 1]], [raw(6, Int32Array.of(-1, 1)), 'int32', [-1, 1]], [raw(7, BigInt64Array.of(-1n, 1n)), 'int64', [-1, 1]],
      [raw(9, Uint8Array.of(1, 0)), 'bool', [1, 0]], [raw(12, Uint32Array.of(4294967295, 1)), 'uint32', [4294967295, 1]], [raw(13, BigUint64Array.of(7n, 1n)), 'uint64', [7, 1]],
      [{ dataType: 10, dims: [2n], int32Data: [0x3c00, 0xc000] }, 'float16', [1, -2]], [{ dataType: 7, dims: [2n], int64Data: [3n, -4n] }, 'int64', [3, -4]],
      [{ dataType: 11, dims: [1n], doubleData: [0.1] }, 'double', [0.1]], [{ dataType: 9, dims: [2n], int32Data: [1, 0] }, 'bool', [1, 0]], [{ dataType: 12, dims: [1n], uint64Data: [9n] }, 'uint32', [9]],
      [{ dataType: 1, dims: [] , floatData: [3] }, 'float', [3]],
    ];
    const { graph } = parseOnnx(modelOf({ initializer: tensors.map(([init], i) => ({ ...init, name: `t${i}` })) }));
    tensors.forEach(([, type, values], i) => {
      const stored = graph.initialisers.get(`t${i}`)!;
      expect([stored.type, Array.from(stored.read())]).toEqual([type, values]);
    });
  });

  test('types without a counterpart are kept aside until they are used', () => {
    const { graph } = parseOnnx(modelOf({ initializer: [{ name: 's', dataType: 8, dims: [1n], stringData: [new Uint8Array(1)] }, { name: 'q', dataType: 22, dims: [2n], rawData: new Uint8Array(1) }, { name: 'c', dataType: 14 }] }));
    expect([...graph.refused]).toEqual([['s', 'elements of type string'], ['q', 'elements of type int4'], ['c', 'elements of type complex64']]);
  });
});

describe('weights in other files', () => {
  const external = (entries: Record<string, string>): Uint8Array => modelOf({ initializer: [{ name: 'w', dataType: 1, dims: [2n], dataLocation: DataLocation.EXTERNAL, externalData: Object.entries(entries).map(([key, value]) => ({ key, value })) }] });
  test('are read when they are used, with offset and length', () => {
    const asked: unknown[] = [];
    const { graph } = parseOnnx(external({ location: 'sub/w.bin', offset: '4096', length: '8' }), { readExternal: (...given) => { asked.push(given); return new Uint8Array(Float32Array.of(1, 2).buffer); } });
    expect(asked).toEqual([]);
    expect(Array.from(graph.initialisers.get('w')!.read())).toEqual([1, 2]);
    expect(asked).toEqual([['sub/w.bin', 4096, 8]]);
  });
  test.each(['../w.bin', '/etc/passwd', 'a/../../w', 'C:\\w', 'a\\..\\w', ''])("'%s' is refused", (location) => {
    expect(refusal(external({ location }))).toMatch(/must be a relative path that stays in the folder of the model/);
  });
  test('that do not fit are refused', () => {
    expect(refusal(external({ location: 'w', length: '9' }))).toMatch(/8 bytes must be its length in 'w', got 9/);
    expect(refusal(external({ location: 'w', offset: '-1' }))).toMatch(/offset of its elements must be a number/);
    expect(() => parseOnnx(external({ location: 'w' })).graph.initialisers.get('w')!.read()).toThrow(/lie in another file, 'w'.*loadOnnx/s);
    expect(() => parseOnnx(external({ location: 'w' }), { readExternal: () => new Uint8Array(7) }).graph.initialisers.get('w')!.read()).toThrow(/'w' must hold 8 bytes at 0, got 7/);
  });
});

test('a file cut anywhere, or with bytes changed, is refused or read, and never ends in another error', () => {
  const bytes = readFileSync(new URL('../../../test/golden/onnx/mlp-tracer.onnx', import.meta.url));
  const attempt = (changed: Uint8Array): void => {
    try {
      for (const stored of parseOnnx(changed).graph.initialisers.values()) stored.read();
    } catch (error) {
      expect(error).toBeInstanceOf(ThalwegError);
    }
  };
  for (let length = 0; length < bytes.length; length += 3) attempt(bytes.subarray(0, length));
  for (let i = 0; i < bytes.length; i++) {
    const changed = Uint8Array.from(bytes);
    changed[i] = (changed[i] + 1 + ((i * 97) % 255)) % 256;
    attempt(changed);
  }
});

test('what our own encoder writes is read back', () => {
  const builder = new ModelBuilder();
  const x = builder.input('x', 'float32', [2]);
  builder.output(builder.value('Add', [x, builder.initializer('w', array([1, 2]))]), 'float32', [2], 'y');
  expect([...parseOnnx(builder.finish()).graph.initialisers.keys()]).toEqual(['w']);
});
