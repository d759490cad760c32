import { describe, expect, test } from 'vitest';
import { array, NDArray } from '../../core/ndarray.ts';
import { ModelBuilder, type ModelAttribute } from '../model.ts';
import { importOnnx } from '../../interop/index.ts';
import { requireDataRange } from '../../interop/onnx-inputs.ts';
import { traceDeclared } from '../../interop/onnx-trial.ts';

type Chain = (b: ModelBuilder, tokens: string) => string;

/** Remarks about a model whose integers end as indices into a table. */
function notices(chain: Chain): string {
  const b = new ModelBuilder();
  b.input('tokens', 'int64', ['batch', 5]);
  b.output(b.value('Gather', [b.initializer('table', new NDArray(new Float32Array(8), [4, 2], 'float32')), chain(b, 'tokens')]), 'float32', undefined, 'y');
  const imported = importOnnx(b.finish());
  traceDeclared(imported);
  return imported.notices.join('\n');
}
const one = (operator: string, others: (b: ModelBuilder) => string[] = () => [], attributes: Readonly<Record<string, ModelAttribute>> = {}): Chain => (b, x) => b.value(operator, [x, ...others(b)], attributes);
const after = (...chains: readonly Chain[]): Chain => (b, x) => chains.reduce((value, chain) => chain(b, value), x);
const number = (value: number) => (b: ModelBuilder): string[] => [b.int64([value])];
const flags: Chain = after(one('Greater', number(1)), one('Cast', undefined, { to: 7 }));

describe('64-bit integers that the program computes in 32 bits', () => {
  test.each<[string, Chain]>([
    ['tokens as they are', (_, x) => x],
    ['positions of a mask: its running sum, times it, and a number', after(flags, (b, mask) => b.value('Mul', [b.value('CumSum', [mask, b.int64([1], [])]), mask]), one('Add', number(1)))],
    ['tokens limited first', after(one('Max', number(0)), one('Min', number(1000)), one('Mul', number(1000)))],
    ['tokens within limits', after(one('Clip', (b) => [b.int64([0], []), b.int64([1000], [])]), one('Mul', number(1000)))],
    ['the remainder', after(one('Mod', number(100)), one('Mul', number(1000)))],
    ['the place of the largest', after(one('ArgMax', undefined, { axis: 1 }), one('Add', number(7)))],
    ['a count', after(flags, one('ReduceSum', number(1), { keepdims: 0 }), one('Mul', number(1e6)))],
    ['another type', after(one('Cast', undefined, { to: 6 }), (b, x) => b.value('Mul', [x, x]))],
  ])('%s: nothing is said', (_, chain) => expect(notices(chain)).toBe(''));

  test.each<[string, Chain, RegExp]>([
    ['a product', one('Mul', number(1000)), /^64-bit integers are computed in 32 bits, and would be wrong beyond 2147483647 at 'Mul_\d+' \(Mul\)$/],
    ['a sum', one('Add', number(1)), /\(Add\)/],
    ['a running sum', one('CumSum', (b) => [b.int64([1], [])]), /\(CumSum\)/],
    ['a power', after(one('Mod', number(100)), one('Pow', number(9))), /\(Pow\)/],
    ['a rounded number', after(one('Cast', undefined, { to: 1 }), one('Cast', undefined, { to: 7 })), /at 'Cast_\d+' \(Cast\)$/],
    ['many nodes', (b, x) => Array.from({ length: 8 }).reduce<string>((value) => b.value('Mul', [value, ...number(2)(b)]), x), /and 3 more nodes/],
  ])('%s: its node is named', (_, chain, remark) => expect(notices(chain)).toMatch(remark));
});

describe('integers from outside', () => {
  test('64-bit arrays are checked where they become 32-bit ones', () => {
    expect(Array.from(array(BigInt64Array.of(-1n, 7n), [2], 'int32').data)).toEqual([-1, 7]);
    expect(() => array(BigInt64Array.of(1n, 2n ** 40n), [2], 'int32')).toThrow(/must fit 32 bits, got 1099511627776 at element 1/);
    expect(() => array([0, 1, 2 ** 31], [3], 'int32')).toThrow(/got 2147483648 at element 2/);
  });

  test('data that the declared type does not hold', () => {
    const pixels = array([0, 255, 256], [3], 'int32');
    expect(() => requireDataRange({ name: 'x', type: 'uint8', shape: undefined }, pixels, 'training data')).toThrow(/training data of input 'x' must lie in 0\.\.255, as uint8 does, got 256 at element 2/);
    expect(() => requireDataRange({ name: 'x', type: 'int64', shape: undefined }, pixels, 'training data')).not.toThrow();
  });

  test.each([[2 ** 40, /got 1099511627776/], [0.5, /got 0\.5/], [array([1, NaN], [2]), /got NaN at element 1/]] as const)('%s for an integer input', (value, message) => {
    const b = new ModelBuilder();
    b.input('x', 'float32', ['n', 2]);
    b.input('shift', 'int64', [2]);
    b.output(b.value('Add', ['x', b.value('Cast', ['shift'], { to: 1 })]), 'float32', undefined, 'y');
    expect(() => traceDeclared(importOnnx(b.finish(), { input: 'x', values: { shift: value } }))).toThrow(message);
  });
});
