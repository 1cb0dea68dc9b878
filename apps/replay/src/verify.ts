import {
  type DomainEvent,
  type RecordedEvent,
  type Schema,
  type SnapshotRules,
  latestSnapshot,
} from '@billstream/event-sourcing';
import { digest } from '@billstream/kernel';
import type { Connections } from './connections';
import { type ReplayContext, contexts } from './contexts';
import { print, progressBar } from './output';
import { eventsOf } from './streams';

/** How a kind of stream is folded; the decider's state type does not matter here, only that it is the same twice. */
export type Aggregate = {
  readonly prefix: string;
  readonly schema: Pick<Schema<DomainEvent>, 'decode' | 'encode' | 'names'>;
  readonly initial: unknown;
  readonly evolve: (state: unknown, event: DomainEvent) => unknown;
  readonly snapshots?: SnapshotRules;
};

type Seen = { revision: bigint; state: unknown; readonly aggregate: Aggregate | null };

/** Text that is the same for equal states: keys in order, maps and sets as lists. */
const textOf = (state: unknown): string =>
  JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === 'bigint') return String(value);
    if (value instanceof Map) return [...(value as ReadonlyMap<unknown, unknown>)];
    if (value instanceof Set) return [...(value as ReadonlySet<unknown>)];
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    return value;
  });

const faultOf = (seen: Seen | undefined, event: RecordedEvent): string | null => {
  const expected = (seen?.revision ?? -1n) + 1n;
  if (event.revision !== expected) return `revision ${event.revision} where ${expected} was due`;
  if (!seen?.aggregate) return null;
  const decoded = seen.aggregate.schema.decode(event);
  return decoded === null ? `${event.type} is unknown to this release` : null;
};

const step = (seen: Map<string, Seen>, context: ReplayContext, event: RecordedEvent): string | null => {
  const known = seen.get(event.stream) ?? begin(context, event.stream);
  const fault = faultOf(known, event);
  const decoded = fault === null ? known.aggregate?.schema.decode(event) : null;
  seen.set(event.stream, {
    ...known,
    revision: event.revision,
    state: decoded && known.aggregate ? known.aggregate.evolve(known.state, decoded) : known.state,
  });
  return fault;
};

const begin = (context: ReplayContext, stream: string): Seen => {
  const aggregate = context.aggregates.find(({ prefix }) => stream.startsWith(prefix)) ?? null;
  return { revision: -1n, state: aggregate?.initial, aggregate };
};

/**
 * Replays every aggregate twice, once in the order of the whole log and once stream by stream, and compares: no
 * revision is missing, every event is understood, and both give the same state. The number of streams with a fault.
 */
export const verify = async ({ store }: Connections, signal: AbortSignal): Promise<number> => {
  let faults = 0;
  const complain = (stream: string, what: string): void => {
    faults += 1;
    print(`${stream}: ${what}`);
  };
  const states: string[] = [];
  for (const context of contexts) {
    const seen = new Map<string, Seen>();
    for await (const page of eventsOf(store, context.streams))
      for (const event of page) {
        const fault = step(seen, context, event);
        if (fault !== null) complain(event.stream, fault);
      }
    const bar = progressBar(context.name.padEnd(14));
    let done = 0;
    for (const [stream, first] of seen) {
      if (signal.aborted) return faults;
      if (first.aggregate !== null) {
        const events = await store.read(stream, 0n, Number(first.revision) + 1);
        const state = replayed(first.aggregate, events);
        if (!(await isSnapshotTrue(store, first.aggregate, stream, events)))
          complain(stream, 'its snapshot is another state than its events give');
        if (textOf(state) !== textOf(first.state)) complain(stream, 'replaying it alone gives another state');
        states.push(`${stream} ${digest(textOf(state))}`);
      }
      done += 1;
      bar.show({ share: done / seen.size, text: `${done} of ${seen.size} streams` });
    }
    bar.end({ share: 1, text: `${seen.size} streams` });
  }
  print(
    `${states.length} aggregates replayed, ${faults} faults, state ${digest(states.sort().join('\n')).slice(0, 16)}`,
  );
  return faults;
};

/** Whether the newest snapshot of a stream is what its events give up to there; true where it has none that counts. */
const isSnapshotTrue = async (
  store: Connections['store'],
  aggregate: Aggregate,
  stream: string,
  events: readonly RecordedEvent[],
): Promise<boolean> => {
  const { snapshots } = aggregate;
  const snapshot = snapshots === undefined ? null : await latestSnapshot(store, stream, snapshots.version);
  if (snapshot === null) return true;
  const before = events.filter(({ revision }) => revision <= snapshot.revision);
  return textOf(JSON.parse(textOf(replayed(aggregate, before)))) === textOf(snapshot.state);
};

const replayed = (aggregate: Aggregate, events: readonly RecordedEvent[]): unknown =>
  events.reduce<unknown>((state, event) => {
    const decoded = aggregate.schema.decode(event);
    return decoded === null ? state : aggregate.evolve(state, decoded);
  }, aggregate.initial);
