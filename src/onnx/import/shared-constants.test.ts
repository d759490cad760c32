import { expect, test } from 'vitest';
import { array, filled } from '../../core/ndarray.ts';
import { ModelBuilder } from '../model.ts';
import type { ImportedProgram, NodeOrigin } from './graph.ts';
import { normaliseInitialisers } from './initialisers.ts';
import { classifyInitialisers, type Classified } from './parameters.ts';
import { parseOnnx } from './parse.ts';
import { exporterRemark } from './remarks.ts';

const origin = (module: string, call = '', rewrites = ''): NodeOrigin => ({ module, call, rewrites });
const [square, vector] = [array([1, 2, 3, 4], [2, 2]), [2]];

/** A program as PyTorch's newer exporter writes it: nodes with their origins, in order, and arrays with the role of parameters. */
function exported(fill: (builder: ModelBuilder) => string, origins: readonly NodeOrigin[], parameters: readonly string[]): { program: ImportedProgram; found: Classified } {
  const builder = new ModelBuilder();
  builder.input('x', 'float32', ['batch', 2]);
  builder.output(fill(builder), 'float32', undefined, 'y');
  const parsed = parseOnnx(builder.finish());
  const nodes = parsed.graph.nodes.map((node, i) => ({ ...node, ...(origins[i] && { origin: origins[i] }) }));
  const initialisers = new Map([...parsed.graph.initialisers].map(([name, stored]) => [name, { ...stored, ...(parameters.includes(name) && { role: 'parameter' as const }) }]));
  const program = normaliseInitialisers({ ...parsed, producer: 'pytorch 2.9', graph: { ...parsed.graph, nodes, initialisers } });
  return { program, found: classifyInitialisers(program, ['y']) };
}
const names = ({ parameters }: Classified): string[] => parameters.map(({ name }) => name).sort();

test('zeros and ones that modules share are arrays of each; a module applied twice keeps one, and so do arrays of different numbers', () => {
  const { program, found } = exported((b) => {
    const [w, zeros] = [b.initializer('a.weight', square), b.initializer('a.bias', filled(vector, 0))];
    const first = b.value('Gemm', ['x', w, zeros]);
    const normed = b.value('LayerNormalization', [first, b.initializer('norm.weight', filled(vector, 1)), zeros]);
    return b.value('Gemm', [b.value('Add', [b.value('MatMul', [normed, w]), zeros]), w, zeros]);
  }, [origin('a'), origin('norm'), origin('b'), origin('b'), origin('a')], ['a.weight', 'a.bias', 'norm.weight']);
  expect(names(found)).toEqual(['a.bias', 'a.weight', 'b.bias', 'norm.bias', 'norm.weight']);
  expect(program.graph.nodes.filter(({ inputs }) => inputs.includes('a.bias'))).toHaveLength(2);
});

test('a module that applies several layers by function names them as the call does', () => {
  const { found } = exported((b) => {
    const zeros = b.initializer('attn.qkv.bias', filled(vector, 0));
    return b.value('Add', [b.value('MatMul', [b.value('Gemm', ['x', b.initializer('attn.qkv.weight', square), zeros]), b.initializer('attn.proj.weight', square)]), zeros]);
  }, [origin('attn', 'linear(%x, %p_attn_qkv_weight, %p_attn_qkv_bias)'), origin('attn'), origin('attn', 'linear(%y, %p_attn_proj_weight, %p_attn_proj_bias)')], ['attn.qkv.weight', 'attn.proj.weight', 'attn.qkv.bias']);
  expect(names(found)).toEqual(['attn.proj.bias', 'attn.proj.weight', 'attn.qkv.bias', 'attn.qkv.weight']);
});

test('statistics that share their numbers with a bias are told apart by their places', () => {
  const { found } = exported((b) => {
    const [zeros, ones] = [b.initializer('bn.running_mean', filled(vector, 0)), b.initializer('bn.weight', filled(vector, 1))];
    return b.value('Gemm', [b.value('BatchNormalization', ['x', ones, zeros, zeros, ones]), b.initializer('fc.weight', square), zeros]);
  }, [origin('bn'), origin('fc')], ['bn.running_mean', 'bn.weight', 'fc.weight']);
  expect(names(found)).toEqual(['bn.bias', 'bn.weight', 'fc.bias', 'fc.weight']);
  expect([...found.statistics].sort()).toEqual(['bn.running_mean', 'bn.running_var']);
});

test('a bias of zeros that the optimiser left out is there again, unless the call had none', () => {
  const zeroless = (call: string): string[] => names(exported((b) => b.value('Gemm', ['x', b.initializer('fc.weight', square)], { transB: 1 }), [origin('fc', call, 'RemoveOptionalBiasFromGemm')], ['fc.weight']).found);
  expect(zeroless('linear(%x, %p_fc_weight, %p_fc_bias)')).toEqual(['fc.bias', 'fc.weight']);
  expect(zeroless('linear(%x, %p_fc_weight)')).toEqual(['fc.weight']);
});

test('arrays that the exporter computed are frozen unless they are weights by their place, and a remark tells what it changed', () => {
  const { program, found } = exported((b) => b.value('Gemm', [b.value('Mul', [b.value('MatMul', ['x', b.initializer('val_3', square)]), b.initializer('cos', array([0.5, 0.25], [2]))]), b.initializer('fc.weight', square)]),
    [origin(''), origin(''), origin('fc', '', 'FuseBatchNormIntoConv')], ['fc.weight']);
  expect(names(found)).toEqual(['fc.weight', 'val_3']);
  expect(exporterRemark(program, found)).toBe('the exporter changed the module: batch normalisation folded into 1 convolution; 1 array transposed or joined under a name of its own (val_3); 1 array computed beforehand, of constants or parameters, and frozen here (cos). What is measured is with respect to the arrays of the file; for those of the module export it with optimize=False');
  expect(exporterRemark({ ...program, producer: 'tf2onnx' }, found)).toBeUndefined();
});
