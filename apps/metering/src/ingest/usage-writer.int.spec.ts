import { type EventStoreServer, memoryLog, startEventStoreServer } from '@billstream/event-store-server';
import { eventStoreDb } from '@billstream/eventstoredb';
import { type Decimal, type Instant, fixedClock, newId } from '@billstream/kernel';
import { type LoggedRecord, type UsageRecordedEvent, usageStream } from '@billstream/metering-domain';
import { streamEnd } from './stream-end';
import { usageWriter } from './usage-writer';

let server: EventStoreServer;
let store: ReturnType<typeof eventStoreDb>;
beforeAll(async () => {
  server = await startEventStoreServer({ log: memoryLog() });
  store = eventStoreDb({ connectionString: server.connectionString });
});
afterAll(async () => {
  await store.close();
  await server.close();
});

const clock = fixedClock('2024-05-01T10:00:00.000Z' as Instant);
const record = (n: number): LoggedRecord => ['calls', 'u', 1_714_557_600_000, '1' as Decimal, 's', String(n)];
const written = async (stream: string) =>
  (await store.read(stream)).flatMap(({ data }) =>
    (data as UsageRecordedEvent['data']).records.map(([, , , , , id]) => Number(id)),
  );

it('after a restart goes on where the stream ends, whatever its length', async () => {
  for (const length of [1, 2, 5, 9]) {
    const tenantId = newId();
    const stream = usageStream(tenantId, 'u');
    expect(await streamEnd(store, stream, -1n)).toBe(-1n);
    const writer = usageWriter({ store, clock });
    for (let n = 0; n < length; n += 1) await writer.write(tenantId, stream, [record(n)]);
    expect(await streamEnd(store, stream, -1n)).toBe(BigInt(length - 1));
    await usageWriter({ store, clock }).write(tenantId, stream, [record(length)]);
    expect(await written(stream)).toEqual(Array.from({ length: length + 1 }, (_, n) => n));
  }
});

it('two processes write the same stream without losing or repeating a record', async () => {
  const tenantId = newId();
  const stream = usageStream(tenantId, 'u');
  const writers = [usageWriter({ store, clock }), usageWriter({ store, clock })];
  await Promise.all(Array.from({ length: 60 }, (_, n) => writers[n % 2]!.write(tenantId, stream, [record(n)])));
  for (let n = 60; n < 80; n += 1) await writers[n % 2]!.write(tenantId, stream, [record(n)]);
  expect((await written(stream)).sort((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, n) => n));
});

it('takes the largest batch a body can hold', async () => {
  const tenantId = newId();
  const stream = usageStream(tenantId, 'u');
  const wide = (n: number): LoggedRecord => [
    'ü'.repeat(255),
    '\u0001'.repeat(255),
    1_714_557_600_000,
    '1' as Decimal,
    '한'.repeat(255),
    String(n),
  ];
  await usageWriter({ store, clock }).write(
    tenantId,
    stream,
    Array.from({ length: 5_000 }, (_, n) => wide(n)),
  );
  expect(await written(stream)).toHaveLength(5_000);
}, 30_000);
