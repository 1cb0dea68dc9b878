import { judge, NO_STREAM, type Verdict } from './expectation';
import type { Head } from './head';
import { encodeEvent, TOMBSTONE_REVISION, type ProposedEvent, type StoredEvent } from './stored-event';
import {
  isDeleted,
  METADATA_PREFIX,
  METADATA_TYPE,
  metadataIn,
  retentionOf,
  type Retention,
  type StreamMetadata,
} from './stream-state';
import { randomUUID } from 'node:crypto';

/** A stream as it will be once the batch is committed. */
export interface Draft {
  readonly name: string;
  next: number;
  tombstoned: boolean;
  metadata: StreamMetadata | undefined;
  retention: Retention;
  readonly added: StoredEvent[];
}

/** What one commit will write. Nothing of it reaches the head before the log has confirmed it. */
export interface Batch {
  readonly events: StoredEvent[];
  bytes: number;
  draft(stream: string): Draft;
  judge(draft: Draft, expected: number): Verdict;
  append(draft: Draft, events: readonly ProposedEvent[]): void;
  delete(draft: Draft): void;
  tombstone(draft: Draft): void;
}

const NO_BYTES = Buffer.alloc(0);
const DELETED_BEFORE = '9223372036854775807';

const metadataEvent = (json: string): ProposedEvent => ({
  id: randomUUID(),
  type: METADATA_TYPE,
  isJson: true,
  metadata: NO_BYTES,
  data: Buffer.from(json, 'utf8'),
});

/** The truncation point is beyond what a JSON number of JavaScript can say exactly, hence the text. */
const withTruncation = (metadata: StreamMetadata | undefined, before: string): string => {
  const others = Object.entries(metadata ?? {}).filter(([key]) => key !== '$tb');
  const members = others.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${[...members, `"$tb":${before}`].join(',')}}`;
};

export const createBatch = (head: Head, nowMs: number): Batch => {
  const drafts = new Map<string, Draft>();
  const events: StoredEvent[] = [];

  const draftOf = (name: string): Draft => {
    const known = drafts.get(name);
    if (known) return known;
    const { next = 0, tombstoned = false, metadata, retention = {} } = head.stream(name) ?? {};
    const draft: Draft = { name, next, tombstoned, metadata, retention, added: [] };
    drafts.set(name, draft);
    return draft;
  };

  const add = (draft: Draft, event: ProposedEvent, revision: number): void => {
    const stored = encodeEvent({
      id: event.id,
      type: event.type,
      isJson: event.isJson,
      metadata: event.metadata,
      data: event.data,
      stream: draft.name,
      revision,
      position: head.lastPosition() + events.length + 1,
      createdMs: nowMs,
    });
    events.push(stored);
    draft.added.push(stored);
    batch.bytes += stored.response.length;
    if (draft.name.startsWith(METADATA_PREFIX)) describe(draftOf(draft.name.slice(METADATA_PREFIX.length)), stored);
  };

  const setMetadata = (draft: Draft, json: string): void => {
    const target = draftOf(METADATA_PREFIX + draft.name);
    add(target, metadataEvent(json), target.next++);
  };

  const batch: Batch = {
    events,
    bytes: 0,
    draft: draftOf,
    judge: (draft, expected) =>
      isDescribedStreamGone(draft.name, draftOf)
        ? { kind: 'deleted' }
        : judge({ ...draft, hasMetadata: draft.metadata !== undefined }, expected),
    append: (draft, proposed) => {
      if (proposed.length === 0) return;
      // A stream that was deleted starts again where its numbering stopped; what lies before stays hidden.
      if (isDeleted(draft.retention)) setMetadata(draft, withTruncation(draft.metadata, String(draft.next)));
      for (const event of proposed) add(draft, event, draft.next++);
    },
    delete: (draft) => setMetadata(draft, withTruncation(draft.metadata, DELETED_BEFORE)),
    tombstone: (draft) => {
      const event = { ...metadataEvent('{}'), type: '$streamDeleted' };
      draft.tombstoned = true;
      add(draft, event, TOMBSTONE_REVISION);
    },
  };
  return batch;
};

const describe = (draft: Draft, event: StoredEvent): void => {
  draft.metadata = metadataIn(event);
  draft.retention = retentionOf(draft.metadata);
};

/** Nothing more can be said about a stream that was closed for ever. */
const isDescribedStreamGone = (name: string, draftOf: (name: string) => Draft): boolean =>
  name.startsWith(METADATA_PREFIX) && draftOf(name.slice(METADATA_PREFIX.length)).tombstoned;

/** The revision that error answers name as the current one. */
export const currentRevision = (draft: { readonly next: number }): number =>
  draft.next === 0 ? NO_STREAM : draft.next - 1;
