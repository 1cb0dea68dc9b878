import type { Decider, Rejection } from './decider';
import type { EventStore } from './event-store';
import type { DomainEvent, RecordedEvent } from './message';
import type { Schema } from './schema';
import { type SeenCommand, type SnapshotRules, latestSnapshot } from './snapshots';

/** A stream as a decision needs it: its state, where it ends, and which commands it has seen. Revision -1: no events. */
export type Folded<State> = {
  readonly state: State;
  readonly revision: bigint;
  /** Grows in place: copying it on each command would make a long stream slow. */
  readonly commands: Map<string, SeenCommand>;
  /** Marks of commands that a snapshot keeps nothing else of. */
  readonly older: ReadonlySet<string>;
  /** Up to which revision a snapshot holds it; -1n without one. */
  readonly snapshotAt: bigint;
  /** Bytes of the events that were folded, for the bound of what is kept. */
  readonly bytes: number;
};

export type StreamParts<Command, Event extends DomainEvent, State, Refusal extends Rejection> = {
  readonly store: EventStore;
  readonly decider: Pick<Decider<Command, Event, State, Refusal>, 'initial' | 'evolve' | 'isPart'>;
  readonly schema: Schema<Event>;
  readonly snapshots?: SnapshotRules | undefined;
  /** How much of the folded streams is kept, in bytes of their events. */
  readonly keptBytesMax?: number;
};

/**
 * What is decided on again soon is what pays: an account is heard of a few times within the seconds of its invoice. More
 * would only fill memory at the end of a month, and in memory a state takes several times its bytes here.
 */
const streamsMax = 2_000;
const keptBytesMaxDefault = 32 * 2 ** 20;
/** What a remembered command takes beside its event. */
const commandBytes = 200;
const markBytes = 60;

/** How long the JSON of a value is, nearly, without writing it. */
export const roughBytes = (value: unknown): number => {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 2;
  if (Array.isArray(value)) for (const one of value) bytes += roughBytes(one);
  else for (const key in value) bytes += key.length + 4 + roughBytes((value as Record<string, unknown>)[key]);
  return bytes;
};

/**
 * Keeps the streams used last in memory, folded, so that a decision reads nothing or only what was appended since. What
 * is kept is never trusted: the append states the revision it was decided at, and a conflict throws the entry away.
 */
export const foldedStreams = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  parts: StreamParts<Command, Event, State, Refusal>,
) => {
  const { decider, schema, keptBytesMax = keptBytesMaxDefault } = parts;
  const kept = new Map<string, Folded<State>>();
  let keptBytes = 0;
  const drop = (stream: string): void => {
    keptBytes -= kept.get(stream)?.bytes ?? 0;
    kept.delete(stream);
  };
  const keep = (stream: string, folded: Folded<State>): Folded<State> => {
    drop(stream);
    kept.set(stream, folded);
    keptBytes += folded.bytes;
    while (kept.size > streamsMax || (keptBytes > keptBytesMax && kept.size > 1)) {
      const [oldest] = kept.keys();
      if (oldest === undefined) break;
      drop(oldest);
    }
    return folded;
  };
  const blank = (): Folded<State> => blankStream(decider.initial);
  return {
    /** As this process knew the stream last, without asking the store; a stream it does not know counts as new. */
    remembered: (stream: string): Folded<State> => kept.get(stream) ?? blank(),
    load: async (stream: string): Promise<Folded<State>> => {
      const known = kept.get(stream);
      return keep(stream, await (known === undefined ? loaded(parts, stream) : foldedOn(parts, stream, known)));
    },
    /** From its first event on, with every command that it has seen. */
    whole: async (stream: string): Promise<Folded<State>> => keep(stream, await foldedOn(parts, stream, blank())),
    /** What was just appended, without reading it back. */
    extend: (
      stream: string,
      from: Folded<State>,
      events: readonly Event[],
      done: SeenCommand & { readonly commandId: string },
    ): Folded<State> => {
      const { commandId, ...seen } = done;
      from.commands.set(commandId, seen);
      const bytes = events.reduce((sum, { data }) => sum + roughBytes(data), from.bytes + commandBytes);
      return keep(stream, {
        ...from,
        state: events.reduce(decider.evolve, from.state),
        revision: done.revision,
        bytes,
      });
    },
    /** That a snapshot holds the stream now, or is being written. */
    noteSnapshot: (stream: string, revision: bigint): void => {
      const known = kept.get(stream);
      if (known !== undefined) kept.set(stream, { ...known, snapshotAt: revision });
    },
    forget: drop,
    decode: (recorded: RecordedEvent): Event => decoded(schema, recorded),
  };
};

const blankStream = <State>(initial: State): Folded<State> => ({
  state: initial,
  revision: -1n,
  commands: new Map(),
  older: new Set(),
  snapshotAt: -1n,
  bytes: 0,
});

const decoded = <Event extends DomainEvent>(schema: Schema<Event>, recorded: RecordedEvent): Event => {
  const event = schema.decode(recorded);
  if (event === null)
    throw new TypeError(
      `${recorded.stream}@${recorded.revision} is a ${recorded.type}, which this release does not know`,
    );
  return event;
};

const fromSnapshot = async <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  { store, snapshots }: StreamParts<Command, Event, State, Refusal>,
  stream: string,
): Promise<Folded<State> | null> => {
  const snapshot = snapshots === undefined ? null : await latestSnapshot(store, stream, snapshots.version);
  if (snapshot === null) return null;
  const { revision, state, commands, older } = snapshot;
  const bytes = roughBytes(state) + commands.size * commandBytes + older.size * markBytes;
  return { state: state as State, revision, commands: new Map(commands), older, snapshotAt: revision, bytes };
};

const fold = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  { decider, schema }: StreamParts<Command, Event, State, Refusal>,
  from: Folded<State>,
  recorded: readonly RecordedEvent[],
): Folded<State> => {
  const { commands } = from;
  let { state, revision, bytes } = from;
  for (const one of recorded) {
    revision = one.revision;
    const event = decoded(schema, one);
    state = decider.evolve(state, event);
    bytes += roughBytes(event.data) + commandBytes;
    // A part alone is nothing that was done: its command may have been cut off.
    if (decider.isPart?.(event)) continue;
    const { commandId, commandHash: hash } = one.metadata;
    const { from: first = one.revision } = commands.get(commandId) ?? {};
    commands.set(commandId, { from: first, revision, position: one.position, hash });
  }
  return { ...from, state, revision, commands, bytes };
};

/** Events in memory at a time while a long stream is folded; others have their turn in between. */
const pageLength = 1_000;

/** The stream with all that was appended since. */
const foldedOn = async <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  parts: StreamParts<Command, Event, State, Refusal>,
  stream: string,
  from: Folded<State>,
): Promise<Folded<State>> => {
  let folded = from;
  for (;;) {
    const page = await parts.store.read(stream, folded.revision + 1n, pageLength);
    folded = fold(parts, folded, page);
    if (page.length < pageLength) return folded;
  }
};

/** So many of the newest events are read before a snapshot is looked for: most streams have no more. */
const newestRead = 200;

/** A stream from its newest snapshot, where it is long enough to have one. */
const loaded = async <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  parts: StreamParts<Command, Event, State, Refusal>,
  stream: string,
): Promise<Folded<State>> => {
  const { store, decider, snapshots } = parts;
  const blank = blankStream(decider.initial);
  if (snapshots === undefined) return foldedOn(parts, stream, blank);
  const newest = await store.readLast(stream, Math.min(newestRead, snapshots.every));
  const first = newest[0]?.revision ?? 0n;
  if (first === 0n) return fold(parts, blank, newest);
  const from = (await fromSnapshot(parts, stream)) ?? blank;
  const after = from.revision + 1n;
  if (after < first) return foldedOn(parts, stream, from);
  return fold(
    parts,
    from,
    newest.filter(({ revision }) => revision >= after),
  );
};
