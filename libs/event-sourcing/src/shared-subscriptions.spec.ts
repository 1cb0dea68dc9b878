import { type Instant, newId } from '@billstream/kernel';
import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import type { EventStore, SubscribeOptions, SubscriptionPage } from './event-store';
import { memoryEventStore } from './memory-event-store';
import type { StoredEvent } from './message';
import { sharingSubscriptions } from './shared-subscriptions';

const at = '2026-03-01T10:00:00.000Z' as Instant;
const stored = (text = ''): StoredEvent => ({
  id: newId(),
  type: 'account.updated.v1',
  data: { text },
  metadata: {
    ...{ $correlationId: 'c', $causationId: 'c', commandId: 'c', tenantId: 't', actor: { createdBy: 'x' } },
    ...{ at, recordedAt: at },
  },
});
const turns = async (count = 20): Promise<void> => {
  for (let one = 0; one < count; one += 1) await turn();
};

/** Counts the subscriptions that are open, and the events that they brought. */
const watched = () => {
  const store = memoryEventStore();
  const seen = { open: 0, received: 0 };
  const inner: EventStore = {
    ...store,
    async *subscribe(options) {
      seen.open += 1;
      try {
        for await (const page of store.subscribe(options)) {
          seen.received += page.events.length;
          yield page;
        }
      } finally {
        seen.open -= 1;
      }
    },
  };
  return { seen, store: sharingSubscriptions(inner) };
};

type Reading = { readonly pages: SubscriptionPage[]; stop: () => Promise<void>; resume: () => void; pause: () => void };

const read = (store: EventStore, options: Omit<SubscribeOptions, 'signal' | 'after'> & { after?: bigint }): Reading => {
  const controller = new AbortController();
  const pages: SubscriptionPage[] = [];
  let go: (() => void) | undefined;
  let gate: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    for await (const page of store.subscribe({ after: null, ...options, signal: controller.signal })) {
      pages.push(page);
      if (gate) await gate;
    }
  };
  const done = run();
  const resume = (): void => {
    go?.();
    gate = null;
  };
  return {
    pages,
    pause: () => {
      gate = new Promise((resolve) => (go = resolve));
    },
    resume,
    stop: async () => {
      controller.abort();
      resume();
      await done;
    },
  };
};
const positions = ({ pages }: Reading): readonly bigint[] =>
  pages.flatMap(({ events }) => events.map(({ position }) => position));

describe('shared subscriptions', () => {
  it('are one for all readers that are up to date, and each gets what is its own with the position of all', async () => {
    const { store, seen } = watched();
    await store.append('account-a', 'none', [stored(), stored()]);
    const readers = [
      read(store, { prefixes: ['account-'] }),
      read(store, { prefixes: ['account-', 'bundle-'] }),
      read(store, { prefixes: ['bundle-'] }),
    ];
    await turns();
    await store.append('bundle-a', 'none', [stored()]);
    await turns();
    expect(seen.open).toBe(1);
    seen.received = 0;
    await store.append('account-b', 'none', [stored()]);
    await store.append('bundle-b', 'none', [stored()]);
    await turns();
    expect(seen.received).toBe(2);
    expect(readers.map(positions)).toEqual([
      [0n, 1n, 3n],
      [0n, 1n, 2n, 3n, 4n],
      [2n, 4n],
    ]);
    expect(readers.map(({ pages }) => pages.at(-1))).toMatchObject([
      { position: 4n, caughtUp: true },
      { position: 4n, caughtUp: true },
      { position: 4n, caughtUp: true },
    ]);
    await Promise.all(readers.map(({ stop }) => stop()));
    await turns();
    expect(seen.open).toBe(0);
  });

  it('go on for the others where one reader ends, and begin again for who comes after all have ended', async () => {
    const { store, seen } = watched();
    const [one, other] = [read(store, { prefixes: ['a-'] }), read(store, { prefixes: ['a-'] })];
    await turns();
    await one.stop();
    await store.append('a-1', 'none', [stored()]);
    await turns();
    expect(positions(other)).toEqual([0n]);
    await other.stop();
    await turns();
    expect(seen.open).toBe(0);
    await store.append('a-2', 'none', [stored()]);
    const late = read(store, { prefixes: ['a-'], after: 0n });
    await turns();
    await store.append('a-3', 'none', [stored()]);
    await turns();
    expect(positions(late)).toEqual([1n, 2n]);
    await late.stop();
  });

  it('let a reader that falls behind read alone, and hold nobody up for it', async () => {
    const [count, text] = [25, 'x'.repeat(1_000_000)];
    const { store, seen } = watched();
    const slow = read(store, { prefixes: ['a-'], pageSize: 10 });
    const quick = read(store, { prefixes: ['a-'], pageSize: 10 });
    await turns();
    slow.pause();
    for (let one = 0; one < count; one += 1) {
      await store.append(`a-${one}`, 'none', [stored(text)]);
      await turns(5);
    }
    const all = Array.from({ length: count }, (__, position) => BigInt(position));
    expect(positions(quick)).toEqual(all);
    expect(positions(slow)).toEqual([0n]);
    seen.received = 0;
    slow.resume();
    await turns(60);
    expect(positions(slow)).toEqual(all);
    expect(slow.pages.every(({ events }) => events.length <= 10)).toBe(true);
    expect(seen.received).toBe(count - 1);
    await store.append('a-last', 'none', [stored()]);
    await turns();
    expect([positions(slow).at(-1), positions(quick).at(-1)]).toEqual([BigInt(count), BigInt(count)]);
    expect(seen.open).toBe(1);
    await Promise.all([slow.stop(), quick.stop()]);
  });

  it('give each reader every event of its streams once and in order, whoever comes, pauses and goes', async () => {
    const step = fc.record({
      append: fc.integer({ min: 0, max: 6 }),
      stream: fc.constantFrom('a-', 'b-', 'c-'),
      turns: fc.integer({ min: 0, max: 6 }),
      reader: fc.option(
        fc.record({
          prefixes: fc.subarray(['a-', 'b-', 'c-'], { minLength: 1 }),
          pageSize: fc.integer({ min: 1, max: 4 }),
        }),
      ),
      toggled: fc.option(fc.nat({ max: 5 })),
      stopped: fc.option(fc.nat({ max: 5 }), { freq: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { store, seen } = watched();
        const readers: { reading: Reading; prefixes: readonly string[]; isPaused: boolean; isOver: boolean }[] = [];
        for (const [index, one] of steps.entries()) {
          if (one.reader)
            readers.push({
              ...{ reading: read(store, one.reader), prefixes: one.reader.prefixes },
              ...{ isPaused: false, isOver: false },
            });
          const toggled = readers[one.toggled ?? -1];
          if (toggled) {
            toggled.isPaused = !toggled.isPaused;
            if (toggled.isPaused) toggled.reading.pause();
            else toggled.reading.resume();
          }
          const stopped = readers[one.stopped ?? -1];
          if (stopped && !stopped.isOver) {
            stopped.isOver = true;
            await stopped.reading.stop();
          }
          for (let event = 0; event < one.append; event += 1) {
            await store.append(`${one.stream}${index}-${event}`, 'none', [stored()]);
            await turns(one.turns);
          }
        }
        for (const { reading } of readers) reading.resume();
        await turns(200);
        const { events } = await store.readAll({ after: null, prefixes: [''] });
        for (const { reading, prefixes, isOver } of readers) {
          const own = events.flatMap(({ stream, position }) =>
            prefixes.some((prefix) => stream.startsWith(prefix)) ? [position] : [],
          );
          const got = positions(reading);
          expect(got).toEqual(isOver ? own.slice(0, got.length) : own);
          const ends = reading.pages.map(({ position }) => position);
          expect(ends).toEqual([...ends].sort((a, b) => Number(a - b)));
        }
        await Promise.all(readers.flatMap(({ reading, isOver }) => (isOver ? [] : [reading.stop()])));
        await turns();
        expect(seen.open).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});
