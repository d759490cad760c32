import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArgumentError } from '../util/errors.ts';
import { crc32c, tensorboardHeader, tensorboardRestart, tensorboardScalars, type ScalarEvent } from './tensorboard.ts';
import { readEvents } from './tensorboard.test-helper.ts';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const filled = (f: (i: number) => number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => f(i));

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
  test.each([
    ['zeros', filled(() => 0), 0x8a9136aa],
    ['ones', filled(() => 0xff), 0x62a8ab43],
    ['rising', filled((i) => i), 0x46dd794e],
    ['falling', filled((i) => 31 - i), 0x113fdb5c],
    ['digits', ascii('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(0), 0],
  ])('%s', (_, bytes, expected) => { expect(crc32c(bytes).toString(16)).toBe(expected.toString(16)); });
});

interface Golden {
  readonly header: string;
  readonly restart: string;
  readonly scalars: readonly (ScalarEvent & { readonly record: string })[];
}
const golden = JSON.parse(readFileSync(new URL('../../test/golden/events/tensorboard.json', import.meta.url), 'utf8')) as Golden;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('records are byte for byte those of TensorBoard', () => {
  test('the first of a file', () => { expect(hex(tensorboardHeader(1700000000.5))).toBe(golden.header); });
  test('a restart', () => { expect(hex(tensorboardRestart(1700000001, 300))).toBe(golden.restart); });
  test.each(golden.scalars)('scalars of step $step', ({ record, ...event }) => { expect(hex(tensorboardScalars(event))).toBe(record); });
});

describe('records read back', () => {
  test('whatever they hold', () => {
    const scalars = fc.dictionary(fc.string(), fc.oneof(fc.float(), fc.double()), { maxKeys: 5 });
    fc.assert(fc.property(fc.array(fc.record({ wallTime: fc.double({ noNaN: true }), step: fc.maxSafeNat(), scalars }), { maxLength: 4 }), (events) => {
      const file = Buffer.concat([tensorboardHeader(1), ...events.map(tensorboardScalars)]);
      const [header, ...read] = readEvents(file);
      expect(header).toMatchObject({ wallTime: 1, step: 0, fileVersion: 'brain.Event:2' });
      expect(read.map(({ wallTime, step, scalars: found }) => ({ wallTime, step, scalars: found }))).toEqual(
        events.map(({ scalars: given, ...rest }) => ({ ...rest, scalars: Object.entries(given).map(([tag, value]) => [tag, Math.fround(value)]) })),
      );
    }));
  });

  test('numbers beyond float32 become infinite, others stay what they are', () => {
    const [event] = readEvents(tensorboardScalars({ wallTime: 0, step: 1, scalars: { large: 1e300, small: -1e300, none: NaN, infinite: Infinity } }));
    expect(event.scalars).toEqual([['large', Infinity], ['small', -Infinity], ['none', NaN], ['infinite', Infinity]]);
  });
});

test.each([-1, 0.5, NaN, 2 ** 60])('a step of %d is refused', (step) => {
  expect(() => tensorboardScalars({ wallTime: 0, step, scalars: {} })).toThrow(ArgumentError);
});
