import type { Decider, Rejection } from './decider';
import type { EventStore } from './event-store';
import type { DomainEvent, RecordedEvent } from './message';
import type { Schema } from './schema';

type Done<Event> = {
  readonly events: readonly Event[];
  readonly revision: bigint;
  readonly position: bigint;
  readonly hash: string | undefined;
};

/** A stream as a decision needs it: its state, where it ends, and which commands it has seen. Revision -1: no events. */
export type Folded<Event, State> = {
  readonly state: State;
  readonly revision: bigint;
  /** Grows in place: copying it on each command would make a long stream slow. */
  readonly commands: Map<string, Done<Event>>;
};

type Parts<Command, Event extends DomainEvent, State, Refusal extends Rejection> = {
  readonly store: EventStore;
  readonly decider: Decider<Command, Event, State, Refusal>;
  readonly schema: Schema<Event>;
};

const streamsMax = 5_000;

/**
 * Keeps the streams used last in memory, folded, so that a decision reads nothing or only what was appended since. What
 * is kept is never trusted: the append states the revision it was decided at, and a conflict throws the entry away.
 */
export const foldedStreams = <Command, Event extends DomainEvent, State, Refusal extends Rejection>({
  store,
  decider,
  schema,
}: Parts<Command, Event, State, Refusal>) => {
  const kept = new Map<string, Folded<Event, State>>();
  const blank = (): Folded<Event, State> => ({ state: decider.initial, revision: -1n, commands: new Map() });
  const keep = (stream: string, folded: Folded<Event, State>): Folded<Event, State> => {
    kept.delete(stream);
    kept.set(stream, folded);
    if (kept.size > streamsMax) {
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    }
    return folded;
  };
  const fold = (from: Folded<Event, State>, recorded: readonly RecordedEvent[]): Folded<Event, State> => {
    const { commands } = from;
    let { state, revision } = from;
    for (const one of recorded) {
      revision = one.revision;
      const event = schema.decode(one);
      if (event === null)
        throw new TypeError(`${one.stream}@${one.revision} is a ${one.type}, which this release does not know`);
      state = decider.evolve(state, event);
      const { commandId, commandHash } = one.metadata;
      const earlier = commands.get(commandId);
      commands.set(commandId, {
        events: [...(earlier?.events ?? []), event],
        revision,
        position: one.position,
        hash: commandHash,
      });
    }
    return { state, revision, commands };
  };
  return {
    /** As this process knew the stream last, without asking the store; a stream it does not know counts as new. */
    remembered: (stream: string): Folded<Event, State> => kept.get(stream) ?? blank(),
    load: async (stream: string): Promise<Folded<Event, State>> => {
      const from = kept.get(stream) ?? blank();
      return keep(stream, fold(from, await store.read(stream, from.revision + 1n)));
    },
    /** What was just appended, without reading it back. */
    extend: (
      stream: string,
      from: Folded<Event, State>,
      events: readonly Event[],
      done: {
        readonly revision: bigint;
        readonly position: bigint;
        readonly commandId: string;
        readonly hash: string | undefined;
      },
    ): Folded<Event, State> => {
      const { commands } = from;
      commands.set(done.commandId, { events, revision: done.revision, position: done.position, hash: done.hash });
      return keep(stream, { state: events.reduce(decider.evolve, from.state), revision: done.revision, commands });
    },
    forget: (stream: string): void => {
      kept.delete(stream);
    },
  };
};
