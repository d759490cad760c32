import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { array, type NDArray } from '../../core/ndarray.ts';
import type { Tensor } from '../../core/tensor.ts';
import { sum } from '../../ops/index.ts';
import { nodeExecutor } from '../../runtime/node.ts';
import { compile, grad } from '../../transforms/index.ts';
import { ModelBuilder, type GraphBuilder } from '../model.ts';
import { AttributeProto_AttributeType as AttributeType, FunctionProtoSchema, ModelProtoSchema, type FunctionProto } from '../proto/onnx_pb.ts';
import { evalSettings } from './operators/agreement.test-helper.ts';
import { parseOnnx } from './parse.ts';
import { runProgram } from './run.ts';
import { Value } from './value.ts';

const executor = nodeExecutor({ threads: 1 });
const x = array([1, -2, 3, 0.5], [4]);

/** y of a model with the input x, by the importer. */
async function imported(bytes: Uint8Array, input: NDArray = x): Promise<NDArray> {
  const program = parseOnnx(bytes);
  const run = compile((t: Tensor) => runProgram(program, { settings: evalSettings(), feeds: new Map([['x', Value.ofTensor('float', t)]]), outputs: ['y'] })[0].tensor('float32'), { executor });
  return run(input);
}

/** The operations of the program. */
function primitives(bytes: Uint8Array): string[] {
  const program = parseOnnx(bytes);
  const run = compile((t: Tensor) => runProgram(program, { settings: evalSettings(), feeds: new Map([['x', Value.ofTensor('float', t)]]), outputs: ['y'] })[0].tensor('float32'), { executor });
  return run.graph(x).nodes.map(({ primitive }) => primitive.name);
}

/** The same by ONNX Runtime. */
async function expected(bytes: Uint8Array, input: NDArray = x): Promise<number[]> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 4 });
  return Array.from((await session.run({ x: new ort.Tensor('float32', input.data as Float32Array, [...input.shape]) }, ['y']))['y'].data as Float32Array);
}

/** A model from x to y; `fill` returns the name of y. */
function modelOf(fill: (builder: ModelBuilder) => string, shape: readonly number[] = [4]): Uint8Array {
  const builder = new ModelBuilder();
  builder.input('x', 'float32', [...shape]);
  builder.output(fill(builder), 'float32', undefined, 'y');
  return builder.finish();
}

/** A model whose functions are added to what the builder wrote. */
function withFunctions(bytes: Uint8Array, functions: FunctionProto[], domain = 'f'): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  return toBinary(ModelProtoSchema, { ...model, functions, opsetImport: [...model.opsetImport.filter((set) => set.domain === ''), { $typeName: 'onnx.OperatorSetIdProto', domain, version: 1n }] });
}

async function agree(bytes: Uint8Array, input: NDArray = x): Promise<void> {
  const reference = await expected(bytes, input);
  const received = Array.from((await imported(bytes, input)).data);
  expect(received).toHaveLength(reference.length);
  received.forEach((value, i) => expect(value).toBeCloseTo(reference[i], 5));
}

const number = (b: GraphBuilder, value: number): string => b.constant(array([value], []));

describe('functions of the model', () => {
  const leaky = create(FunctionProtoSchema, {
    name: 'Leaky', domain: 'f', input: ['a', 'scale'], output: ['b'], attribute: ['slope'], opsetImport: [{ domain: '', version: 21n }],
    attributeProto: [{ name: 'power', type: AttributeType.FLOAT, f: 2 }],
    node: [
      { opType: 'Constant', output: ['s'], attribute: [{ name: 'value_float', type: AttributeType.FLOAT, refAttrName: 'slope' }] },
      { opType: 'Constant', output: ['p'], attribute: [{ name: 'value_float', type: AttributeType.FLOAT, refAttrName: 'power' }] },
      { opType: 'Mul', input: ['a', 's'], output: ['as'] },
      { opType: 'Max', input: ['a', 'as'], output: ['m'] },
      { opType: 'Pow', input: ['m', 'p'], output: ['b'] },
    ],
  });

  test('are expanded, with attributes, their defaults and names of their own', async () => {
    const bytes = withFunctions(modelOf((b) => b.value('Leaky', [b.value('Leaky', ['x'], { slope: { float: 0.1 } }, 'f')], { slope: { float: 0.5 }, power: { float: 3 } }, 'f')), [leaky]);
    await agree(bytes);
  });

  test('an error inside names the node of the body', async () => {
    const broken = create(FunctionProtoSchema, { ...leaky, node: [{ $typeName: 'onnx.NodeProto', opType: 'Reshape', name: 'inner', domain: '', overload: '', docString: '', input: ['a', 'a'], output: ['b'], attribute: [], metadataProps: [], deviceConfigurations: [] }] });
    await expect(imported(withFunctions(modelOf((b) => b.value('Leaky', ['x'], {}, 'f')), [broken]))).rejects.toThrow(/node 'inner' \(Reshape of float\[4\], float\[4\]\).*the shape must not depend on inputs/);
  });
});

describe('branches', () => {
  const branches = (condition: (b: ModelBuilder) => string): Uint8Array => modelOf((b) => {
    const doubled = b.value('Mul', ['x', number(b, 2)]);
    return b.value('If', [condition(b)], {
      then_branch: b.subgraph((body) => { body.output(body.value('Add', [doubled, number(body, 1)]), 'float32'); }),
      else_branch: b.subgraph((body) => { body.output(body.value('Neg', ['x']), 'float32'); }),
    });
  });

  test.each([0, 1])('of a known condition %i are chosen beforehand', (value) => agree(branches((b) => b.constant(array([value], [], 'bool')))));
  test('a condition on shapes is known', () => agree(branches((b) => b.value('Equal', [b.value('Size', ['x']), b.int64([4], [])]))));
  test('a computed condition chooses in the program, and derivatives follow', async () => {
    const bytes = branches((b) => b.value('Greater', [b.value('ReduceMax', ['x'], { keepdims: 0 }), number(b, 1)]));
    const negative = array([-1, -2, -3, 0], [4]);
    await agree(bytes);
    await agree(bytes, negative);
    const program = parseOnnx(bytes);
    const slope = compile(grad((t: Tensor) => sum(runProgram(program, { settings: evalSettings(), feeds: new Map([['x', Value.ofTensor('float', t)]]), outputs: ['y'] })[0].tensor('float32'))), { executor });
    expect(Array.from((await slope(x)).data)).toEqual([2, 2, 2, 2]);
    expect(Array.from((await slope(negative)).data)).toEqual([-1, -1, -1, -1]);
  });
});

describe('loops', () => {
  /** y = the carried value after `steps` steps of v = v * 0.5 + f(step), or what is stacked. */
  const loop = (steps: number, usesStep: boolean, stacks: boolean): Uint8Array => modelOf((b) => {
    const outputs = b.node('Loop', [b.int64([steps], []), '', 'x'], {
      body: b.subgraph((body) => {
        const step = body.input('step', 'int64', []);
        body.input('goes_on', 'bool', []);
        const value = body.input('value', 'float32', [4]);
        const half = body.value('Mul', [value, number(body, 0.5)]);
        const added = usesStep ? body.value('Slice', ['x', body.value('Reshape', [step, body.int64([1])]), body.int64([4])]) : body.value('Cast', [step], { to: 1 });
        const next = body.value('Add', [half, usesStep ? body.value('ReduceSum', [added], { keepdims: 0 }) : added]);
        body.output(body.value('Identity', ['goes_on']), 'bool', []);
        body.output(next, 'float32', [4]);
        if (stacks) body.output(half, 'float32', [4]);
      }),
    }, stacks ? 2 : 1);
    return outputs[stacks ? 1 : 0];
  });

  test('of few steps are unrolled, of more are one operation', async () => {
    await agree(loop(3, false, false));
    await agree(loop(20, false, false));
    await agree(loop(20, false, true));
    expect(primitives(loop(20, false, true))).toContain('scan');
    expect(primitives(loop(3, false, false))).not.toContain('scan');
  });
  test('whose body needs to know its step are unrolled', async () => {
    await agree(loop(4, true, false));
    await agree(loop(6, true, true));
  });
  test('of no step return what they carry', () => agree(loop(0, false, false)));
  test('without bound end by a known condition, and by a cap', async () => {
    const until = (limit: number): Uint8Array => modelOf((b) => b.node('Loop', ['', b.constant(array([1], [], 'bool')), 'x'], {
      body: b.subgraph((body) => {
        const step = body.input('step', 'int64', []);
        body.input('goes_on', 'bool', []);
        const value = body.input('value', 'float32', [4]);
        body.output(body.value('Less', [step, body.int64([limit], [])]), 'bool', []);
        body.output(body.value('Mul', [value, number(body, 0.9)]), 'float32', [4]);
      }),
    })[0]);
    await agree(until(5));
    await expect(imported(until(1e9))).rejects.toThrow(/node 'Loop_\d+'.*at most 1024 steps/);
  });
  test('whose end depends on data are refused', async () => {
    const bytes = modelOf((b) => b.node('Loop', ['', b.constant(array([1], [], 'bool')), 'x'], {
      body: b.subgraph((body) => {
        body.input('step', 'int64', []);
        body.input('goes_on', 'bool', []);
        const value = body.input('value', 'float32', [4]);
        body.output(body.value('Less', [body.value('ReduceMax', [value], { keepdims: 0 }), number(body, 100)]), 'bool', []);
        body.output(body.value('Mul', [value, number(body, 2)]), 'float32', [4]);
      }),
    })[0]);
    await expect(imported(bytes)).rejects.toThrow(/whether a loop goes on must be known beforehand, got a computed condition/);
  });

  test('Scan walks along axes in both directions', async () => {
    const bytes = modelOf((b) => b.node('Scan', [b.constant(array([0, 0])), 'x'], {
      num_scan_inputs: 1, scan_input_axes: [1], scan_input_directions: [1], scan_output_axes: [1], scan_output_directions: [0],
      body: b.subgraph((body) => {
        const total = body.input('total', 'float32', [2]);
        const slice = body.input('slice', 'float32', [2]);
        const next = body.value('Add', [body.value('Mul', [total, number(body, 0.5)]), slice]);
        body.output(next, 'float32', [2]);
        body.output(body.value('Tanh', [next]), 'float32', [2]);
      }),
    }, 2)[1], [2, 5]);
    await agree(bytes, array([1, 2, 3, 4, 5, -1, -2, -3, -4, -5], [2, 5]));
  });
});

describe('what is known is computed beforehand', () => {
  test('a chain of shapes becomes a reshape and nothing else', () => {
    const bytes = modelOf((b) => {
      const rows = b.value('Gather', [b.value('Shape', ['x']), b.int64([0], [])]);
      const half = b.value('Div', [rows, b.int64([2], [])]);
      return b.value('Reshape', ['x', b.value('Concat', [b.value('Unsqueeze', [half, b.int64([0])]), b.int64([-1])], { axis: 0 })]);
    });
    expect(primitives(bytes)).toEqual(['reshape']);
  });

  test('nodes whose results nobody needs are not run', async () => {
    const bytes = modelOf((b) => {
      b.value('Unheard', ['x']);
      return b.value('Neg', ['x']);
    });
    expect(Array.from((await imported(bytes)).data)).toEqual([-1, 2, -3, -0.5]);
  });

  test('an operator that is not read is named with its node', async () => {
    await expect(imported(modelOf((b) => b.value('Unheard', ['x'])))).rejects.toThrow(/node 'Unheard_\d+' \(Unheard of float\[4\]\).*got Unheard/);
  });

  test('an operator older than its rule is refused', async () => {
    const builder = new ModelBuilder();
    builder.output(builder.value('Gelu', [builder.input('x', 'float32', [4])]), 'float32', undefined, 'y');
    await expect(imported(builder.finish({ opset: 17 }))).rejects.toThrow(/Gelu is read from operator set 20 on, got 17/);
  });
});
