import { LAST, varintSize, writeVarint } from '../protocol/wire';

/** The revision of the record that closes a stream for ever. */
export const TOMBSTONE_REVISION = LAST;

export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly metadata: Buffer;
  readonly data: Buffer;
}

export interface EventFields extends ProposedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly createdMs: number;
}

/**
 * An event as readers get it. `response` is the finished answer of the Read call: whoever reads the event, however
 * often, only writes this buffer. The inner message starts at `recordedAt` and ends with the buffer, payload last, so
 * that persistent subscriptions and links embed it without encoding it again.
 */
export interface StoredEvent {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly isJson: boolean;
  readonly createdMs: number;
  readonly response: Buffer;
  readonly recordedAt: number;
  readonly metadataAt: number;
  readonly metadataLength: number;
  readonly dataLength: number;
}

/** The client knows times in ticks of 100 ns. */
const TICKS_PER_MS = 10_000;
const UUID_LENGTH = 36;
const UUID_FIELD = Buffer.from([0x0a, UUID_LENGTH + 2, 0x12, UUID_LENGTH]);

const mapEntry = (key: string, value: string): Buffer => {
  const [keyLength, valueLength] = [Buffer.byteLength(key), Buffer.byteLength(value)];
  const length = 2 + keyLength + 1 + varintSize(valueLength) + valueLength;
  const buffer = Buffer.allocUnsafe(1 + varintSize(length) + length);
  buffer[0] = 0x32;
  let at = writeVarint(buffer, 1, length);
  buffer[at++] = 0x0a;
  at = writeVarint(buffer, at, keyLength);
  at += buffer.write(key, at);
  buffer[at++] = 0x12;
  at = writeVarint(buffer, at, valueLength);
  buffer.write(value, at);
  return buffer;
};

const JSON_ENTRY = mapEntry('content-type', 'application/json');
const BINARY_ENTRY = mapEntry('content-type', 'application/octet-stream');
const CREATED_HEAD = mapEntry('created', '0'.repeat(17)).subarray(0, -17);
const CREATED_LENGTH = CREATED_HEAD.length + 17;

const lengthDelimited = (length: number): number => 1 + varintSize(length) + length;

interface Sizes {
  readonly name: number;
  readonly recorded: number;
  readonly read: number;
  readonly total: number;
}

const sizesOf = (event: EventFields, typeEntry: Buffer): Sizes => {
  const name = Buffer.byteLength(event.stream);
  const position = varintSize(event.position);
  const recorded =
    UUID_FIELD.length +
    UUID_LENGTH +
    lengthDelimited(lengthDelimited(name)) +
    (1 + varintSize(event.revision)) +
    (1 + position) * 2 +
    typeEntry.length +
    (event.isJson ? JSON_ENTRY : BINARY_ENTRY).length +
    CREATED_LENGTH +
    lengthDelimited(event.metadata.length) +
    lengthDelimited(event.data.length);
  const read = 1 + position + lengthDelimited(recorded);
  return { name, recorded, read, total: lengthDelimited(read) };
};

/** Types repeat; the entry of one is built once while the table stays small. */
const typeEntries = new Map<string, Buffer>();
const TYPE_ENTRIES_MAX = 5_000;

const typeEntryOf = (type: string): Buffer => {
  const known = typeEntries.get(type);
  if (known) return known;
  const entry = mapEntry('type', type);
  if (typeEntries.size < TYPE_ENTRIES_MAX) typeEntries.set(type, entry);
  return entry;
};

const writeHead = (buffer: Buffer, event: EventFields, sizes: Sizes): number => {
  let at = 0;
  buffer[at++] = 0x0a;
  at = writeVarint(buffer, at, sizes.read);
  buffer[at++] = 0x18;
  at = writeVarint(buffer, at, event.position);
  buffer[at++] = 0x0a;
  return writeVarint(buffer, at, sizes.recorded);
};

const writeIdentity = (buffer: Buffer, start: number, event: EventFields, nameLength: number): number => {
  let at = start;
  at += UUID_FIELD.copy(buffer, at);
  at += buffer.write(event.id, at, UUID_LENGTH, 'latin1');
  buffer[at++] = 0x12;
  at = writeVarint(buffer, at, lengthDelimited(nameLength));
  buffer[at++] = 0x1a;
  at = writeVarint(buffer, at, nameLength);
  at += buffer.write(event.stream, at, nameLength, 'utf8');
  buffer[at++] = 0x18;
  at = writeVarint(buffer, at, event.revision);
  buffer[at++] = 0x20;
  at = writeVarint(buffer, at, event.position);
  buffer[at++] = 0x28;
  return writeVarint(buffer, at, event.position);
};

export const encodeEvent = (event: EventFields): StoredEvent => {
  const typeEntry = typeEntryOf(event.type);
  const sizes = sizesOf(event, typeEntry);
  const buffer = Buffer.allocUnsafe(sizes.total);
  const recordedAt = writeHead(buffer, event, sizes);
  let at = writeIdentity(buffer, recordedAt, event, sizes.name);
  at += typeEntry.copy(buffer, at);
  at += (event.isJson ? JSON_ENTRY : BINARY_ENTRY).copy(buffer, at);
  at += CREATED_HEAD.copy(buffer, at);
  at += buffer.write(String(event.createdMs * TICKS_PER_MS).padStart(17, '0'), at, 17, 'latin1');
  buffer[at++] = 0x3a;
  at = writeVarint(buffer, at, event.metadata.length);
  const metadataAt = at;
  at += event.metadata.copy(buffer, at);
  buffer[at++] = 0x42;
  at = writeVarint(buffer, at, event.data.length);
  event.data.copy(buffer, at);
  const { stream, revision, position, id, type, isJson, createdMs } = event;
  const lengths = { metadataLength: event.metadata.length, dataLength: event.data.length };
  return {
    stream,
    revision,
    position,
    id,
    type,
    isJson,
    createdMs,
    response: buffer,
    recordedAt,
    metadataAt,
    ...lengths,
  };
};

export const dataOf = (event: StoredEvent): Buffer => event.response.subarray(event.response.length - event.dataLength);

export const metadataOf = (event: StoredEvent): Buffer =>
  event.response.subarray(event.metadataAt, event.metadataAt + event.metadataLength);

/** The event without the frame of the Read answer. */
export const recordedOf = (event: StoredEvent): Buffer => event.response.subarray(event.recordedAt);

export const LINK_TYPE = '$>';

export interface LinkTarget {
  readonly stream: string;
  readonly revision: number;
}

/** Links hold `revision@stream`. */
export const linkTargetOf = (event: StoredEvent): LinkTarget | undefined => {
  if (event.type !== LINK_TYPE) return undefined;
  const text = dataOf(event).toString('utf8');
  const at = text.indexOf('@');
  const revision = Number(text.slice(0, at));
  return at < 1 || !Number.isSafeInteger(revision) ? undefined : { stream: text.slice(at + 1), revision };
};
