import { type EventStoreServer, memoryLog, startEventStoreServer } from '@billstream/event-store-server';
import { AppendOutcomeUnknown, AppendTooLarge, type RecordedEvent } from '@billstream/event-sourcing';
import { eventStoreContract, sampleEvent, takePages } from '@billstream/event-sourcing/testing';
import { eventStoreDb } from './event-store-db';

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 10_000; !isSo();) {
    if (Date.now() > deadline) throw new Error('it did not come to pass within ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

let server: EventStoreServer;
beforeAll(async () => {
  server = await startEventStoreServer({ log: memoryLog() });
});
afterAll(() => server.close());

eventStoreContract('EventStoreDB client', () =>
  Promise.resolve(eventStoreDb({ connectionString: server.connectionString })),
);

describe('calls to the server', () => {
  it('end with whoever made them', async () => {
    const store = eventStoreDb({ connectionString: server.connectionString });
    await store.append(
      'leak-1',
      'none',
      Array.from({ length: 50 }, () => sampleEvent()),
    );
    await takePages(
      store.subscribe({ after: null, prefixes: ['leak-'], signal: new AbortController().signal }),
      () => true,
    );
    await store.readAll({ after: null, prefixes: ['leak-'], max: 1 });
    await store.head();
    // The standing append call remains for as long as the client lives.
    await until(() => server.openCalls() <= 1);
    await store.close();
    await until(() => server.openCalls() === 0);
    expect(server.openCalls()).toBe(0);
  });

  it('refuse data that is not JSON before anything is sent', async () => {
    const store = eventStoreDb({ connectionString: server.connectionString });
    const event = sampleEvent({ amount: 1n });
    await expect(store.append('bad-1', 'none', [event])).rejects.toThrow('sample.happened.v1.amount is a bigint');
    await store.close();
  });
});

describe('an append larger than 1 MiB', () => {
  it('is refused by its name, and leaves nothing', async () => {
    const store = eventStoreDb({ connectionString: server.connectionString });
    const large = Array.from({ length: 3 }, () => sampleEvent({ text: 'x'.repeat(400_000) }));
    await expect(store.append('too-large-1', 'none', large)).rejects.toThrow(AppendTooLarge);
    expect(await store.read('too-large-1')).toEqual([]);
    await store.close();
  });
});

describe('a subscription', () => {
  it('ends a page early when its events are large, and leaves none out', async () => {
    const store = eventStoreDb({ connectionString: server.connectionString });
    const lines = Array.from({ length: 900 }, () => 'x'.repeat(1_000));
    for (let n = 0; n < 20; n += 1) await store.append(`large-${n}`, 'none', [sampleEvent({ n, lines })]);
    const sizes: number[] = [];
    const events = await takePages(
      store.subscribe({ after: null, prefixes: ['large-'], signal: new AbortController().signal }),
      (taken, page) => {
        sizes.push(page.events.length);
        return taken.length === 20;
      },
    );
    expect(Math.max(...sizes)).toBeLessThan(10);
    expect(events.map(({ stream }) => stream)).toEqual(Array.from({ length: 20 }, (_, n) => `large-${n}`));
    await store.close();
  });
});

describe('a server that comes and goes', () => {
  it('leaves the outcome of an append unknown, and a subscription goes on where it was', async () => {
    const log = memoryLog();
    const first = await startEventStoreServer({ log });
    const store = eventStoreDb({ connectionString: first.connectionString, appendTimeoutMs: 500 });
    await store.append('far-1', 'none', [sampleEvent({ n: 0 })]);
    const controller = new AbortController();
    const taken: RecordedEvent[] = [];
    const reading = (async () => {
      for await (const page of store.subscribe({ after: null, prefixes: ['far-'], signal: controller.signal }))
        taken.push(...page.events);
    })();
    await until(() => taken.length === 1);
    await first.close();
    await expect(store.append('far-1', 0n, [sampleEvent({ n: 1 })])).rejects.toBeInstanceOf(AppendOutcomeUnknown);
    const second = await startEventStoreServer({ log, port: first.port });
    const again = sampleEvent({ n: 2 });
    for (;;)
      try {
        await store.append('far-2', 'none', [again]);
        break;
      } catch (error) {
        expect(error).toBeInstanceOf(AppendOutcomeUnknown);
      }
    await until(() => taken.some(({ id }) => id === again.id));
    expect(new Set(taken.map(({ id }) => id)).size).toBe(taken.length);
    controller.abort();
    await reading;
    await store.close();
    await second.close();
  });
});
