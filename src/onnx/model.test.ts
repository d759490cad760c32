import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { array, filled } from '../core/ndarray.ts';
import { GraphError } from '../util/errors.ts';
import { ModelBuilder } from './model.ts';
import { AttributeProto_AttributeType as AttributeType, ModelProtoSchema, type GraphProto } from './proto/onnx_pb.ts';

const graphOf = (bytes: Uint8Array): GraphProto => fromBinary(ModelProtoSchema, bytes).graph!;

describe('ModelBuilder', () => {
  test('a model read back has what was written', () => {
    const b = new ModelBuilder();
    const x = b.input('x', 'float32', [2, 3]);
    const w = b.initializer('w', array([1, 2, 3]));
    b.output(b.value('Add', [x, w]), 'float32', [2, 3], 'y');
    const model = fromBinary(ModelProtoSchema, b.finish({ opset: 19 }));
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([['', 19n]]);
    const graph = model.graph!;
    expect(graph.node.map((node) => node.opType)).toEqual(['Add', 'Identity']);
    expect(graph.node[0].input).toEqual(['x', 'w']);
    expect(graph.output.map((output) => output.name)).toEqual(['y']);
    expect(new Float32Array(graph.initializer[0].rawData.slice().buffer)).toEqual(Float32Array.of(1, 2, 3));
    const type = graph.input[0].type!.value;
    expect(type.case === 'tensorType' && type.value.shape!.dim.map((dim) => dim.value.value)).toEqual([2n, 3n]);
  });

  test('attributes keep the kind they were written as', () => {
    const b = new ModelBuilder();
    b.value('Any', [], {
      integer: 3, real: { float: 0.5 }, text: 'abc', integers: [1, -2], reals: { floats: [1.5, 2] }, texts: ['a', 'b'], none: [], array: { tensor: array([7], [1], 'int32') },
    });
    const attributes = Object.fromEntries(graphOf(b.finish()).node[0].attribute.map((attribute) => [attribute.name, attribute]));
    expect(Object.fromEntries(Object.entries(attributes).map(([name, { type }]) => [name, type]))).toEqual({
      integer: AttributeType.INT, real: AttributeType.FLOAT, text: AttributeType.STRING, integers: AttributeType.INTS, reals: AttributeType.FLOATS,
      texts: AttributeType.STRINGS, none: AttributeType.INTS, array: AttributeType.TENSOR,
    });
    expect([attributes.integer.i, attributes.real.f, attributes.integers.ints, attributes.reals.floats]).toEqual([3n, 0.5, [1n, -2n], [1.5, 2]]);
    expect([attributes.text.s, ...attributes.texts.strings].map((bytes) => new TextDecoder().decode(bytes))).toEqual(['abc', 'a', 'b']);
    expect([...attributes.array.t!.rawData]).toEqual([7, 0, 0, 0]);
  });

  test('equal small constants are one initialiser; shape, dtype and the sign of zero tell them apart', () => {
    const b = new ModelBuilder();
    expect(b.int64([1, 2])).toBe(b.int64([1n, 2n]));
    expect(b.int64([1, 2])).not.toBe(b.int64([1, 2], [2, 1]));
    expect(b.constant(array([0]))).toBe(b.constant(array([0])));
    expect(b.constant(array([0]))).not.toBe(b.constant(array([-0])));
    expect(b.constant(array([0]))).not.toBe(b.constant(array([0], [1], 'int32')));
    expect(graphOf(b.finish()).initializer).toHaveLength(5);
  });

  test('initialisers that bypass the protobuf encoder are read back in full, next to small ones', () => {
    const b = new ModelBuilder();
    b.initializer('small', array([1]));
    for (const [name, value] of [['first', 2], ['second', 3]] as const) b.initializer(name, filled([100, 300], value));
    const { initializer, name } = graphOf(b.finish());
    expect(name).toBe('graph');
    expect(initializer.map((tensor) => [tensor.name, tensor.dims, tensor.rawData.byteLength])).toEqual([
      ['small', [1n], 4], ['first', [100n, 300n], 120_000], ['second', [100n, 300n], 120_000],
    ]);
    expect(new Float32Array(initializer[2].rawData.slice().buffer).every((value) => value === 3)).toBe(true);
  });

  test('names are unique over nested graphs, whose domains are imported too', () => {
    const b = new ModelBuilder();
    const names: string[] = [b.value('Neg', ['x'])];
    const branch = b.subgraph((body) => {
      names.push(...body.node('Two', ['x'], {}, 2, 'com.microsoft'));
      body.output(names[1], 'float32', []);
    });
    names.push(b.value('If', ['condition'], { then_branch: branch, else_branch: branch }));
    expect(new Set(names).size).toBe(4);
    const model = fromBinary(ModelProtoSchema, b.finish());
    expect(model.opsetImport.map((opset) => opset.domain)).toEqual(['', 'com.microsoft']);
    expect(model.graph!.node[1].attribute[0].g!.node[0].opType).toBe('Two');
  });

  test('two outputs of one name are refused', () => {
    const b = new ModelBuilder();
    const y = b.value('Neg', [b.input('x', 'float32', [])]);
    b.output(y, 'float32', []);
    expect(() => b.output(y, 'float32', [])).toThrow(GraphError);
    b.output(y, 'float32', [], 'again');
    expect(graphOf(b.finish()).output.map((output) => output.name)).toEqual([y, 'again']);
  });

  test('results are copied only where they must be', () => {
    const b = new ModelBuilder();
    const x = b.input('x', 'float32', []);
    const y = b.value('Neg', [x]);
    const names = [b.result(y, 'float32', []), b.result(y, 'float32', [], 'second'), b.result(x, 'float32', [], 'input again')];
    expect(names).toEqual([y, 'second', 'input again']);
    expect(graphOf(b.finish()).node.map(({ opType, output }) => [opType, ...output])).toEqual([['Neg', y], ['Identity', 'second'], ['Identity', 'input again']]);
  });
});
