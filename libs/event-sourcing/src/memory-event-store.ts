import { once } from 'node:events';
import { EventEmitter } from 'node:events';
import { type EventStore, RevisionConflict, type SubscriptionPage } from './event-store';
import type { RecordedEvent } from './message';

/** The port in memory, for unit tests and simulations: the same rules, nothing durable. */
export const memoryEventStore = (): EventStore => {
  const log: RecordedEvent[] = [];
  const streams = new Map<string, RecordedEvent[]>();
  const grown = new EventEmitter().setMaxListeners(0);

  const page = (after: bigint | null, prefixes: readonly string[], max: number): SubscriptionPage => {
    const events: RecordedEvent[] = [];
    let position = after ?? -1n;
    for (const event of log.slice(Number(position) + 1)) {
      if (events.length === max) return { events, position, caughtUp: false };
      position = event.position;
      if (prefixes.some((prefix) => event.stream.startsWith(prefix))) events.push(event);
    }
    return { events, position, caughtUp: true };
  };

  return {
    read: (stream, from = 0n, max = Number.MAX_SAFE_INTEGER) =>
      Promise.resolve((streams.get(stream) ?? []).slice(Number(from), Number(from) + max)),
    readLast: (stream, max) => Promise.resolve(max > 0 ? (streams.get(stream) ?? []).slice(-max) : []),
    append: (stream, expected, events) => {
      const before = streams.get(stream) ?? [];
      const at = expected === 'none' ? 0 : Number(expected) + 1;
      const repeated = before.slice(at, at + events.length);
      const last = repeated.at(-1);
      if (last && repeated.length === events.length && repeated.every((event, i) => event.id === events[i]?.id))
        return Promise.resolve({ revision: last.revision, position: last.position });
      if (at !== before.length) return Promise.reject(new RevisionConflict(stream, expected));
      for (const event of events) {
        const recorded = {
          ...structuredClone(event),
          stream,
          revision: BigInt(before.length),
          position: BigInt(log.length),
        };
        before.push(recorded);
        log.push(recorded);
      }
      streams.set(stream, before);
      grown.emit('grown');
      return Promise.resolve({ revision: BigInt(before.length - 1), position: BigInt(log.length - 1) });
    },
    async *subscribe({ after, prefixes, pageSize = 500, signal }) {
      for (let from = after; !signal.aborted;) {
        const next = page(from, prefixes, pageSize);
        if (next.position !== (from ?? -1n) || from === after) yield next;
        from = next.position;
        if (next.caughtUp && log.length - 1 === Number(from))
          await once(grown, 'grown', { signal }).catch(() => undefined);
      }
    },
    readAll: ({ after, prefixes, max = 10_000 }) => Promise.resolve(page(after, prefixes, max)),
    head: () => Promise.resolve(BigInt(log.length - 1)),
  };
};
