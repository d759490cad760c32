import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { array, NDArray, type DType } from '../core/ndarray.ts';
import { ArgumentError, DataError } from '../util/errors.ts';
import { encodeSafetensors, parseSafetensors } from './index.ts';

/** A file from a header text and elements. */
function file(header: string | object, data: Uint8Array | number = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const body = typeof data === 'number' ? new Uint8Array(data) : data;
  const out = new Uint8Array(8 + text.length + body.length);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  out.set(body, 8 + text.length);
  return out;
}

const one = (dtype: string, shape: number[], data: Uint8Array): NDArray => parseSafetensors(file({ x: { dtype, shape, data_offsets: [0, data.length] } }, data)).read('x');

describe('element types', () => {
  test('all 65,536 halves are what IEEE 754 says, exactly', () => {
    const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const { data, dtype } = one('F16', [65536], new Uint8Array(halves.buffer));
    expect(dtype).toBe('float32');
    const expected = (bits: number): number => {
      const sign = bits >> 15 === 1 ? -1 : 1;
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
      return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
    };
    for (let i = 0; i < 65536; i++) if (!Object.is(data[i], expected(i))) expect([i, data[i]]).toEqual([i, expected(i)]);
  });

  test('bfloat16 is the upper half of float32', () => {
    const bits = new Uint16Array([0x3f80, 0xc000, 0x7f80, 0xff80, 0x0001, 0x8000, 0x4049]);
    expect([...one('BF16', [7], new Uint8Array(bits.buffer)).data]).toEqual([1, -2, Infinity, -Infinity, 2 ** -133, -0, 3.140625]);
    expect(one('BF16', [1], new Uint8Array([0xc0, 0x7f])).data[0]).toBeNaN();
  });

  test('integers become int32, or say which does not fit', () => {
    expect([...one('I64', [2], new Uint8Array(new BigInt64Array([-5n, 2147483647n]).buffer)).data]).toEqual([-5, 2147483647]);
    expect([...one('I16', [2], new Uint8Array(new Int16Array([-5, 32767]).buffer)).data]).toEqual([-5, 32767]);
    expect([...one('U16', [1], new Uint8Array([255, 255])).data]).toEqual([65535]);
    expect([...one('I8', [2], new Uint8Array([255, 127])).data]).toEqual([-1, 127]);
    expect([...one('U8', [2], new Uint8Array([255, 1])).data]).toEqual([255, 1]);
    expect(one('BOOL', [3], new Uint8Array([0, 1, 1]))).toEqual(array([0, 1, 1], [3], 'bool'));
    expect(() => one('I64', [1], new Uint8Array(new BigInt64Array([2n ** 40n]).buffer))).toThrowErrorMatchingInlineSnapshot(`[DataError: safetensors file in memory: integers of 'x' (I64) must fit into 32 bits, got 1099511627776 at element 0.]`);
    expect(() => one('U32', [1], new Uint8Array([0, 0, 0, 255]))).toThrow(/'x' \(U32\) must fit/);
  });

  test('types without a counterpart stand in a header, but are not read', () => {
    const parsed = parseSafetensors(file({ a: { dtype: 'F8_E4M3', shape: [2], data_offsets: [0, 2] }, b: { dtype: 'F32', shape: [1], data_offsets: [2, 6] } }, 6));
    expect([...parsed.read('b').data]).toEqual([0]);
    expect(() => parsed.read('a')).toThrow(/type of 'a' must be one of F64.*got F8_E4M3/);
    expect(() => parsed.read('c')).toThrow(/must be asked for, got 'c'/);
  });
});

describe('the file', () => {
  test('of the format description is read: an object, padding, metadata, a scalar, an empty tensor', () => {
    const parsed = parseSafetensors(file('{"__metadata__":{"format":"pt"},"e":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}   ', new Uint8Array(new Float32Array([2.5]).buffer)));
    expect(parsed.metadata).toEqual({ format: 'pt' });
    expect(parsed.read('s')).toEqual(array([2.5], [], 'float32'));
    expect(parsed.read('e').shape).toEqual([0, 3]);
    expect(parseSafetensors(file('{}')).tensors).toEqual([]);
  });

  test('is written as the reference implementation writes it, byte for byte', () => {
    const bytes = encodeSafetensors({ b: array([1, 2], [2], 'float32'), a: array([3], [1], 'float32'), w: array([4], [], 'float64') }, { format: 'pt' });
    // Written by the Python package safetensors (save_file of the same arrays).
    const expected = '\xc8\0\0\0\0\0\0\0{"__metadata__":{"format":"pt"},"w":{"dtype":"F64","shape":[],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}       \0\0\0\0\0\0\x10@\0\0@@\0\0\x80?\0\0\0@';
    expect(String.fromCharCode(...bytes)).toBe(expected);
    expect(() => encodeSafetensors({ __metadata__: array([1]) })).toThrow(ArgumentError);
  });

  test('comes back as it was written', () => {
    const name = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('1', '0', 'constructor', '__proto__x', 'a"b\\c\n')).filter((text) => text !== '__metadata__' && text !== '__proto__');
    const tensor = fc.tuple(fc.constantFrom<DType>('float32', 'float64', 'int32', 'bool'), fc.array(fc.nat(3), { maxLength: 3 })).chain(([dtype, shape]) =>
      fc.array(dtype === 'bool' ? fc.nat(1) : fc.integer({ min: -1000, max: 1000 }), { minLength: shape.reduce((a, b) => a * b, 1), maxLength: shape.reduce((a, b) => a * b, 1) }).map((values) => array(Float64Array.from(values), shape, dtype)));
    fc.assert(fc.property(fc.dictionary(name, tensor, { maxKeys: 6, noNullPrototype: true }), (arrays) => {
      const parsed = parseSafetensors(encodeSafetensors(arrays));
      expect(parsed.tensors.map((entry) => entry.name).sort()).toEqual(Object.keys(arrays).sort());
      for (const [key, value] of Object.entries(arrays)) expect(parsed.read(key)).toEqual(value);
      // Every tensor is aligned to its own element, so that nothing needs copying.
      for (const { name: key, offset } of parsed.tensors) expect(offset % arrays[key].data.BYTES_PER_ELEMENT).toBe(0);
    }), { numRuns: 200 });
  });
});

describe('a malformed file is a DataError that says what is wrong', () => {
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32'): object => ({ dtype, shape, data_offsets: [begin, end] });
  const long = (low: number, high: number): Uint8Array => { const bytes = new Uint8Array(64); new DataView(bytes.buffer).setUint32(0, low, true); new DataView(bytes.buffer).setUint32(4, high, true); return bytes; };
  test.each<[string, Uint8Array, RegExp]>([
    ['0 bytes', new Uint8Array(0), /must begin with the header's length in 8 bytes, got 0 bytes.*\n.*empty or cut short/],
    ['7 bytes', new Uint8Array(7), /got 7 bytes/],
    ['a header of 0 bytes', new Uint8Array(8), /must be a JSON object, got 0 bytes/],
    ['a header longer than the limit', long(100_000_001, 0), /at most 100000000 bytes, got 100000001/],
    ['a header of 2^63 bytes', long(0, 2 ** 31), /at most 100000000 bytes, got 92233720368547/],
    ['a header longer than the file', long(57, 0), /header of 57 bytes must lie inside the file, got a file of 64 bytes/],
    ['no JSON', file('{"x":'), /must be JSON in UTF-8/],
    ['bytes that are not UTF-8', file('{"\uFFFD":1}').map((byte) => (byte === 0xbd ? 0xff : byte)), /must be JSON in UTF-8/],
    ['a list', file('[]'), /object that begins with '\{', got "\[\]"/],
    ['a space before the object', file(' {}'), /begins with/],
    ['null', file('null'), /begins with/],
    ['an entry that is no object', file({ x: 3 }), /dtype of 'x' must be one of F64.*got undefined/],
    ['an unknown type', file({ x: entry(0, 4, [1], 'F31') }, 4), /dtype of 'x'.*got "F31"/],
    ['a type from the prototype', file({ x: entry(0, 4, [1], 'toString') }, 4), /dtype of 'x'/],
    ['a negative extent', file({ x: entry(0, 4, [-1]) }, 4), /shape of 'x' must be a list of non-negative integers, got \[-1\]/],
    ['a fractional extent', file({ x: entry(0, 4, [1.5]) }, 4), /shape of 'x'/],
    ['an overflowing shape', file({ x: entry(0, 4, [2 ** 40, 2 ** 40]) }, 4), /shape \[1099511627776,1099511627776\] must have/],
    ['offsets in the wrong order', file({ x: entry(4, 0, [1]) }, 4), /begin <= end, got \[4,0\]/],
    ['three offsets', file({ x: { dtype: 'F32', shape: [1], data_offsets: [0, 4, 8] } }, 8), /two integers/],
    ['bytes that do not fit the shape', file({ x: entry(0, 8, [1]) }, 8), /shape \[1\] must have 4 bytes, got 8/],
    ['overlapping tensors', file({ a: entry(0, 8), b: entry(4, 12) }, 12), /'b' must begin where 'a' ends, got an overlap of 4 bytes/],
    ['a hole', file({ a: entry(0, 4), b: entry(8, 12) }, 12), /'b' must begin where 'a' ends, got a hole of 4 bytes/],
    ['a hole at the start', file({ a: entry(4, 8) }, 8), /'a' must begin where the header ends, got a hole/],
    ['a file cut short', file({ a: entry(0, 8) }, 7), /must have \d+ bytes, got \d+: it is cut short/],
    ['bytes after the last tensor', file({ a: entry(0, 8) }, 9), /must end with 'a' at byte \d+, got 1 bytes more/],
    ['a name twice', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /every name must occur once, got 'a' twice/],
    ['a name twice, once escaped', file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061"  :{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /'a' twice/],
    ['metadata that are not texts', file({ __metadata__: { n: 1 } }), /__metadata__ 'n' must be a text, got 1/],
    ['metadata that are a list', file({ __metadata__: [] }), /object of texts/],
  ])('%s', (_, bytes, message) => {
    expect(() => parseSafetensors(bytes)).toThrow(DataError);
    expect(() => parseSafetensors(bytes)).toThrow(message);
  });

  test('whatever bytes are changed, inserted or cut: a valid file or a DataError, and no tensor outside of the file', () => {
    const valid = encodeSafetensors({ 'layers.0.weight': array([1, 2, 3, 4, 5, 6], [2, 3]), 'layers.0.bias': array([1, 2], [2]), steps: array([7], [], 'int32') }, { format: 'pt' });
    const edit = fc.record({ at: fc.nat(valid.length - 1), byte: fc.oneof(fc.nat(255), fc.constantFrom(...[...'{}[]",:0123456789-.eE\\ '].map((c) => c.charCodeAt(0)))), kind: fc.constantFrom('change', 'insert', 'cut', 'drop') });
    let refused = 0;
    fc.assert(fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let bytes = [...valid];
      for (const { at, byte, kind } of edits) {
        if (kind === 'change') bytes[at % Math.max(1, bytes.length)] = byte;
        else if (kind === 'insert') bytes.splice(at, 0, byte);
        else if (kind === 'drop') bytes.splice(at, 1);
        else bytes = bytes.slice(0, at);
      }
      try {
        const parsed = parseSafetensors(Uint8Array.from(bytes));
        for (const { name } of parsed.tensors) parsed.read(name);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        refused++;
      }
    }), { numRuns: 3000, seed: 1 });
    expect(refused).toBeGreaterThan(1000);
  });

  test('headers drawn at random', () => {
    const field = fc.oneof(fc.integer({ min: -2, max: 20 }), fc.constantFrom('F32', 'F16', 'U8', 'BOOL', 'X'), fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }));
    const header = fc.dictionary(fc.constantFrom('a', 'b', '__metadata__', ''), fc.record({ dtype: field, shape: field, data_offsets: field }, { requiredKeys: [] }), { maxKeys: 3 });
    fc.assert(fc.property(header, fc.nat(40), (value, size) => {
      try {
        for (const { offset, bytes } of parseSafetensors(file(value, size)).tensors) expect(offset + bytes).toBeLessThanOrEqual(file(value, size).length);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }), { numRuns: 2000 });
  });
});
