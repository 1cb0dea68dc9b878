import {
  type EventData,
  type RecordedEvent as ClientEvent,
  type ResolvedEvent,
  jsonEvent,
} from '@eventstore/db-client';
import type { Metadata, RecordedEvent, StoredEvent } from '@billstream/event-sourcing';

const utf8 = new TextEncoder();

/** Throws here what the client would only notice inside a promise nobody can catch. */
const assertJson = (value: unknown, path: string): void => {
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    throw new TypeError(`event data is not JSON: ${path} is a ${typeof value}`);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) assertJson(inner, `${path}.${key}`);
};

/** Metadata goes as bytes, which spares the client one detour over base64. */
export const eventData = ({ id, type, data, metadata }: StoredEvent): EventData => {
  assertJson(data, type);
  const bytes = utf8.encode(JSON.stringify(metadata));
  return jsonEvent({ id, type, data: { ...data }, metadata: bytes });
};

/** Null for links to events that are gone. `position` is the log's commit position; the client knows no other order. */
export const recordedEvent = ({ event }: ResolvedEvent): RecordedEvent | null => (event ? recorded(event) : null);

const recorded = ({ id, type, data, metadata, streamId, revision, position }: ClientEvent): RecordedEvent => ({
  id,
  type,
  data: data as object,
  metadata: metadata as Metadata,
  stream: streamId,
  revision,
  position: position?.commit ?? -1n,
});
