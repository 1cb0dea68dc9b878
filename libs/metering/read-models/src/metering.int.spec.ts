import { type Decimal, type Instant, instantOfMs } from '@billstream/kernel';
import { type LoggedRecord, meteredAccountSchema, usageLimitSchema, verdict } from '@billstream/metering-domain';
import type { Database } from '@billstream/postgres';
import fc from 'fast-check';
import { countedStreams, limitState, unitVersions, usageOfEveryone, usageQuarters } from './index';
import {
  type Told,
  applied,
  contents,
  defined,
  limitedTo,
  logOf,
  record,
  startMs,
  tenantId,
  usage,
  wholeDay,
  withTables,
} from './testing/metering-log';

withTables();

const sumOf = async (database: Database, user: string): Promise<number> =>
  (await usageQuarters(database, { tenantId, user, unit: 'calls' }, wholeDay)).reduce(
    (sum, quarter) => sum + Number(quarter.sum),
    0,
  );

describe('a record', () => {
  it('counts once: within an event, across events, pages and partitions, and the first in the log is the one', async () => {
    const events = logOf([
      usage(0, [record('a', 1, 'x'), record('a', 2, 'x'), record('a', 4, 'y')]),
      usage(1, [record('b', 8, 'x'), record('b', 16, 'z')]),
      usage(0, [record('a', 32, 'z'), record('a', 64, null), record('a', 64, null)]),
    ]);
    for (const pages of [[3], [1], [2, 1]]) {
      const database = await applied(events, pages);
      expect([await sumOf(database, 'a'), await sumOf(database, 'b')]).toEqual([1 + 4 + 64 + 64, 16]);
    }
  });
  it('is told apart from another that happened in the same millisecond', async () => {
    const database = await applied(logOf([usage(0, [record('a', 1, '1'), record('a', 1, '2'), record('b', 1, '3')])]));
    expect([await sumOf(database, 'a'), await sumOf(database, 'b')]).toEqual([2, 1]);
  });
  it('at the start of a range is in it, at its end is not', async () => {
    const edges = [
      record('a', 1, '1', Date.parse(wholeDay.fromAt)),
      record('a', 2, '2', Date.parse(wholeDay.toAt)),
      record('a', 4, '3', Date.parse(wholeDay.toAt) - 1),
    ];
    expect(await sumOf(await applied(logOf([usage(0, edges)])), 'a')).toBe(5);
  });
  it('keeps every digit', async () => {
    const exact: LoggedRecord = ['calls', 'a', startMs, '123456789012345678.123456789' as Decimal, null, null];
    const [quarter] = await usageQuarters(
      await applied(logOf([usage(0, [exact, exact])])),
      { tenantId, user: 'a', unit: 'calls' },
      wholeDay,
    );
    expect(quarter).toMatchObject({
      sum: '246913578024691356.246913578',
      count: 2,
      max: '123456789012345678.123456789',
    });
  });
  it('whose names hold quotes and braces is kept as it is', async () => {
    const odd: LoggedRecord = [`u"{,}\\'`, `x';drop table usage_records;--{}`, startMs, '3' as Decimal, '{"', ',}'];
    const database = await applied(logOf([usage(0, [odd]), usage(1, [odd])]));
    const quarters = await usageQuarters(database, { tenantId, user: odd[1], unit: odd[0] }, wholeDay);
    expect(quarters).toMatchObject([{ sum: '3', count: 1 }]);
  });
  it('of everyone together adds up each user’s hours', async () => {
    const database = await applied(logOf([usage(0, [record('a', 1, '1'), record('a', 3, '2'), record('b', 10, '3')])]));
    expect(await usageOfEveryone(database, { tenantId, unit: 'calls', method: 'AVG' }, wholeDay)).toMatchObject([
      { records: 3, value: expect.stringMatching(/^12(\.0+)?$/) },
    ]);
  });
});

describe('limits', () => {
  const current = async (database: Database, user: string, subscriptionId: string | null = null) =>
    verdict(
      await limitState(database, { tenantId, user, unit: 'calls', subscriptionId }),
      instantOfMs(startMs),
      '100' as Decimal,
    );
  it('see each distinct record once, by the rules that stood before it in the log', async () => {
    const events = logOf([
      usage(0, [record('a', 1000, 'before')]),
      defined('calls', [limitedTo(100)]),
      usage(0, [record('a', 60, 'x'), record('a', 60, 'x')]),
      usage(1, [record('a', 60, 'x'), record('a', 41, 'y')]),
    ]);
    for (const pages of [[4], [1], [3, 1]])
      expect(await current(await applied(events, pages), 'a')).toMatchObject({ current: '101', limited: true });
  });
  it('belong to the subscription whose plan has them', async () => {
    const account = meteredAccountSchema.encode({
      type: 'AccountRecorded',
      data: { accountId: 'acc', user: 'a', timeZone: 'Asia/Seoul' },
    });
    const fromAt = '2024-01-01T00:00:00.000Z' as Instant;
    const interval = {
      subscriptionId: 'sub',
      planName: 'pro',
      category: 'BASE',
      fromAt,
      toAt: null,
      units: [],
      capacityUnits: [],
    } as const;
    const plans = meteredAccountSchema.encode({
      type: 'PlansRecorded',
      data: { accountId: 'acc', subscriptionId: 'sub', intervals: [interval] },
    });
    const stream = 'meteredAccount-acc';
    const events = logOf([
      defined('calls', [{ ...limitedTo(50), applyPlan: true, basePlan: 'pro' }, limitedTo(10)]),
      { stream, ...account },
      usage(0, [record('a', 3, '1')]),
      { stream, ...plans },
      usage(0, [record('a', 7, '2')]),
    ]);
    const database = await applied(events);
    expect([(await current(database, 'a')).current, (await current(database, 'a', 'sub')).current]).toEqual(['3', '7']);
  });
  it('do what a hand does to them, in its place among the records', async () => {
    const set = usageLimitSchema.encode({
      type: 'CounterSet',
      data: { unit: 'calls', user: 'a', amount: '5' as Decimal },
    });
    const events = logOf([
      defined('calls', [limitedTo(100)]),
      usage(0, [record('a', 90, '1')]),
      { stream: 'usageLimit-1', ...set },
      usage(0, [record('a', 2, '2')]),
    ]);
    for (const pages of [[4], [1]])
      expect(await current(await applied(events, pages), 'a')).toMatchObject({ current: '7' });
  });
});

it('knows where each stream was counted to, and every version of a unit', async () => {
  const database = await applied(
    logOf([defined('calls', []), usage(0, []), usage(1, [record('a', 1, null)]), usage(0, [record('a', 1, null)])]),
    [2],
  );
  expect(await countedStreams(database, [`usage-${tenantId}-0`, `usage-${tenantId}-1`, `usage-${tenantId}-2`])).toEqual(
    new Map([
      [`usage-${tenantId}-0`, { revision: 1n, position: 21n }],
      [`usage-${tenantId}-1`, { revision: 0n, position: 14n }],
    ]),
  );
  expect(await unitVersions(database, tenantId, 'calls')).toEqual([
    { version: 1, effectiveAt: instantOfMs(startMs), countingMethod: 'SUM', rules: [] },
  ]);
});

it('whatever is repeated, mixed up or late, the totals are those of the distinct records, and any cut into pages builds the same tables', async () => {
  const sent = fc.record({
    user: fc.constantFrom('a', 'b', 'c'),
    amount: fc.integer({ min: 0, max: 40 }),
    id: fc.option(fc.integer({ min: 0, max: 12 })),
    lateMinutes: fc.integer({ min: 0, max: 90 }),
  });
  const event = fc.record({
    partition: fc.integer({ min: 0, max: 3 }),
    records: fc.array(sent, { maxLength: 6 }),
    minute: fc.integer({ min: 0, max: 120 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      fc.nat(),
      async (sends, pages, ruleAt) => {
        const told: Told[] = sends.map(({ partition, records, minute }) => {
          const nowMs = startMs + minute * 60_000;
          return usage(
            partition,
            records.map(({ user, amount, id, lateMinutes }) =>
              record(user, amount, id === null ? null : String(id), nowMs - lateMinutes * 60_000),
            ),
            nowMs,
          );
        });
        told.splice(ruleAt % (told.length + 1), 0, defined('calls', [limitedTo(30)]));
        const events = logOf(told);
        const [paged, whole] = [await applied(events, pages), await applied(events)];
        const first = new Map<string, { user: string; amount: number }>();
        sends.forEach(({ records }, e) =>
          records.forEach(({ user, amount, id }, i) => {
            const key = id === null ? `${e}/${i}` : `id ${id}`;
            if (!first.has(key)) first.set(key, { user, amount });
          }),
        );
        for (const name of ['a', 'b', 'c'])
          expect(await sumOf(paged, name)).toBe(
            [...first.values()].filter(({ user }) => user === name).reduce((sum, { amount }) => sum + amount, 0),
          );
        expect(await contents(paged)).toEqual(await contents(whole));
      },
    ),
    { numRuns: 15 },
  );
}, 120_000);
