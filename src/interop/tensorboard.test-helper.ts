/** Reads event files byte by byte, sharing no code with what writes them: checksums bit by bit, fields by the wire format's rules. @module */

export interface ReadEvent {
  wallTime: number;
  step: number;
  fileVersion?: string;
  restart?: boolean;
  scalars: [tag: string, value: number][];
}

/** CRC-32C by long division of the reflected polynomial. */
function checksum(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const low = (crc ^ (byte >>> bit)) & 1;
      crc = (crc >>> 1) ^ (low === 1 ? 0x82f63b78 : 0);
    }
  }
  return ~crc >>> 0;
}
const masked = (bytes: Uint8Array): number => { const crc = checksum(bytes); return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0; };

type Field = [number: number, value: bigint | Uint8Array];

function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('a field is longer than its message');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    if (wire === 0) fields.push([key >>> 3, varint()]);
    else fields.push([key >>> 3, take(wire === 1 ? 8 : wire === 5 ? 4 : Number(varint()))]);
  }
  return fields;
}

const view = (value: bigint | Uint8Array): DataView => { const bytes = value as Uint8Array; return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength); };
const text = (value: bigint | Uint8Array): string => new TextDecoder().decode(value as Uint8Array);

function eventOf(bytes: Uint8Array): ReadEvent {
  const event: ReadEvent = { wallTime: 0, step: 0, scalars: [] };
  for (const [number, value] of fieldsOf(bytes)) {
    if (number === 1) event.wallTime = view(value).getFloat64(0, true);
    else if (number === 2) event.step = Number(value);
    else if (number === 3) event.fileVersion = text(value);
    else if (number === 7) event.restart = fieldsOf(value as Uint8Array).some(([field, status]) => field === 1 && status === 1n);
    else if (number === 5) {
      for (const [, message] of fieldsOf(value as Uint8Array)) {
        const parts = new Map(fieldsOf(message as Uint8Array));
        event.scalars.push([parts.has(1) ? text(parts.get(1)!) : '', view(parts.get(2)!).getFloat32(0, true)]);
      }
    }
  }
  return event;
}

/** The events of a file. Throws where a checksum or a length is wrong. */
export function readEvents(file: Uint8Array): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length;) {
    const frame = new DataView(file.buffer, file.byteOffset + at, file.length - at);
    const length = Number(frame.getBigUint64(0, true));
    const data = file.subarray(at + 12, at + 12 + length);
    if (frame.getUint32(8, true) !== masked(file.subarray(at, at + 8))) throw new Error('checksum of a length');
    if (frame.getUint32(12 + length, true) !== masked(data)) throw new Error('checksum of an event');
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}
