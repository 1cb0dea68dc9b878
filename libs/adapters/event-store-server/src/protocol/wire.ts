/**
 * Protocol Buffers by hand. The generated classes turn every payload into base64 and back, which costs more than the
 * rest of an append together; here a payload is a slice of the request until it is copied once into the stored event.
 */

/** Revisions and positions are JS numbers; every 64-bit value from here on (the end, a tombstone) saturates to this one. */
export const LAST = Number.MAX_SAFE_INTEGER;

/** What the wire carries for `LAST`: the largest signed 64-bit number. */
const LAST_ON_WIRE = 2n ** 63n - 1n;
const LAST_BYTES = 9;

export class MalformedMessage extends Error {}

export interface Cursor {
  readonly buffer: Buffer;
  at: number;
  readonly end: number;
}

export const cursorOf = (buffer: Buffer): Cursor => ({ buffer, at: 0, end: buffer.length });

export const hasMore = (cursor: Cursor): boolean => cursor.at < cursor.end;

export const readVarint = (cursor: Cursor): number => {
  let value = 0;
  let factor = 1;
  while (cursor.at < cursor.end) {
    const byte = cursor.buffer[cursor.at++] ?? 0;
    value += (byte & 127) * factor;
    if (byte < 128) return value > LAST ? LAST : value;
    factor *= 128;
  }
  throw new MalformedMessage('a number is cut off');
};

const readSigned64 = (cursor: Cursor): bigint => {
  let value = 0n;
  for (let shift = 0n; cursor.at < cursor.end; shift += 7n) {
    const byte = cursor.buffer[cursor.at++] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asUintN(64, value);
  }
  throw new MalformedMessage('a number is cut off');
};

export const readBytes = (cursor: Cursor): Buffer => {
  const length = readVarint(cursor);
  const start = cursor.at;
  if (start + length > cursor.end) throw new MalformedMessage('a field is cut off');
  cursor.at = start + length;
  return cursor.buffer.subarray(start, cursor.at);
};

export const readText = (cursor: Cursor): string => {
  const length = readVarint(cursor);
  const start = cursor.at;
  if (start + length > cursor.end) throw new MalformedMessage('a field is cut off');
  cursor.at = start + length;
  return cursor.buffer.toString('utf8', start, cursor.at);
};

export const skipField = (cursor: Cursor, tag: number): void => {
  const kind = tag & 7;
  if (kind === 0) readVarint(cursor);
  else if (kind === 1) cursor.at += 8;
  else if (kind === 2) readBytes(cursor);
  else if (kind === 5) cursor.at += 4;
  else throw new MalformedMessage(`unknown kind of field: ${kind}`);
  if (cursor.at > cursor.end) throw new MalformedMessage('a field is cut off');
};

/** One decoded message for calls that are rare enough to afford a map. Absent fields read as proto3 defaults. */
export interface Message {
  has(field: number): boolean;
  number(field: number): number;
  flag(field: number): boolean;
  text(field: number): string;
  bytes(field: number): Buffer;
  message(field: number): Message;
  slices(field: number): readonly Buffer[];
  texts(field: number): readonly string[];
}

const NOTHING = Buffer.alloc(0);

export const decode = (buffer: Buffer): Message => {
  const numbers = new Map<number, number>();
  const slices = new Map<number, Buffer[]>();
  const cursor = cursorOf(buffer);
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    const field = Math.floor(tag / 8);
    if ((tag & 7) === 0) numbers.set(field, readVarint(cursor));
    else if ((tag & 7) === 2) {
      const known = slices.get(field);
      if (known) known.push(readBytes(cursor));
      else slices.set(field, [readBytes(cursor)]);
    } else skipField(cursor, tag);
  }
  const bytes = (field: number): Buffer => slices.get(field)?.at(-1) ?? NOTHING;
  const number = (field: number): number => numbers.get(field) ?? 0;
  return {
    has: (field) => numbers.has(field) || slices.has(field),
    number,
    flag: (field) => number(field) !== 0,
    bytes,
    text: (field) => bytes(field).toString('utf8'),
    message: (field) => decode(bytes(field)),
    slices: (field) => slices.get(field) ?? [],
    texts: (field) => (slices.get(field) ?? []).map((slice) => slice.toString('utf8')),
  };
};

/** UUIDs come as text from this client, as two signed halves from others. */
export const readUuid = (buffer: Buffer): string => {
  const cursor = cursorOf(buffer);
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 18) return readText(cursor).toLowerCase();
    if (tag === 10) return uuidOfHalves(readBytes(cursor));
    skipField(cursor, tag);
  }
  return '';
};

const uuidOfHalves = (buffer: Buffer): string => {
  const cursor = cursorOf(buffer);
  let [most, least] = [0n, 0n];
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 8) most = readSigned64(cursor);
    else if (tag === 16) least = readSigned64(cursor);
    else skipField(cursor, tag);
  }
  const hex = most.toString(16).padStart(16, '0') + least.toString(16).padStart(16, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

export const varintSize = (value: number): number => {
  if (value >= LAST) return LAST_BYTES;
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
};

export const writeVarint = (buffer: Buffer, start: number, value: number): number => {
  let at = start;
  if (value >= LAST) {
    for (let rest = LAST_ON_WIRE; ; rest >>= 7n) {
      if (rest < 128n) {
        buffer[at++] = Number(rest);
        return at;
      }
      buffer[at++] = Number(rest & 127n) | 128;
    }
  }
  let rest = value;
  while (rest >= 128) {
    buffer[at++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  buffer[at++] = rest;
  return at;
};

/** A number field; zero is written too, so that an optional field with that value is seen as set. */
export const numberField = (field: number, value: number): Buffer => {
  const tag = field * 8;
  const buffer = Buffer.allocUnsafe(varintSize(tag) + varintSize(value));
  writeVarint(buffer, writeVarint(buffer, 0, tag), value);
  return buffer;
};

export const bytesField = (field: number, value: Buffer): Buffer => {
  const tag = field * 8 + 2;
  const head = Buffer.allocUnsafe(varintSize(tag) + varintSize(value.length));
  writeVarint(head, writeVarint(head, 0, tag), value.length);
  return Buffer.concat([head, value]);
};

export const textField = (field: number, value: string): Buffer => bytesField(field, Buffer.from(value, 'utf8'));

export const messageField = (field: number, ...parts: readonly Buffer[]): Buffer =>
  bytesField(field, Buffer.concat(parts));

export const message = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

export const EMPTY = NOTHING;
