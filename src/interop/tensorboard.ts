/** The event files of TensorBoard: scalars over steps, as records that are appended to a file. @module */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ArgumentError } from '../util/errors.ts';

/** Scalars of one moment. */
export interface ScalarEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** By tag; names with `/` are grouped by what stands before it. Kept in float32, as TensorBoard does. */
  readonly scalars: Readonly<Record<string, number>>;
}

const VERSION = 'brain.Event:2';
/** `SessionLog.START`: what earlier files hold of later steps is dropped by the reader. */
const START = 1;
const MASK_DELTA = 0xa282ead8;

/** Table of CRC-32C (Castagnoli 1993): the reflected polynomial, byte by byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder >>> 0;
});

/** The CRC-32C of some bytes, as RFC 3720 (appendix B.4) defines it. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

/** As records store it: rotated and shifted, so that the checksum of data with checksums in them is no special case. */
const masked = (bytes: Uint8Array): number => { const crc = crc32c(bytes); return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0; };

/** A TFRecord: length as 64 bits, its checksum, the data, their checksum; all little-endian. */
function record(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(data.length + 16);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(framed.subarray(0, 8)), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, masked(data), true);
  return framed;
}

// Field numbers are those of tensorboard/compat/proto/event.proto and summary.proto.
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2 } as const;
const SESSION_LOG = { status: 1 } as const;

function event(operation: string, wallTime: number, step: number): BinaryWriter {
  if (!Number.isSafeInteger(step) || step < 0) throw new ArgumentError({ operation, required: 'step must be an integer of at least 0', received: String(step) });
  const writer = new BinaryWriter().tag(EVENT.wallTime, WireType.Bit64).double(wallTime);
  // Zero is what an absent field means.
  return step === 0 ? writer : writer.tag(EVENT.step, WireType.Varint).int64(step);
}

/** The record that an event file begins with. */
export const tensorboardHeader = (wallTime: number): Uint8Array => record(event('tensorboardHeader', wallTime, 0).tag(EVENT.fileVersion, WireType.LengthDelimited).string(VERSION).finish());

/** The record that makes a reader drop what earlier files of the run hold from `step` on: a run that is resumed. */
export const tensorboardRestart = (wallTime: number, step: number): Uint8Array => record(
  event('tensorboardRestart', wallTime, step).tag(EVENT.sessionLog, WireType.LengthDelimited).fork().tag(SESSION_LOG.status, WireType.Varint).int32(START).join().finish(),
);

/**
 * The record of some scalars: TFRecord framing around an `Event` with a `Summary`.
 *
 * @throws ArgumentError when `step` is no integer of at least 0.
 */
export function tensorboardScalars({ wallTime, step, scalars }: ScalarEvent): Uint8Array {
  const writer = event('tensorboardScalars', wallTime, step).tag(EVENT.summary, WireType.LengthDelimited).fork();
  for (const [tag, value] of Object.entries(scalars)) {
    writer.tag(SUMMARY.value, WireType.LengthDelimited).fork().tag(VALUE.tag, WireType.LengthDelimited).string(tag).tag(VALUE.simpleValue, WireType.Bit32);
    // The writer refuses what float32 cannot hold; an infinity says it better than an exception in the middle of a run.
    writer.float(Math.fround(value)).join();
  }
  return record(writer.join().finish());
}
