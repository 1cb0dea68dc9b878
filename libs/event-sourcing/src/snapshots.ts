import { derivedId, digest } from '@billstream/kernel';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { EventStore } from './event-store';
import type { Metadata, RecordedEvent, StoredEvent } from './message';

/** When a state is worth keeping beside its events, so that a long stream need not be folded from its beginning. */
export type SnapshotRules = {
  /**
   * Names the shape of the state and the way it is folded. A snapshot of another version counts for nothing, so this
   * must change whenever either does.
   */
  readonly version: string;
  /** At least so many events lie between two snapshots, and a tenth of the stream. */
  readonly every: number;
};

/** A command that a stream has seen, without what it decided: that is in the log. */
export type SeenCommand = {
  /** Revision of its first event. */
  readonly from: bigint;
  readonly revision: bigint;
  readonly position: bigint;
  readonly hash: string | undefined;
};

/** A stream as it stood after one of its events. */
export type Snapshot = {
  readonly revision: bigint;
  readonly state: unknown;
  readonly commands: ReadonlyMap<string, SeenCommand>;
  /** Marks (`markOf`) of commands that were seen before those, and of which nothing else is kept. */
  readonly older: ReadonlySet<string>;
};

/** Snapshots of a stream are a stream of their own, which no relay and no read model looks at. */
export const snapshotStream = (stream: string): string => `snapshot-${stream}`;

const partType = 'snapshot.part.v1';
/** Half of what a server takes at once: base64 of the packed text and what JSON adds stay below. */
const partCharacters = 500_000;
/** More parts than that (about 90 MB of state) are not written. */
const partsMax = 64;
/** So many of the newest commands are remembered whole by a snapshot. Who repeats an older one costs a look at all events. */
const commandsKept = 2_000;
/** So many older ones are remembered by their marks; far more than come while anybody repeats one. */
const marksKept = 100_000;
const markDigits = 12;

/** Six bytes that tell a command: that of another one is the same once in a few hundred million streams of that length. */
export const markOf = (commandId: string): string => digest(commandId).slice(0, markDigits);

type Part = {
  readonly version: string;
  readonly revision: string;
  readonly part: number;
  readonly parts: number;
  readonly text: string;
};

type Contents = {
  readonly state: unknown;
  readonly commands: readonly (readonly [string, string, string, string, string | null])[];
  /** Marks in one text; absent: there are none, or an earlier release kept none. */
  readonly older?: string;
};

const partOf = ({ type, data }: RecordedEvent): Part | null => (type === partType ? (data as Part) : null);

const packed = ({ state, commands, older }: Snapshot): string => {
  const all = [...commands];
  const newest = all.slice(-commandsKept);
  const marks = [...older, ...all.slice(0, -commandsKept).map(([id]) => markOf(id))].slice(-marksKept);
  const contents: Contents = {
    state,
    commands: newest.map(([id, { from, revision, position, hash }]) => [
      id,
      String(from),
      String(revision),
      String(position),
      hash ?? null,
    ]),
    ...(marks.length === 0 ? {} : { older: marks.join('') }),
  };
  return gzipSync(JSON.stringify(contents), { level: 1 }).toString('base64');
};

/** Null: parts that do not fit, which two processes with other commands in mind can leave. The events are all there. */
const unpacked = (text: string): Contents | null => {
  try {
    return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')) as Contents;
  } catch {
    return null;
  }
};

/** The newest whole snapshot of a version; null when there is none. One that was never finished does not count. */
export const latestSnapshot = async (store: EventStore, stream: string, version: string): Promise<Snapshot | null> => {
  const name = snapshotStream(stream);
  const [last] = await store.readLast(name, 1);
  const end = last === undefined ? null : partOf(last);
  if (end === null || end.version !== version || end.part !== end.parts - 1) return null;
  const parts = (await store.readLast(name, end.parts)).map(partOf);
  const texts = parts.flatMap((part, index) =>
    part?.part === index && part.revision === end.revision && part.version === version ? [part.text] : [],
  );
  if (texts.length !== end.parts) return null;
  const contents = unpacked(texts.join(''));
  if (contents === null) return null;
  const { state, commands, older = '' } = contents;
  return {
    revision: BigInt(end.revision),
    state,
    commands: new Map(
      commands.map(([id, from, revision, position, hash]) => [
        id,
        { from: BigInt(from), revision: BigInt(revision), position: BigInt(position), hash: hash ?? undefined },
      ]),
    ),
    older: new Set(older.match(eachMark)),
  };
};

const eachMark = new RegExp(`.{${String(markDigits)}}`, 'g');

/** Writes a snapshot after the ones before it. Another process may do the same: the one that comes second fails. */
export const writeSnapshot = async (
  store: EventStore,
  stream: string,
  { version, metadata, ...snapshot }: Snapshot & { readonly version: string; readonly metadata: Metadata },
): Promise<void> => {
  const text = packed(snapshot);
  const parts = Math.max(1, Math.ceil(text.length / partCharacters));
  if (parts > partsMax) return;
  const name = snapshotStream(stream);
  const [last] = await store.readLast(name, 1);
  let expected = last === undefined ? ('none' as const) : last.revision;
  const revision = String(snapshot.revision);
  for (let part = 0; part < parts; part += 1) {
    const data: Part = {
      version,
      revision,
      part,
      parts,
      text: text.slice(part * partCharacters, (part + 1) * partCharacters),
    };
    const id = derivedId(name, version, revision, String(part), String(expected));
    const event: StoredEvent = { id, type: partType, data, metadata };
    expected = (await store.append(name, expected, [event])).revision;
  }
};

/** Whether the events since the last snapshot (-1n: none) are so many that another one pays. */
export const isSnapshotDue = (rules: SnapshotRules, revision: bigint, snapshotAt: bigint): boolean =>
  Number(revision - snapshotAt) >= Math.max(rules.every, Number(revision) / 10);
