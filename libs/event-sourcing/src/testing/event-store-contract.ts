import { instantOfMs, newId } from '@billstream/kernel';
import { type EventStore, RevisionConflict, type SubscriptionPage } from '../event-store';
import type { RecordedEvent, StoredEvent } from '../message';

/** A fresh event with plain data, for tests of stores, projections and relays. */
export const sampleEvent = (data: object = {}, type = 'sample.happened.v1'): StoredEvent => {
  const commandId = newId();
  return {
    id: newId(),
    type,
    data,
    metadata: {
      $correlationId: commandId,
      $causationId: commandId,
      commandId,
      tenantId: 'tenant',
      actor: { createdBy: 'tester' },
      at: instantOfMs(0),
      recordedAt: instantOfMs(0),
    },
  };
};

/** Takes pages until `enough` says so, then ends the subscription. */
export const takePages = async (
  pages: AsyncIterable<SubscriptionPage>,
  enough: (events: readonly RecordedEvent[], page: SubscriptionPage) => boolean,
): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  for await (const page of pages) {
    events.push(...page.events);
    if (enough(events, page)) break;
  }
  return events;
};

/** What every store behind the port does. Each test uses streams of its own, so the log may hold other events. */
export const eventStoreContract = (
  name: string,
  open: () => Promise<EventStore & { close?(): Promise<void> }>,
): void => {
  describe(`${name} as an event store`, () => {
    let store: EventStore & { close?(): Promise<void> };
    const aborted: AbortController[] = [];
    const prefix = (): string => `c${newId().slice(0, 8)}`;
    const signal = (): AbortSignal => {
      const controller = new AbortController();
      aborted.push(controller);
      return controller.signal;
    };
    beforeAll(async () => {
      store = await open();
    });
    afterEach(() => {
      for (const controller of aborted.splice(0)) controller.abort();
    });
    afterAll(() => store.close?.());
    const numbers = (events: readonly RecordedEvent[]): unknown[] =>
      events.map(({ data }) => (data as { n: number }).n);

    it('gives back what was appended, in order, with revisions from 0 and rising positions', async () => {
      const stream = `${prefix()}-1`;
      const events = [sampleEvent({ n: 0, text: '한글 🙂', nested: { list: [1, null, 'x'] } }), sampleEvent({ n: 1 })];
      const appended = await store.append(stream, 'none', events);
      const read = await store.read(stream);
      expect(read).toEqual(
        events.map((event, index) => ({
          ...event,
          stream,
          revision: BigInt(index),
          position: expect.any(BigInt) as bigint,
        })),
      );
      expect(appended).toEqual({ revision: 1n, position: read[1]?.position });
      expect(read[1]!.position > read[0]!.position).toBe(true);
      expect(await store.head()).toBe(appended.position);
    });

    it('reads from a revision and at most so many', async () => {
      const stream = `${prefix()}-1`;
      await store.append(
        stream,
        'none',
        [0, 1, 2, 3].map((n) => sampleEvent({ n })),
      );
      expect(numbers(await store.read(stream, 1n, 2))).toEqual([1, 2]);
      expect(await store.read(stream, 4n)).toEqual([]);
      expect(await store.read(`${stream}-unknown`)).toEqual([]);
    });

    it('refuses an append at another revision', async () => {
      const stream = `${prefix()}-1`;
      await expect(store.append(stream, 0n, [sampleEvent()])).rejects.toBeInstanceOf(RevisionConflict);
      await store.append(stream, 'none', [sampleEvent()]);
      await expect(store.append(stream, 'none', [sampleEvent()])).rejects.toBeInstanceOf(RevisionConflict);
      await expect(store.append(stream, 5n, [sampleEvent()])).rejects.toBeInstanceOf(RevisionConflict);
      expect(await store.read(stream)).toHaveLength(1);
    });

    it('lets exactly one of two writers at the same revision through', async () => {
      const stream = `${prefix()}-1`;
      const results = await Promise.allSettled(
        [1, 2, 3].map((n) => store.append(stream, 'none', [sampleEvent({ n })])),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await store.read(stream)).toHaveLength(1);
    });

    it('answers a repeated append as it did the first time and writes nothing', async () => {
      const stream = `${prefix()}-1`;
      const events = [sampleEvent({ n: 0 }), sampleEvent({ n: 1 })];
      const first = await store.append(stream, 'none', events);
      await store.append(stream, 1n, [sampleEvent({ n: 2 })]);
      expect(await store.append(stream, 'none', events)).toEqual(first);
      expect(numbers(await store.read(stream))).toEqual([0, 1, 2]);
    });

    it('subscribes from history into live, to the streams asked for only', async () => {
      const mine = prefix();
      await store.append(`${mine}-1`, 'none', [sampleEvent({ n: 0 }), sampleEvent({ n: 1 })]);
      await store.append(`${prefix()}-other`, 'none', [sampleEvent({ n: 99 })]);
      const pages = store.subscribe({ after: null, prefixes: [`${mine}-`], signal: signal() });
      let live = false;
      const events = await takePages(pages, (taken, { caughtUp }) => {
        if (caughtUp && !live) {
          live = true;
          void store.append(`${mine}-2`, 'none', [sampleEvent({ n: 2 })]);
        }
        return taken.length === 3;
      });
      expect(numbers(events)).toEqual([0, 1, 2]);
    });

    it('resumes after a position, and pages are no larger than asked', async () => {
      const mine = prefix();
      await store.append(
        `${mine}-1`,
        'none',
        [0, 1, 2, 3, 4].map((n) => sampleEvent({ n })),
      );
      const options = { prefixes: [`${mine}-`], pageSize: 2 };
      const sizes: number[] = [];
      const first = await takePages(store.subscribe({ ...options, after: null, signal: signal() }), (taken, page) => {
        sizes.push(page.events.length);
        return taken.length >= 2;
      });
      const after = first.at(-1)!.position;
      const rest = await takePages(
        store.subscribe({ ...options, after, signal: signal() }),
        (taken) => taken.length === 5 - first.length,
      );
      expect(numbers([...first, ...rest])).toEqual([0, 1, 2, 3, 4]);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(2);
    });

    it('reports a position past events of other streams once it has caught up', async () => {
      const { position } = await store.append(`${prefix()}-other`, 'none', [sampleEvent()]);
      const pages = store.subscribe({ after: null, prefixes: [`${prefix()}-`], signal: signal() });
      let reached = -1n;
      await takePages(pages, (_, page) => {
        reached = page.position;
        return page.caughtUp;
      });
      expect(reached >= position).toBe(true);
    });

    it('ends a subscription when its signal aborts', async () => {
      const controller = new AbortController();
      const pages = store.subscribe({ after: null, prefixes: [`${prefix()}-`], signal: controller.signal });
      const seen: boolean[] = [];
      for await (const page of pages) {
        seen.push(page.caughtUp);
        if (page.caughtUp) controller.abort();
      }
      expect(seen.at(-1)).toBe(true);
    });

    it('reads the log after a position without waiting', async () => {
      const mine = prefix();
      const { position } = await store.append(`${mine}-1`, 'none', [sampleEvent({ n: 0 })]);
      await store.append(`${mine}-1`, 0n, [sampleEvent({ n: 1 }), sampleEvent({ n: 2 })]);
      const first = await store.readAll({ after: position, prefixes: [`${mine}-`], max: 1 });
      expect([numbers(first.events), first.caughtUp]).toEqual([[1], false]);
      const second = await store.readAll({ after: first.position, prefixes: [`${mine}-`] });
      expect([numbers(second.events), second.caughtUp]).toEqual([[2], true]);
      const third = await store.readAll({ after: second.position, prefixes: [`${mine}-`] });
      expect(third).toEqual({ events: [], position: second.position, caughtUp: true });
    });
  });
};
