import type { EventLog, PageRequest } from './event-log';
import type { StoredEvent } from './stored-event';

const pageOf = (
  events: readonly StoredEvent[],
  start: number,
  { limit, backwards }: PageRequest,
): readonly StoredEvent[] =>
  backwards ? events.slice(Math.max(0, start - limit + 1), start + 1).reverse() : events.slice(start, start + limit);

/** Holds everything in memory and loses it with the process. Opening it a second time continues where it was left. */
export const memoryLog = (): EventLog => {
  const events: StoredEvent[] = [];
  return {
    cacheBytes: Number.POSITIVE_INFINITY,
    open: () => Promise.resolve({ streams: [], metadata: [], tail: [...events], last: events.length }),
    write: (added) => {
      for (const event of added) events.push(event);
      return undefined;
    },
    readAll: (page) => Promise.resolve(pageOf(events, page.from - 1, page)),
    readStream: (stream, page) => {
      const own = events.filter((event) => event.stream === stream);
      return Promise.resolve(pageOf(own, page.from, page));
    },
    close: () => Promise.resolve(),
  };
};
