import { AppendOutcomeUnknown, type EventStore, RevisionConflict, memoryEventStore } from '@billstream/event-sourcing';
import { type Instant, fixedClock } from '@billstream/kernel';
import type { LoggedRecord, UsageRecordedEvent } from '@billstream/metering-domain';
import { streamEnd } from './stream-end';
import { TooMuchWaiting, usageWriter } from './usage-writer';

const clock = fixedClock('2024-05-01T10:00:00.000Z' as Instant);
const record = (n: number): LoggedRecord => ['calls', 'u', 1_714_557_600_000, '1' as never, 's', String(n)];
const records = (from: number, count: number): readonly LoggedRecord[] =>
  Array.from({ length: count }, (_, i) => record(from + i));
const written = async (store: EventStore, stream = 'usage-t-0') =>
  (await store.read(stream)).map(({ data }) =>
    (data as UsageRecordedEvent['data']).records.map(([, , , , , id]) => Number(id)),
  );

describe('the usage writer', () => {
  it('writes what arrives during an append as one event', async () => {
    const store = memoryEventStore();
    const writer = usageWriter({ store, clock });
    const positions = await Promise.all([0, 1, 2, 3].map((n) => writer.write('t', 'usage-t-0', [record(n)])));
    expect(await written(store)).toEqual([[0], [1, 2, 3]]);
    expect(positions).toEqual([0n, 1n, 1n, 1n]);
    expect([writer.lastPosition('t', 'u'), writer.lastPosition('t', 'v')]).toEqual([1n, null]);
    expect(writer.lastPosition('s', 'u')).toBeNull();
  });
  it('cuts what is too large for one event, in records and in characters', async () => {
    const store = memoryEventStore();
    await usageWriter({ store, clock }).write('t', 'usage-t-0', records(0, 2_500));
    expect((await written(store)).map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
    const long: LoggedRecord = ['x'.repeat(255), 'y'.repeat(255), 0, '1' as never, 's'.repeat(255), 'i'.repeat(255)];
    await usageWriter({ store, clock }).write(
      't',
      'usage-t-1',
      Array.from({ length: 1_000 }, () => long),
    );
    for (const { data } of await store.read('usage-t-1')) expect(JSON.stringify(data).length).toBeLessThan(170_000);
  });
  it('finds the end of a stream that others have written, however long it is', async () => {
    const store = memoryEventStore();
    const ends: bigint[] = [];
    for (const length of [0, 1, 2, 3, 7, 8, 100]) {
      const stream = `usage-t-${length}`;
      const writer = usageWriter({ store, clock });
      for (let n = 0; n < length; n += 1) await writer.write('t', stream, [record(n)]);
      ends.push(await streamEnd(store, stream, -1n));
      await usageWriter({ store, clock }).write('t', stream, [record(length)]);
      expect(await written(store, stream)).toHaveLength(length + 1);
    }
    expect(ends).toEqual([-1n, 0n, 1n, 2n, 6n, 7n, 99n]);
  });
  it('takes turns with another process on the same stream', async () => {
    const store = memoryEventStore();
    const writers = [usageWriter({ store, clock }), usageWriter({ store, clock })];
    for (let n = 0; n < 20; n += 1) await writers[n % 2]!.write('t', 'usage-t-0', [record(n)]);
    await Promise.all(Array.from({ length: 20 }, (_, n) => writers[n % 2]!.write('t', 'usage-t-0', [record(20 + n)])));
    expect((await written(store)).flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });
  it('writes once what it does not know whether it wrote', async () => {
    const inner = memoryEventStore();
    let appends = 0;
    const store: EventStore = {
      ...inner,
      append: async (stream, expected, events) => {
        appends += 1;
        if (appends === 1) throw new AppendOutcomeUnknown(stream);
        const appended = await inner.append(stream, expected, events);
        if (appends === 2) throw new AppendOutcomeUnknown(stream);
        return appended;
      },
    };
    expect(await usageWriter({ store, clock }).write('t', 'usage-t-0', [record(1)])).toBe(0n);
    expect(await written(inner)).toEqual([[1]]);
  });
  it('recognises its append also when another process has written after it', async () => {
    const inner = memoryEventStore();
    let isFirst = true;
    const store: EventStore = {
      ...inner,
      append: async (stream, expected, events) => {
        if (!isFirst) return inner.append(stream, expected, events);
        isFirst = false;
        await inner.append(stream, expected, events);
        await usageWriter({ store: inner, clock }).write('t', stream, [record(99)]);
        throw new RevisionConflict(stream, expected);
      },
    };
    const writer = usageWriter({ store, clock });
    expect(await writer.write('t', 'usage-t-0', [record(1)])).toBe(0n);
    await writer.write('t', 'usage-t-0', [record(2)]);
    expect(await written(inner)).toEqual([[1], [99], [2]]);
  });
  it('says so when a store stays away, and goes on when it is back', async () => {
    const inner = memoryEventStore();
    let isAway = true;
    const store: EventStore = {
      ...inner,
      append: (stream, expected, events) =>
        isAway ? Promise.reject(new AppendOutcomeUnknown(stream)) : inner.append(stream, expected, events),
    };
    const writer = usageWriter({ store, clock, patienceMs: 0 });
    await expect(writer.write('t', 'usage-t-0', [record(1)])).rejects.toThrow(AppendOutcomeUnknown);
    isAway = false;
    await writer.write('t', 'usage-t-0', [record(2)]);
    expect(await written(inner)).toEqual([[2]]);
  });
  it('refuses more than can wait', async () => {
    const store: EventStore = { ...memoryEventStore(), append: () => new Promise(() => undefined) };
    const writer = usageWriter({ store, clock });
    void writer.write('t', 'usage-t-0', records(0, 1_000));
    void writer.write('t', 'usage-t-0', records(0, 99_000));
    await expect(writer.write('t', 'usage-t-0', records(0, 2_000))).rejects.toThrow(TooMuchWaiting);
  });
});
