import { ANY } from './expectation';
import type { EventLog, PageRequest } from './event-log';
import { createHead, type Head } from './head';
import type { ProposedEvent, StoredEvent } from './stored-event';
import type { StreamState } from './stream-state';
import { createWriter, type WriteRequest, type WriteResult } from './writer';

type Page = readonly StoredEvent[];

/** The log with its head in memory: where all services read and write. */
export interface EventStore {
  readonly head: Head;
  submit(request: WriteRequest): void;
  append(stream: string, events: readonly ProposedEvent[], expected?: number): Promise<WriteResult>;
  /** Up to `limit` committed events; fewer do not mean the end, none does. */
  allPage(page: PageRequest): Page | Promise<Page>;
  streamPage(state: StreamState, page: PageRequest): Page | Promise<Page>;
  close(): Promise<void>;
}

const PAGE_EVENTS_MAX = 500;
const PAGE_EVENTS_MIN = 8;
/** One page of a reader should not outweigh this, whatever the size of the events. */
const PAGE_BYTES = 2 * 1_024 * 1_024;

/** Collects what memory holds of a page; stops at the first event that it does not hold. */
const collect = (page: PageRequest, at: (index: number) => StoredEvent | undefined): StoredEvent[] => {
  const step = page.backwards ? -1 : 1;
  const limit = Math.min(page.limit, PAGE_EVENTS_MAX);
  const events: StoredEvent[] = [];
  for (let index = page.from; events.length < limit; index += step) {
    const event = at(index);
    if (!event) break;
    events.push(event);
  }
  return events;
};

/** Guesses how many events fit a page from the sizes seen so far. */
const createPager = () => {
  let meanBytes = 4_096;
  return {
    limit: (wanted: number): number =>
      Math.min(wanted, Math.max(PAGE_EVENTS_MIN, Math.min(PAGE_EVENTS_MAX, Math.floor(PAGE_BYTES / meanBytes)))),
    learn: (events: Page): Page => {
      for (const event of events) meanBytes += (event.response.length - meanBytes) / 64;
      return events;
    },
  };
};

export const openEventStore = async (log: EventLog): Promise<EventStore> => {
  const head = createHead(log.cacheBytes);
  head.restore(await log.open({ recovered: (events) => head.apply(events) }));
  const pager = createPager();

  const streamPage = (state: StreamState, page: PageRequest): Page | Promise<Page> => {
    const end = state.next;
    const inRange = page.backwards ? { ...page, from: Math.min(page.from, end - 1) } : page;
    if (page.limit <= 0 || inRange.from < 0 || inRange.from >= end) return [];
    const cached = collect(inRange, (revision) => (revision < end ? head.recent(state, revision) : undefined));
    if (cached.length > 0) return cached;
    return log
      .readStream(state.name, { ...inRange, limit: pager.limit(page.limit) })
      .then((events) => pager.learn(events.filter(({ revision }) => revision < end)));
  };

  const writer = createWriter({
    head,
    log,
    readStored: async (stream, from, limit) => {
      const state = head.stream(stream);
      const events: StoredEvent[] = [];
      while (state && events.length < limit) {
        const page = await streamPage(state, {
          from: from + events.length,
          limit: limit - events.length,
          backwards: false,
        });
        if (page.length === 0) break;
        events.push(...page);
      }
      return events;
    },
  });

  return {
    head,
    streamPage,
    submit: writer.submit,
    append: (stream, events, expected = ANY) =>
      new Promise((done, failed) => {
        writer.submit({ kind: 'append', stream, expected, events, deadlineMs: Number.POSITIVE_INFINITY, done, failed });
      }),
    allPage: (page) => {
      const end = head.lastPosition();
      const inRange = page.backwards
        ? { ...page, from: Math.min(page.from, end) }
        : { ...page, from: Math.max(page.from, 1) };
      if (page.limit <= 0 || inRange.from < 1 || inRange.from > end) return [];
      if (inRange.from >= head.firstPosition())
        return collect(inRange, (position) => (position < head.firstPosition() ? undefined : head.at(position)));
      return log
        .readAll({ ...inRange, limit: pager.limit(page.limit) })
        .then((events) => pager.learn(events.filter(({ position }) => position <= end)));
    },
    close: async () => {
      await writer.drain();
      await log.close();
    },
  };
};
