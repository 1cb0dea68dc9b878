import { ANY, NO_STREAM, STREAM_EXISTS } from '../storage/expectation';
import type { ProposedEvent } from '../storage/stored-event';
import { invalidArgument, missingMetadata } from './failures';
import { cursorOf, EMPTY, hasMore, readBytes, readText, readUuid, readVarint, skipField, type Message } from './wire';

/** Streams are named by bytes inside a message of one field. */
export const streamNameIn = (identifier: Buffer): string => {
  const cursor = cursorOf(identifier);
  let name = '';
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 26) name = readText(cursor);
    else skipField(cursor, tag);
  }
  // PostgreSQL cannot hold this character in a text, and no log should take what another refuses.
  if (name === '' || name.includes('\0')) throw invalidArgument('a stream needs a name without NUL characters');
  return name;
};

export interface Expecting {
  readonly stream: string;
  readonly expected: number;
}

/** Append, Delete and Tombstone name stream and expectation with the same fields: 2 revision, 3 none, 4 any, 5 exists. */
export const expectingIn = (options: Message): Expecting => ({
  stream: streamNameIn(options.bytes(1)),
  expected: expectedIn(options),
});

const expectedIn = (options: Message): number => {
  if (options.has(3)) return NO_STREAM;
  if (options.has(4)) return ANY;
  if (options.has(5)) return STREAM_EXISTS;
  return options.number(2);
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const JSON_TYPE = 'application/json';

interface MutableProposal {
  id: string;
  type: string | undefined;
  contentType: string | undefined;
  metadata: Buffer;
  data: Buffer;
}

const readProperty = (entry: Buffer, proposal: MutableProposal): void => {
  const cursor = cursorOf(entry);
  let [key, value] = ['', ''];
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 10) key = readText(cursor);
    else if (tag === 18) value = readText(cursor);
    else skipField(cursor, tag);
  }
  if (key === 'type') proposal.type = value;
  else if (key === 'content-type') proposal.contentType = value;
};

/** ProposedMessage of both append calls; payloads stay slices of the request. */
export const readProposal = (buffer: Buffer): ProposedEvent => {
  const cursor = cursorOf(buffer);
  const proposal: MutableProposal = { id: '', type: undefined, contentType: undefined, metadata: EMPTY, data: EMPTY };
  while (hasMore(cursor)) {
    const tag = readVarint(cursor);
    if (tag === 10) proposal.id = readUuid(readBytes(cursor));
    else if (tag === 18) readProperty(readBytes(cursor), proposal);
    else if (tag === 26) proposal.metadata = readBytes(cursor);
    else if (tag === 34) proposal.data = readBytes(cursor);
    else skipField(cursor, tag);
  }
  const { id, type, contentType, metadata, data } = proposal;
  if (type === undefined || contentType === undefined) throw missingMetadata();
  if (!UUID.test(id)) throw invalidArgument(`an event id must be a UUID, got '${id}'`);
  if (type.includes('\0')) throw invalidArgument('an event type cannot hold NUL characters');
  return { id, type, isJson: contentType === JSON_TYPE, metadata, data };
};

/** What the limit on appends counts. */
export const sizeOf = (event: ProposedEvent): number =>
  event.data.length + event.metadata.length + event.type.length * 2;
