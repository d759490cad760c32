import { describe, expect, test } from 'vitest';
import { array, filled, type NDArray } from '../../core/ndarray.ts';
import { ArgumentError } from '../../util/errors.ts';
import { ModelBuilder } from '../model.ts';
import { equalInitialisers, normaliseInitialisers, tieInitialisers } from './initialisers.ts';
import { classifyInitialisers, type Classified } from './parameters.ts';
import { parseOnnx } from './parse.ts';
import type { ImportedProgram } from './graph.ts';

const ramp = (shape: number[], factor = 1): NDArray => array(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => factor * (i + 1)), shape);

function programOf(fill: (builder: ModelBuilder) => string): ImportedProgram {
  const builder = new ModelBuilder();
  builder.input('x', 'float32', ['batch', 4]);
  builder.output(fill(builder), 'float32', undefined, 'y');
  return normaliseInitialisers(parseOnnx(builder.finish()));
}
const classify = (fill: (builder: ModelBuilder) => string, select?: readonly string[]): Classified => classifyInitialisers(programOf(fill), ['y'], select);
const names = (rows: readonly { readonly name: string }[]): string[] => rows.map(({ name }) => name);
const reasons = ({ frozen }: Classified): Record<string, string> => Object.fromEntries(frozen.map(({ name, reason }) => [name, reason]));

describe('parameters are the arrays that derivatives reach', () => {
  test('weights and biases, with their first use', () => {
    const { parameters } = classify((b) => b.value('Gemm', ['x', b.initializer('w', ramp([4, 3])), b.initializer('b', ramp([3]))]));
    expect(parameters.map(({ name, size, use }) => [name, size, use.replace(/_\d+/, '')])).toEqual([['w', 12, 'Gemm (Gemm)'], ['b', 3, 'Gemm (Gemm)']]);
  });

  test('also behind Transpose, Reshape, Cast, and added to a product with one element', () => {
    const found = classify((b) => {
      const w = b.value('Cast', [b.value('Reshape', [b.value('Transpose', [b.initializer('w', ramp([2, 2]))]), b.int64([4, 1])])], { to: 1 });
      return b.value('Add', [b.value('MatMul', ['x', w]), b.initializer('bias', ramp([1]))]);
    });
    expect(names(found.parameters)).toEqual(['w', 'bias']);
  });

  test('inside branches and loops', () => {
    const found = classify((b) => {
      const w = b.initializer('w', ramp([4, 4]));
      return b.node('Loop', [b.int64([2], []), '', 'x'], { body: b.subgraph((body) => {
        body.input('step', 'int64', []);
        body.input('goes_on', 'bool', []);
        const value = body.input('value', 'float32');
        body.output(body.value('Identity', ['goes_on']), 'bool');
        body.output(body.value('MatMul', [value, w]), 'float32');
      }) })[0];
    });
    expect(names(found.parameters)).toEqual(['w']);
  });
});

describe('other arrays are frozen, with the reason', () => {
  test('single numbers, limits, masks, what the output does not need, what only comparisons read', () => {
    const found = classify((b) => {
      const scaled = b.value('Mul', [b.value('MatMul', ['x', b.initializer('w', ramp([4, 4]))]), b.initializer('scale', array([0.5], []))]);
      const clipped = b.value('Clip', [scaled, b.initializer('low', array([0], [])), b.initializer('high', array([6], []))]);
      const masked = b.value('Add', [clipped, b.initializer('mask', array([0, -Infinity, 0, -1e9]))]);
      const chosen = b.value('Greater', ['x', b.initializer('threshold', ramp([4]))]);
      b.initializer('unused', ramp([7]));
      return b.value('Where', [chosen, masked, b.initializer('other', ramp([4]))]);
    });
    expect(names(found.parameters)).toEqual(['w', 'other']);
    const because = reasons(found);
    expect(because['scale']).toMatch(/one number in Mul_\d+ \(Mul\): taken for a constant/);
    expect(because['low']).toMatch(/a setting of Clip/);
    expect(because['mask']).toMatch(/a mask/);
    expect(because['unused']).toBe('the output does not depend on it');
    expect(because['threshold']).toMatch(/only operators without gradient, the first Greater/);
  });

  test('running statistics are state', () => {
    const found = classify((b) => b.value('BatchNormalization', ['x', b.initializer('scale', ramp([4])), b.initializer('bias', ramp([4])), b.initializer('mean', ramp([4])), b.initializer('variance', ramp([4]))]));
    expect(names(found.parameters)).toEqual(['scale', 'bias']);
    expect(found.statistics).toEqual(['mean', 'variance']);
    expect(found.frozen).toEqual([]);
  });
});

describe('patterns override', () => {
  const net = (b: ModelBuilder): string => b.value('Mul', [b.value('Gemm', ['x', b.initializer('a.weight', ramp([4, 3])), b.initializer('a.bias', ramp([3]))]), b.initializer('scale', array([2], []))]);
  test('later entries win', () => {
    expect(names(classify(net, ['-a.*', '+a.bias', '+scale']).parameters)).toEqual(['a.bias', 'scale']);
    expect(reasons(classify(net, ['-*.weight']))['a.weight']).toBe("frozen by '-*.weight'");
  });
  test('dots are dots', () => expect(() => classify(net, ['-aXbias'])).toThrow(ArgumentError));
  test.each([[['w'], /'\+PATTERN' to train or '-PATTERN' to freeze, got 'w'/], [['+nothing*'], /must fit some floating-point array of the model, got none of a\.weight, a\.bias, scale/]])('%j is refused', (select, message) => {
    expect(() => classify(net, select)).toThrow(message);
  });
  test('what derivatives do not reach cannot be trained', () => {
    expect(() => classify((b) => b.value('Clip', ['x', b.initializer('low', array([0], []))]), ['+low'])).toThrow(/'low': a setting of Clip/);
  });
});

describe('what exporters do to arrays is undone', () => {
  test('equal constant arrays behind Identity are arrays of their own; equal weights stay tied', () => {
    const program = programOf((b) => {
      const zero = b.initializer('a.bias', filled([4], 0));
      const [copy] = b.node('Identity', [zero], {}, ['b.bias']);
      const [tied] = b.node('Identity', [b.initializer('a.weight', ramp([4, 4]))], {}, ['b.weight']);
      return b.value('Gemm', [b.value('Gemm', ['x', 'a.weight', zero]), tied, copy]);
    });
    expect(names(classifyInitialisers(program, ['y']).parameters).sort()).toEqual(['a.bias', 'a.weight', 'b.bias']);
  });

  test('weights in Constant nodes are parameters where their place says so, and constants elsewhere', () => {
    const program = programOf((b) => {
      const [w] = b.node('Constant', [], { value: { tensor: ramp([4, 4]) } }, ['w']);
      const [table] = b.node('Constant', [], { value: { tensor: ramp([4]) } }, ['table']);
      return b.value('Add', [b.value('Tanh', [b.value('MatMul', ['x', w])]), table]);
    });
    const found = classifyInitialisers(program, ['y']);
    expect(names(found.parameters)).toEqual(['w']);
    expect(reasons(found)['table']).toMatch(/a constant that the exporter made/);
  });

  test('weights written twice are found, and tied on request', () => {
    const program = programOf((b) => b.value('MatMul', [b.value('MatMul', ['x', b.initializer('a', ramp([4, 4]))]), b.initializer('b', ramp([4, 4]))]));
    expect(equalInitialisers(program, ['a', 'b'])).toEqual([['b', 'a']]);
    expect(names(classifyInitialisers(tieInitialisers(program, { b: 'a' }), ['y']).parameters)).toEqual(['a']);
    const transposed = programOf((b) => b.value('Gemm', [b.value('MatMul', ['x', b.initializer('a', ramp([4, 2]))]), b.initializer('b', array([1, 3, 5, 7, 2, 4, 6, 8], [2, 4]))]));
    expect(equalInitialisers(transposed, ['a', 'b'])).toEqual([['b', 'a']]);
    expect(names(classifyInitialisers(tieInitialisers(transposed, { b: 'a' }), ['y']).parameters)).toEqual(['a']);
    expect(() => tieInitialisers(programOf((b) => b.value('MatMul', ['x', b.value('Add', [b.initializer('a', ramp([4, 4])), b.initializer('b', ramp([4, 4], 2))])])), { b: 'a' })).toThrow(/tied arrays must be equal/);
    expect(() => tieInitialisers(program, { b: 'c' })).toThrow(/option tied .*got 'c'/);
    expect(() => tieInitialisers(program, { b: 'a', a: 'b' })).toThrow(ArgumentError);
  });
});
