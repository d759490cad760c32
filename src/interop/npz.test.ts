import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NDArray } from '../core/ndarray.ts';
import { encodeNpy, parseNpy } from './npy.ts';
import { encodeNpz, parseNpz } from './npz.ts';

const golden = (name: string): URL => new URL(`../../test/golden/arrays/${name}`, import.meta.url);
const archive = new Uint8Array(readFileSync(golden('arrays.npz')));
const expected = JSON.parse(readFileSync(golden('arrays.json'), 'utf8')) as Record<string, { shape: number[]; elements: number[] }>;

test('every type, byte order, element order and version of NumPy', () => {
  const arrays = parseNpz(archive);
  expect([...arrays.keys()]).toEqual(Object.keys(expected));
  for (const [name, { shape, elements }] of Object.entries(expected)) {
    const array = arrays.get(name)!;
    expect({ name, shape: array.shape, elements: Array.from(array.data) }).toEqual({ name, shape, elements });
    expect([name, array.dtype]).toEqual([name, /^(b1)/.test(name) ? 'bool' : /^[iu]\d|^negative/.test(name) ? 'int32' : 'float32']);
  }
  expect(parseNpz(archive, { only: ['f8'], float64As: 'float64' }).get('f8')!.dtype).toBe('float64');
});

const types = [['float32', Float32Array], ['float64', Float64Array], ['int32', Int32Array], ['bool', Uint8Array]] as const;
const anyArray = fc.tuple(fc.constantFrom(...types), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), fc.integer()).map(([[dtype, Type], shape, seed]) => {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = Array.from({ length: size }, (_, i) => (dtype === 'bool' ? (i + seed) & 1 : Math.sin(seed + i) * 1000));
  return new NDArray(Type.from(values), shape, dtype);
});

test('what is written is read', () => {
  fc.assert(fc.property(anyArray, anyArray, (x, y) => {
    const read = parseNpz(encodeNpz({ x, 'layer.0/y': y }), { float64As: 'float64' });
    for (const [name, value] of [['x', x], ['layer.0/y', y]] as const) {
      const { data, shape, dtype } = read.get(name)!;
      expect({ data, shape, dtype }).toEqual({ data: value.data, shape: value.shape, dtype: value.dtype });
    }
  }), { numRuns: 60 });
});

describe('refusals', () => {
  const whole = encodeNpy(new NDArray(Float32Array.of(1, 2, 3), [3], 'float32'));
  const withHeader = (text: string): Uint8Array => {
    const out = new Uint8Array(10 + text.length);
    out.set([...whole.subarray(0, 8), text.length & 255, text.length >> 8]);
    out.set(new TextEncoder().encode(text), 10);
    return out;
  };
  const header = (descr: string, shape: string): Uint8Array => withHeader(`{'descr': ${descr}, 'fortran_order': False, 'shape': (${shape}), }`);
  test.each([
    ['nothing', new Uint8Array(), 'ten bytes of magic number, version and length, got 0 bytes'],
    ['another format', new Uint8Array(20), 'the file must begin with the magic number'],
    ['half a file', whole.subarray(0, whole.length - 1), "'<f4' of shape [3] must have 12 bytes of elements, got 11: the file is cut short"],
    ['half a header', whole.subarray(0, 40), 'must lie inside the file'],
    ['an impossible shape', header("'<f4'", '99999999999, 99999999999'), 'must have'],
    ['complex numbers', header("'<c8'", '3,'), "got '<c8' (complex numbers)"],
    ['objects', header("'|O'", '3,'), "got '|O' (Python objects)"],
    ['records', header("[('a', '<f4')]", '3,'), 'got records of several fields'],
    ['no dictionary', withHeader('import os; os.abort()'), 'the header must be a dictionary'],
    ['a newer version', whole.with(6, 9), 'version of the format must be 1, 2 or 3, got 9'],
  ])('%s', (_name, bytes, message) => { expect(() => parseNpy(bytes, { name: 'x.npy' })).toThrow(message); });

  test('an integer that does not fit is named with its place', () => {
    const bytes = new Uint8Array([...header("'<i8'", '2,'), ...new Uint8Array(BigInt64Array.of(7n, 2n ** 40n).buffer)]);
    expect(() => parseNpy(bytes)).toThrow('integers must fit 32 bits, got 1099511627776 at element 1');
  });

  test('archives', () => {
    expect(() => parseNpz(new Uint8Array(), { name: 'a.npz' })).toThrow('NumPy archive a.npz: the file must be a zip archive of arrays, got no bytes');
    expect(() => parseNpz(archive.subarray(0, archive.length - 30))).toThrow('the archive must be whole');
    // Random damage gives a clear refusal or the arrays, never another error.
    fc.assert(fc.property(fc.nat(archive.length - 1), fc.nat(255), (at, byte) => {
      try {
        parseNpz(archive.with(at, byte));
      } catch (error) {
        expect((error as Error).name).toBe('DataError');
      }
    }), { numRuns: 300 });
  });

  test('an entry that claims more than its bytes can hold', () => {
    const bomb = encodeNpz({ x: new NDArray(new Float32Array(100_000), [100_000], 'float32') });
    expect(() => parseNpz(bomb, { mostBytes: 1000 })).toThrow('got 400128 bytes');
  });
});
