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
  const stranger = strangerIn(value);
  if (stranger)
    throw new TypeError(`event data is not JSON: ${[path, ...stranger.keys].join('.')} is a ${stranger.kind}`);
};

/** Names the way only once something was found: most events are large and all of them are fine. */
const strangerIn = (value: unknown): { readonly keys: readonly string[]; readonly kind: string } | null => {
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    return { keys: [], kind: typeof value };
  if (typeof value !== 'object' || value === null) return null;
  if (Array.isArray(value)) {
    const elements: readonly unknown[] = value;
    for (const [index, inner] of elements.entries()) {
      const found = strangerIn(inner);
      if (found) return { ...found, keys: [String(index), ...found.keys] };
    }
    return null;
  }
  for (const [key, inner] of Object.entries(value)) {
    const found = strangerIn(inner);
    if (found) return { ...found, keys: [key, ...found.keys] };
  }
  return null;
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
