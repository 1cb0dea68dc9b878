import {
  AppendOutcomeUnknown,
  type EventStore,
  type Metadata,
  RevisionConflict,
  type StoredEvent,
} from '@billstream/event-sourcing';
import { type Clock, newId, wallTime } from '@billstream/kernel';
import { type LoggedRecord, type UsageRecordedEvent, usageRecordedName } from '@billstream/metering-domain';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OwnWrites, ownWrites } from './own-writes';
import { streamEnd } from './stream-end';

export type UsageWriterParts = {
  readonly store: EventStore;
  readonly clock: Clock;
  /** How long an append of unknown outcome is repeated before its callers are told so. */
  readonly patienceMs?: number;
};

export type UsageWriter = {
  /** Resolves with the log position once all records are durable. Rejects when that is not known, or when there is too much waiting. */
  write(tenantId: string, stream: string, records: readonly LoggedRecord[]): Promise<bigint>;
  /** Position of this process' last append of a user's usage; null: none is known. What a reader waits for to see its own writes. */
  lastPosition(tenantId: string, user: string): bigint | null;
};

/** More records wait for a stream than could be written in the time a client waits. */
export class TooMuchWaiting extends Error {
  override readonly name = 'TooMuchWaiting';
  constructor(stream: string) {
    super(`too many records wait to be written to ${stream}`);
  }
}

/** Bounds one event, hence one append: a store takes about a megabyte at once, and a character can become six bytes. */
const recordsPerEventMax = 1_000;
const charactersPerEventMax = 128_000;
const waitingMax = 100_000;
const patienceMsDefault = 20_000;
const retryMs = 50;

/** Records of one submission that go into one event. */
type Piece = { readonly records: readonly LoggedRecord[]; readonly characters: number };

type Waiting = Piece & {
  readonly tenantId: string;
  readonly resolve: (position: bigint) => void;
  readonly reject: (error: unknown) => void;
};

type Lane = {
  readonly stream: string;
  queue: Waiting[];
  waitingRecords: number;
  isWriting: boolean;
  /** Null: not known; it is looked up before the next append. */
  end: bigint | null;
};

/**
 * Group commit: one append a stream is in flight, and whatever arrives meanwhile goes into the next one as one event. So
 * the cost of an append is shared by as many records as the store is slow, and a lone record does not wait at all.
 */
export const usageWriter = (parts: UsageWriterParts): UsageWriter => {
  const lanes = new Map<string, Lane>();
  const written = ownWrites();
  const laneOf = (stream: string): Lane => {
    const known = lanes.get(stream);
    if (known) return known;
    const lane: Lane = { stream, queue: [], waitingRecords: 0, isWriting: false, end: null };
    lanes.set(stream, lane);
    return lane;
  };
  const enqueue = (lane: Lane, tenantId: string, piece: Piece): Promise<bigint> =>
    new Promise((resolve, reject) => {
      lane.queue.push({ ...piece, tenantId, resolve, reject });
      lane.waitingRecords += piece.records.length;
      if (!lane.isWriting) void writeAll(parts, lane, written);
    });
  return {
    write: async (tenantId, stream, records) => {
      const lane = laneOf(stream);
      if (lane.waitingRecords > 0 && lane.waitingRecords + records.length > waitingMax)
        throw new TooMuchWaiting(stream);
      const positions = await Promise.all(piecesOf(records).map((piece) => enqueue(lane, tenantId, piece)));
      return positions.at(-1) ?? -1n;
    },
    lastPosition: (tenantId, user) => written.last(nameOf(tenantId, user)),
  };
};

const nameOf = (tenantId: string, user: string): string => `${tenantId} ${user}`;

const writeAll = async (parts: UsageWriterParts, lane: Lane, written: OwnWrites): Promise<void> => {
  lane.isWriting = true;
  while (lane.queue.length > 0) {
    const group = takeGroup(lane);
    try {
      const position = await appendGroup(parts, lane, group);
      for (const { tenantId, records } of group)
        for (const [, user] of records) written.note(nameOf(tenantId, user), position);
      for (const { resolve } of group) resolve(position);
    } catch (error) {
      lane.end = null;
      for (const { reject } of group) reject(error);
    }
  }
  lane.isWriting = false;
};

const sizeOf = ([unit, user, , amount, source, id, details]: LoggedRecord): number =>
  unit.length +
  user.length +
  amount.length +
  (source?.length ?? 0) +
  (id?.length ?? 0) +
  (details === undefined ? 0 : JSON.stringify(details).length) +
  40;

const piecesOf = (records: readonly LoggedRecord[]): readonly Piece[] => {
  const pieces: { records: LoggedRecord[]; characters: number }[] = [];
  for (const record of records) {
    const last = pieces.at(-1);
    const size = sizeOf(record);
    if (last && last.records.length < recordsPerEventMax && last.characters + size <= charactersPerEventMax) {
      last.records.push(record);
      last.characters += size;
    } else pieces.push({ records: [record], characters: size });
  }
  return pieces;
};

/** Whole pieces, in their order, as many as one event holds. */
const takeGroup = (lane: Lane): readonly Waiting[] => {
  let records = 0;
  let characters = 0;
  let count = 0;
  for (const piece of lane.queue) {
    records += piece.records.length;
    characters += piece.characters;
    if (count > 0 && (records > recordsPerEventMax || characters > charactersPerEventMax)) break;
    count += 1;
  }
  const group = lane.queue.splice(0, count);
  lane.waitingRecords -= group.reduce((sum, piece) => sum + piece.records.length, 0);
  return group;
};

/** The event's id is drawn once and kept through every retry: an append that had happened after all is recognised by it. */
const appendGroup = async (
  { store, clock, patienceMs = patienceMsDefault }: UsageWriterParts,
  lane: Lane,
  group: readonly Waiting[],
): Promise<bigint> => {
  const event = eventOf(group, clock);
  const end = performance.now() + patienceMs;
  for (;;) {
    lane.end ??= await streamEnd(store, lane.stream, -1n);
    try {
      const { revision, position } = await store.append(lane.stream, lane.end < 0n ? 'none' : lane.end, [event]);
      lane.end = revision;
      return position;
    } catch (error) {
      if (error instanceof RevisionConflict) {
        const written = await ownAppend(store, lane, event.id);
        if (written !== null) return written;
      } else if (!(error instanceof AppendOutcomeUnknown)) throw error;
      if (performance.now() > end) throw error;
      if (error instanceof AppendOutcomeUnknown) await sleep(retryMs);
    }
  }
};

/**
 * After a conflict: another process has written, or this very append went through unseen and another one after it.
 * Looks at what came since, and moves the lane to the end.
 */
const ownAppend = async (store: EventStore, lane: Lane, eventId: string): Promise<bigint | null> => {
  const end = lane.end ?? -1n;
  const [next] = await store.read(lane.stream, end + 1n, 1);
  lane.end = await streamEnd(store, lane.stream, next?.revision ?? end);
  return next?.id === eventId ? next.position : null;
};

const eventOf = (group: readonly Waiting[], clock: Clock): StoredEvent => {
  const tenantId = group[0]?.tenantId ?? '';
  const id = newId();
  const metadata: Metadata = {
    $correlationId: id,
    $causationId: id,
    commandId: id,
    tenantId,
    actor: { createdBy: 'metering' },
    at: clock.now(tenantId),
    recordedAt: wallTime(),
  };
  const data: UsageRecordedEvent['data'] = { tenantId, records: group.flatMap(({ records }) => records) };
  return { id, type: usageRecordedName, data, metadata };
};
