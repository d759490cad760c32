import { expect, test } from 'vitest';
import { array, type DType } from '../core/ndarray.ts';
import { ModelBuilder, type ElementType, type ModelAttribute } from '../onnx/model.ts';
import { CPU_KERNELS, hasCpuKernel } from '../onnx/kernels.ts';
import { nodeRuntime } from './node.ts';

type Argument = readonly [shape: readonly number[], dtype?: ElementType];
interface Probe {
  /** Shapes of the arguments; a type where it is not the one under test. */
  readonly inputs?: readonly Argument[];
  /** Further inputs, as constants. */
  readonly constants?: (b: ModelBuilder) => string[];
  readonly attributes?: (b: ModelBuilder, dtype: DType) => Record<string, ModelAttribute>;
  readonly result?: ElementType;
  readonly outputs?: number;
}

const MATRIX: Argument = [[2, 2]];
const VECTOR: Argument = [[2]];
const SCALAR: Argument = [[]];
const IMAGE: Argument = [[1, 1, 4, 4]];
const FILTER: Argument = [[1, 1, 2, 2]];
const two = { inputs: [MATRIX, MATRIX] };
const compared: Probe = { ...two, result: 'bool' };
const index = { inputs: [MATRIX], attributes: () => ({ axis: 0 }), result: 'int64' } as const;
const shaped = (...values: number[]): Probe => ({ constants: (b) => [b.int64(values)] });
const reduced = shaped(0);
const pooled: Probe = { inputs: [IMAGE], attributes: () => ({ kernel_shape: [2, 2] }) };
const convolved: Probe = { inputs: [IMAGE, FILTER] };
const updated: Probe = { inputs: [MATRIX, [[2, 1], 'int64'], [[2, 2]]] };

/** How a one-node model of each operator looks; one argument, a matrix, and one result of its type where nothing is said. */
const PROBES: Readonly<Record<string, Probe>> = {
  Cast: { attributes: () => ({ to: 1 }), result: 'float32' }, Concat: { ...two, attributes: () => ({ axis: 0 }) }, Equal: compared, Greater: compared,
  GreaterOrEqual: compared, Less: compared, LessOrEqual: compared, IsNaN: { result: 'bool' }, IsInf: { result: 'bool' }, Expand: shaped(3, 2, 2), Tile: shaped(2, 1),
  Reshape: shaped(4), Squeeze: { inputs: [IMAGE], ...shaped(0) }, Unsqueeze: shaped(0), Pad: shaped(1, 0, -1, 1), Slice: { constants: (b) => [b.int64([0]), b.int64([1])] },
  Split: { attributes: () => ({ num_outputs: 2 }), outputs: 2 }, Gather: { inputs: [MATRIX, [[2], 'int32']] }, GatherND: { inputs: [MATRIX, [[2, 1], 'int64']] },
  GatherElements: { inputs: [MATRIX, [[2, 2], 'int64']] }, ScatterND: updated, ScatterElements: { inputs: [MATRIX, [[2, 2], 'int64'], MATRIX] },
  ReverseSequence: { inputs: [MATRIX, [[2], 'int64']], attributes: () => ({ batch_axis: 0, time_axis: 1 }) }, Shape: { result: 'int64' },
  ConstantOfShape: { inputs: [[[2], 'int64']], attributes: (_, dtype) => ({ value: { tensor: array([1], [1], dtype) } }) },
  If: {
    inputs: [[[], 'bool']], constants: () => [],
    attributes: (b, dtype) => {
      const branch = () => b.subgraph((body) => void body.output(body.value('Identity', [body.constant(array([1], [1], dtype))]), dtype, [1]));
      return { then_branch: branch(), else_branch: branch() };
    },
  },
  Loop: {
    inputs: [[[], 'int64'], [[], 'bool'], MATRIX],
    attributes: (b, dtype) => ({
      body: b.subgraph((body) => {
        const [, go, state] = [body.input('i', 'int64', []), body.input('go', 'bool', []), body.input('state', dtype, [2, 2])];
        body.output(go, 'bool', []);
        body.output(state, dtype, [2, 2]);
      }),
    }),
  },
  Scan: {
    attributes: (b, dtype) => ({
      num_scan_inputs: 1,
      body: b.subgraph((body) => void body.output(body.value('Identity', [body.input('row', dtype, [2])]), dtype, [2])),
    }),
  },
  ...Object.fromEntries('ReduceMax ReduceMin ReduceL2 ReduceLogSumExp ReduceMean ReduceProd ReduceSum ReduceSumSquare'.split(' ').map((name) => [name, reduced])),
  ...Object.fromEntries('Add Div MatMul Max Min Mul Pow Sub And Or Xor BitwiseAnd BitwiseOr BitwiseXor com.microsoft:FusedMatMul'.split(' ').map((name) => [name, two])),
  ArgMax: index, ArgMin: index, Clip: { inputs: [MATRIX, SCALAR, SCALAR] }, CumSum: { constants: (b) => [b.int64([0], [])] },
  Einsum: { ...two, attributes: () => ({ equation: 'ij,kj->ik' }) }, Mod: { ...two, attributes: () => ({ fmod: 1 }) }, Range: { inputs: [SCALAR, SCALAR, SCALAR] },
  TopK: { ...shaped(1), outputs: 2 }, Where: { inputs: [[[2, 2], 'bool'], MATRIX, MATRIX] }, Gemm: two, 'com.microsoft:FusedGemm': { ...two, attributes: () => ({ activation: 'Tanh' }) },
  BatchNormalization: { inputs: [IMAGE, [[1]], [[1]], [[1]], [[1]]] }, LayerNormalization: { inputs: [MATRIX, VECTOR, VECTOR] }, MaxPool: pooled, AveragePool: pooled,
  GlobalAveragePool: { inputs: [IMAGE] }, Col2Im: { inputs: [[[1, 4, 9]]], constants: (b) => [b.int64([4, 4]), b.int64([2, 2])] }, Conv: convolved, ConvTranspose: convolved,
  'com.microsoft:FusedConv': { ...convolved, attributes: () => ({ activation: 'Relu' }) }, 'com.microsoft:BiasGelu': { inputs: [MATRIX, VECTOR] },
  OneHot: { inputs: [[[2], 'int64'], [[], 'int64'], VECTOR] },
};

/** Operators whose table entry is not the type of an argument that the probe could vary. */
const UNTYPED = new Set(['Shape']);

test('the table of kernels is what ONNX Runtime loads', async () => {
  const runtime = await nodeRuntime({ threads: 1, optimization: 'disabled' });
  const wrong: string[] = [];
  for (const operator of CPU_KERNELS.keys()) {
    if (UNTYPED.has(operator)) continue;
    for (const dtype of ['float32', 'float64', 'int32', 'bool'] as const) {
      const loaded = await loads(operator, dtype);
      if (loaded !== hasCpuKernel(operator, dtype)) wrong.push(`${operator} ${dtype} ${loaded ? 'loads' : 'does not load'}`);
    }
  }
  expect(wrong).toEqual([]);

  async function loads(operator: string, dtype: DType): Promise<boolean> {
    const probe = PROBES[operator] ?? {};
    const b = new ModelBuilder();
    const names = (probe.inputs ?? [MATRIX]).map(([shape, type], i) => b.input(`x${i}`, type ?? dtype, shape));
    const attributes = probe.attributes?.(b, dtype) ?? {};
    const [domain, opType] = operator.includes(':') ? operator.split(':') : ['', operator];
    const outputs = b.node(opType, [...names, ...(probe.constants?.(b) ?? [])], attributes, probe.outputs ?? 1, domain);
    b.output(outputs[0], probe.result ?? dtype);
    return runtime.createSession(b.finish(), names, [outputs[0]]).then((session) => session.dispose().then(() => true), () => false);
  }
});

test('operators that are not listed have no kernel', () => {
  expect(hasCpuKernel('NoSuchOperator', 'float32')).toBe(false);
});
