import { type EventStore, memoryEventStore } from '@billstream/event-sourcing';
import { type Instant, fixedClock } from '@billstream/kernel';
import { type UsageRecordedEvent, usageStreamsOf } from '@billstream/metering-domain';
import fc from 'fast-check';
import { createIngest } from './ingest';
import { recentRecords } from './recent-records';
import { usageWriter } from './usage-writer';

const clock = fixedClock('2024-05-01T10:00:00.000Z' as Instant);
const ingestOn = (store: EventStore, sizeMax?: number) =>
  createIngest({
    writer: usageWriter({ store, clock }),
    clock,
    methodsOf: (_, units) => Promise.resolve(new Map(units.map((unit) => [unit, unit === 'host' ? 'AVG' : 'SUM']))),
    ...(sizeMax === undefined ? {} : { recent: recentRecords(sizeMax) }),
  });
const logged = async (store: EventStore) => {
  const { events } = await store.readAll({ after: null, prefixes: usageStreamsOf('t') });
  return events.flatMap(({ data }) => (data as UsageRecordedEvent['data']).records);
};

describe('ingest', () => {
  it('asks for counting methods only when an amount is missing', async () => {
    const asked: (readonly string[])[] = [];
    const store = memoryEventStore();
    const ingest = createIngest({
      writer: usageWriter({ store, clock }),
      clock,
      methodsOf: (_, units) => {
        asked.push(units);
        return Promise.resolve(new Map([['host', 'AVG' as const]]));
      },
    });
    await ingest({ tenantId: 't', batch: [{ unit: 'host', amount: 1 }], requestKey: null });
    const answer = await ingest({
      tenantId: 't',
      batch: [{ unit: 'host' }, { unit: 'calls' }, null],
      requestKey: null,
    });
    expect(asked).toEqual([['host', 'calls']]);
    expect(answer).toMatchObject({ accepted: 1, rejected: [{ index: 0 }, { index: 2 }], deduplicated: false });
  });
  it('does not call a duplicate what is not durable', async () => {
    const inner = memoryEventStore();
    let fails = true;
    const store: EventStore = {
      ...inner,
      append: (stream, expected, events) =>
        fails ? Promise.reject(new Error('disk full')) : inner.append(stream, expected, events),
    };
    const ingest = ingestOn(store);
    const request = { tenantId: 't', batch: [{ unit: 'calls', id: 'a' }], requestKey: null };
    await expect(ingest(request)).rejects.toThrow('disk full');
    fails = false;
    expect(await ingest(request)).toMatchObject({ accepted: 1, duplicates: 0 });
    expect(await ingest(request)).toMatchObject({ accepted: 0, duplicates: 1 });
  });
  it('keeps tenants apart', async () => {
    const ingest = ingestOn(memoryEventStore());
    const batch = [{ unit: 'calls', id: 'a' }];
    expect(await ingest({ tenantId: 't', batch, requestKey: null })).toMatchObject({ accepted: 1 });
    expect(await ingest({ tenantId: 'u', batch, requestKey: null })).toMatchObject({ accepted: 1 });
  });
  it('loses and invents nothing, whatever is sent again, at once or after a restart, however little is remembered', async () => {
    const sent = fc.record({ id: fc.integer({ min: 0, max: 30 }), user: fc.constantFrom('a', 'b', 'c', 'd', 'e') });
    const request = fc.record({ batch: fc.array(sent, { maxLength: 6 }), process: fc.integer({ min: 0, max: 1 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(request, { maxLength: 4 }), { maxLength: 6 }), async (rounds) => {
        const store = memoryEventStore();
        const processes = [ingestOn(store, 4), ingestOn(store)];
        for (const round of rounds)
          await Promise.all(
            round.map(async ({ batch, process }) => {
              // The same id may come with another user: only the first counts, and that is the log's to say.
              const records = batch.map(({ id, user }) => ({ unit: 'calls', user, amount: id, id: String(id) }));
              const answer = await processes[process]!({ tenantId: 't', batch: records, requestKey: null });
              expect(answer.accepted + answer.duplicates).toBe(batch.length);
            }),
          );
        const ids = new Set((await logged(store)).map(([, , , , , id]) => id));
        expect(ids).toEqual(new Set(rounds.flat().flatMap(({ batch }) => batch.map(({ id }) => String(id)))));
      }),
      { numRuns: 60 },
    );
  });
});

it('what is remembered is bounded, and the youngest stay', () => {
  const recent = recentRecords(10);
  for (let n = 0; n < 100; n += 1) recent.add('t s', String(n));
  const kept = Array.from({ length: 100 }, (_, n) => n).filter((n) => recent.has('t s', String(n)));
  expect(kept.length).toBeLessThanOrEqual(10);
  expect(recent.has('u s', '99')).toBe(false);
  expect(kept).toEqual(expect.arrayContaining([95, 96, 97, 98, 99]));
});
