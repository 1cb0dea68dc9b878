import { type FileHandle, mkdir } from 'node:fs/promises';
import { createBell } from './bell';
import { MeteringClientError } from './client-error';
import { groupCommit } from './group-commit';
import type { SpoolOptions } from './options';
import { readPlace, writePlace } from './place-file';
import {
  type Place,
  type Segment,
  type Stretch,
  createSegment,
  readStretch,
  removeSegment,
  segmentsIn,
} from './segment';
import { encodeLine } from './spool-line';

/** Records on the disk of this machine, in the order in which they were kept, until the server has them. */
export type Spool = {
  /** Resolves once the record is kept. */
  append(text: string): Promise<void>;
  /** The first records that are not done with; null: there are none. */
  next(recordsMax: number): Promise<Stretch | null>;
  /** Everything before the place is done with, and its room is given back. */
  done(place: Place): Promise<void>;
  /** The place behind the last record, once what was asked to be kept is. */
  end(): Promise<Place>;
  isDone(place: Place): boolean;
  /** Bytes that are kept and not done with. */
  waitingBytes(): number;
  /** From now on nothing is taken. */
  readonly shut: () => void;
  close(): Promise<void>;
};

const groupBytesMax = 1024 * 1024;
const wakeMs = 60_000;

type State = {
  readonly directory: string;
  readonly options: Required<SpoolOptions>;
  readonly segments: Segment[];
  place: Place;
  /** The segment that is written; the others are sealed. */
  written: { readonly segment: Segment; readonly file: FileHandle } | null;
  /** Numbers are never given again: an old place must not fit a new segment. */
  newest: number;
};

/** `onGrown` is called whenever there are records that were not there before. */
export const openSpool = async (
  directory: string,
  options: Required<SpoolOptions>,
  onGrown: () => void,
): Promise<Spool> => {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const segments = [...(await segmentsIn(directory))];
  const place = await placeIn(directory, segments);
  const newest = segments.at(-1)?.number ?? place.segment - 1;
  const state: State = { directory, options, segments, place, written: null, newest };
  const commit = groupCommit(
    async (lines, bytes) => {
      await write(state, lines, bytes);
      onGrown();
    },
    Math.min(groupBytesMax, options.segmentBytes),
  );
  const room = roomFor(options, () => segments.reduce((sum, one) => sum + one.bytes, commit.waitingBytes()));
  return {
    append: async (text) => {
      const line = encodeLine(text);
      const bytes = Buffer.byteLength(line);
      await room.taken(bytes, () => commit.add(line, bytes));
    },
    next: (recordsMax) => nextStretch(state, recordsMax),
    done: async (reached) => {
      state.place = reached;
      await writePlace(directory, reached);
      await removeDone(state);
      room.freed();
    },
    end: () => commit.idle().then(() => endOf(state)),
    isDone: (asked) => !isBefore(state.place, asked),
    waitingBytes: () => waitingBytes(state),
    shut: room.shut,
    close: async () => {
      room.shut();
      await commit.idle();
      await state.written?.file.close();
      state.written = null;
      await removeDone(state);
    },
  };
};

/** Where sending goes on. A place that fits nothing here is no reason to pass over a record. */
const placeIn = async (directory: string, segments: readonly Segment[]): Promise<Place> => {
  const place = await readPlace(directory);
  const first = segments[0]?.number ?? (place?.segment ?? 0) + 1;
  const own = segments.find(({ number }) => number === place?.segment);
  return own !== undefined && place !== null && place.offset <= own.bytes ? place : { segment: first, offset: 0 };
};

/**
 * Keeps the spool within its bounds. Those who wait for room get it in the order in which they came, and keep the process
 * alive meanwhile.
 */
const roomFor = ({ bytesMax, whenFull }: Required<SpoolOptions>, usedBytes: () => number) => {
  const freed = createBell();
  let isShut = false;
  let queue: Promise<unknown> = Promise.resolve();
  let queued = 0;
  const hasRoom = (bytes: number): boolean => usedBytes() + bytes <= bytesMax;
  const waitForRoom = async (bytes: number): Promise<void> => {
    while (!isShut && !hasRoom(bytes)) await freed.rung({ withinMs: wakeMs, keepsAlive: true });
    if (isShut) throw closed();
  };
  return {
    /** Runs `keep` when there is room; that must count as used at once. */
    taken: (bytes: number, keep: () => Promise<void>): Promise<void> => {
      if (isShut) return Promise.reject(closed());
      if (queued === 0 && hasRoom(bytes)) return keep();
      if (whenFull === 'REJECT') return Promise.reject(full(bytesMax));
      queued += 1;
      const kept = queue.then(() => waitForRoom(bytes)).then(() => ({ done: keep() }));
      queue = kept
        .catch(() => undefined)
        .finally(() => {
          queued -= 1;
        });
      return kept.then(({ done }) => done);
    },
    freed: freed.ring,
    shut: (): void => {
      isShut = true;
      freed.ring();
    },
  };
};

const write = async (state: State, lines: string, bytes: number): Promise<void> => {
  try {
    const { segment, file } = await segmentFor(state, bytes);
    await file.appendFile(lines);
    if (state.options.durability === 'DISK') await file.datasync();
    segment.bytes += bytes;
  } catch (error) {
    await abandon(state);
    throw new MeteringClientError('spool-failed', 'The disk did not keep the record', null, { cause: error });
  }
};

/** The segment to write to: the one there is, or a new one when that is large enough. */
const segmentFor = async (state: State, bytes: number): Promise<NonNullable<State['written']>> => {
  const { directory, options, segments, written } = state;
  if (written !== null && (written.segment.bytes === 0 || written.segment.bytes + bytes <= options.segmentBytes))
    return written;
  state.written = null;
  await written?.file.close();
  state.newest += 1;
  const segment = { number: state.newest, bytes: 0 };
  const file = await createSegment(directory, segment.number);
  segments.push(segment);
  state.written = { segment, file };
  return state.written;
};

/**
 * After a write that failed nobody knows what the disk holds: the segment ends where it was kept last, and the next
 * record begins another.
 */
const abandon = async (state: State): Promise<void> => {
  const { written } = state;
  state.written = null;
  if (written === null) return;
  await written.file.truncate(written.segment.bytes).catch(() => undefined);
  await written.file.close().catch(() => undefined);
};

const nextStretch = async (state: State, recordsMax: number): Promise<Stretch | null> => {
  const { directory, segments, place } = state;
  const segment = segments.find((one) => !isDoneWith(state, one) && unreadBytes(one, place) > 0);
  if (segment === undefined) return null;
  const isSealed = segment !== state.written?.segment;
  return readStretch(directory, segment, { offset: offsetIn(segment, place), recordsMax, isSealed });
};

const offsetIn = ({ number }: Segment, place: Place): number => (number === place.segment ? place.offset : 0);
const unreadBytes = (segment: Segment, place: Place): number =>
  segment.number < place.segment ? 0 : segment.bytes - offsetIn(segment, place);
const waitingBytes = ({ segments, place }: State): number =>
  segments.reduce((sum, segment) => sum + unreadBytes(segment, place), 0);

const isDoneWith = (state: State, segment: Segment): boolean =>
  segment !== state.written?.segment &&
  segment.number <= state.place.segment &&
  unreadBytes(segment, state.place) === 0;

const removeDone = async (state: State): Promise<void> => {
  const { directory, segments } = state;
  for (let first = segments[0]; first !== undefined && isDoneWith(state, first); first = segments[0]) {
    await removeSegment(directory, first.number);
    segments.shift();
  }
};

const isBefore = (a: Place, b: Place): boolean =>
  a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);

const endOf = ({ segments, place }: State): Place => {
  const last = segments.at(-1);
  return last === undefined || last.number < place.segment ? place : { segment: last.number, offset: last.bytes };
};

const closed = (): MeteringClientError => new MeteringClientError('closed', 'The client is closed');

const full = (bytesMax: number): MeteringClientError =>
  new MeteringClientError('spool-full', `The spool holds ${bytesMax} bytes of records that are not sent yet`);
