import { describe, expect, test } from 'vitest';
import { parseTable } from './csv.ts';

test('a header, names as labels, a quoted field', () => {
  const { inputs, targets, columns, classes, target } = parseTable('width,"height, cm",class\n1.5,2,oak\n3,4,ash\n-5e-1,6,oak\n7,8,ash\n');
  expect([columns, target, classes]).toEqual([['width', 'height, cm'], 'class', ['ash', 'oak']]);
  expect([inputs.shape, Array.from(inputs.data)]).toEqual([[4, 2], [1.5, 2, 3, 4, -0.5, 6, 7, 8]]);
  expect([targets.dtype, Array.from(targets.data)]).toEqual(['int32', [1, 0, 1, 0]]);
});

test('without a header the last column is the target; whole numbers are labels, others are not', () => {
  expect(parseTable('1,2,0\n3,4,1').targets.dtype).toBe('int32');
  const { targets, columns } = parseTable('1\t2\t0.5\n3\t4\t1\n');
  expect([targets.dtype, Array.from(targets.data), columns]).toEqual(['float32', [0.5, 1], ['0', '1']]);
});

test('the target by name, number and usual name', () => {
  expect(parseTable('a,b\n1,2\n3,4', { target: 'a' }).columns).toEqual(['b']);
  expect(parseTable('1,2\n3,4', { target: '0' }).columns).toEqual(['1']);
  expect(parseTable('y,b\n1,2\n3,4').target).toBe('y');
});

describe('refusals name line and column', () => {
  test.each([
    ['a,b\n1,2\n,4', "x.csv: column 'a' must hold finite numbers, got nothing in line 3."],
    ['a,b\n1,2\nNaN,4', "column 'a' must hold finite numbers, got 'NaN' in line 3"],
    ['a,b\n1,2\n3', 'every row must have 2 values, got 1 in line 3'],
    ['a,b\n1,\n3,4', "column 'b' must have a value in every row, got nothing in line 2"],
    ['a,b\n1,u\n3,v\n4,w', "column 'b' must hold labels that repeat, or numbers, got 3 different texts in 3 rows"],
    ['', 'the table must have rows, got none'],
    ['a,b\n', 'rows besides its header'],
    ['1\n2', 'at least one of inputs, got 1 column'],
  ])('%j', (text, message) => { expect(() => parseTable(text, { name: 'x.csv' })).toThrow(message); });
  test('an unknown target', () => { expect(() => parseTable('a,b\n1,2', { target: 'c' })).toThrow("the target must be one of the columns a, b, got 'c'"); });
});
