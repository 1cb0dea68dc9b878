import type { RecoveredLog } from './event-log';
import { TOMBSTONE_REVISION, type StoredEvent } from './stored-event';
import { METADATA_PREFIX, metadataIn, newStream, retentionOf, type StreamState } from './stream-state';

/** Rough cost of one event in memory beyond its bytes. */
const OVERHEAD_BYTES = 200;
/** Let go of array heads only in bulk: each time moves the rest of the array. */
const COMPACT_AFTER = 1_024;
const RECENT_IDS_MAX = 50_000;

export const ALL = '$all';

/** Where an event id was seen lately; serves appends that expect nothing. */
export interface SeenId {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
}

/**
 * What is committed, as far as memory holds it: every stream's state, and the newest events of the log. Its events are
 * exactly those of the log from `firstPosition` to `lastPosition`, so that a reader inside this window needs no disk.
 */
export interface Head {
  firstPosition(): number;
  lastPosition(): number;
  stream(name: string): StreamState | undefined;
  at(position: number): StoredEvent | undefined;
  /** The event at a revision if it is in memory. */
  recent(state: StreamState, revision: number): StoredEvent | undefined;
  seen(id: string): SeenId | undefined;
  restore(log: RecoveredLog): void;
  apply(events: readonly StoredEvent[]): void;
  /** Calls once, soon after something was committed to that stream (or to `ALL`). Returns how to withdraw. */
  readonly onCommit: (name: string, wake: () => void) => () => void;
}

interface Wakers {
  readonly add: (name: string, wake: () => void) => () => void;
  wake(events: readonly StoredEvent[]): void;
}

const createWakers = (): Wakers => {
  const waiting = new Map<string, Set<() => void>>();
  const wakeAll = (name: string): void => {
    const wakers = waiting.get(name);
    if (!wakers) return;
    waiting.delete(name);
    // Not now: the answers to the writers go out first, and everything committed in this turn is read in one go.
    for (const wake of wakers) setImmediate(wake);
  };
  return {
    add: (name, wake) => {
      const wakers = waiting.get(name) ?? new Set();
      wakers.add(wake);
      waiting.set(name, wakers);
      return () => {
        wakers.delete(wake);
        if (wakers.size === 0 && waiting.get(name) === wakers) waiting.delete(name);
      };
    },
    wake: (events) => {
      if (waiting.size === 0 || events.length === 0) return;
      for (const event of events) wakeAll(event.stream);
      wakeAll(ALL);
    },
  };
};

/** Two generations: dropping the older whole is cheap, while a Map that is emptied from its front gets slower and slower. */
const createSeenIds = () => {
  let young = new Map<string, SeenId>();
  let old = new Map<string, SeenId>();
  return {
    get: (id: string): SeenId | undefined => young.get(id) ?? old.get(id),
    add: (event: StoredEvent): void => {
      if (young.size >= RECENT_IDS_MAX / 2) {
        old = young;
        young = new Map();
      }
      // Not the event itself: that would keep its payload in memory.
      young.set(event.id, { stream: event.stream, revision: event.revision, position: event.position });
    },
  };
};

export const createHead = (cacheBytes: number): Head => {
  const streams = new Map<string, StreamState>();
  const seenIds = createSeenIds();
  const wakers = createWakers();
  let window: StoredEvent[] = [];
  let released = 0;
  let bytes = 0;
  let last = 0;

  const firstPosition = (): number => last - (window.length - released) + 1;

  const stateOf = (name: string): StreamState => {
    const known = streams.get(name);
    if (known) return known;
    const state = newStream(name);
    streams.set(name, state);
    return state;
  };

  const release = (): void => {
    while (bytes > cacheBytes && released < window.length) {
      const event = window[released++];
      if (!event) break;
      bytes -= event.response.length + OVERHEAD_BYTES;
      releaseFromStream(streams.get(event.stream));
    }
    if (released < COMPACT_AFTER || released * 2 < window.length) return;
    window = window.slice(released);
    released = 0;
  };

  const applyMetadata = (event: StoredEvent): void => {
    const state = stateOf(event.stream.slice(METADATA_PREFIX.length));
    state.metadata = metadataIn(event);
    state.retention = retentionOf(state.metadata);
  };

  const apply = (event: StoredEvent): void => {
    const state = stateOf(event.stream);
    if (event.revision === TOMBSTONE_REVISION) state.tombstoned = true;
    else if (event.revision >= state.next) state.next = event.revision + 1;
    state.recent.push(event);
    window.push(event);
    bytes += event.response.length + OVERHEAD_BYTES;
    last = event.position;
    seenIds.add(event);
    if (event.stream.startsWith(METADATA_PREFIX)) applyMetadata(event);
  };

  return {
    firstPosition,
    lastPosition: () => last,
    stream: (name) => streams.get(name),
    at: (position) => window[released + position - firstPosition()],
    recent: recentOf,
    seen: seenIds.get,
    restore: (log) => {
      for (const { name, next, tombstoned } of log.streams) streams.set(name, { ...newStream(name), next, tombstoned });
      for (const event of log.metadata) applyMetadata(event);
      last = log.last - log.tail.length;
      for (const event of log.tail) apply(event);
      release();
    },
    apply: (events) => {
      for (const event of events) apply(event);
      release();
      wakers.wake(events);
    },
    onCommit: wakers.add,
  };
};

/** A stream's `recent` ends at its newest event; a tombstone has no place in the numbering and is not counted. */
const recentOf = (state: StreamState, revision: number): StoredEvent | undefined => {
  const tombstones = state.recent.at(-1)?.revision === TOMBSTONE_REVISION ? 1 : 0;
  const index = state.recent.length - tombstones - (state.next - revision);
  return index < state.dropped ? undefined : state.recent[index];
};

const releaseFromStream = (state: StreamState | undefined): void => {
  if (!state) return;
  state.dropped++;
  if (state.dropped === state.recent.length) state.recent = [];
  else if (state.dropped >= COMPACT_AFTER && state.dropped * 2 >= state.recent.length) {
    state.recent = state.recent.slice(state.dropped);
  } else return;
  state.dropped = 0;
};
