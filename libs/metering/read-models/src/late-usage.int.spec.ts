import { decimal, instantOfMs, zero } from '@billstream/kernel';
import { defaultRule, usageClosingSchema, usageClosingStream } from '@billstream/metering-domain';
import type { Database } from '@billstream/postgres';
import {
  type Told,
  applied,
  contents,
  defined,
  logOf,
  record,
  startMs,
  usage,
  withTables,
} from './testing/metering-log';

withTables();

const closed = (countedTo: number, quantity = zero, requestId = 'r', subscriptionId = 'sub'): Told => {
  const toAt = instantOfMs(startMs + 3_600_000);
  const quantities = { quantity, metered: zero, free: zero, records: 0, syntheticBuckets: 0, rule: null };
  const usages = [
    { unit: 'calls', usageName: 'u', fromAt: instantOfMs(startMs), toAt, ...quantities, countedTo: String(countedTo) },
  ];
  const event = usageClosingSchema.encode({
    type: 'UsageClosed',
    data: {
      ...{ requestId, accountId: 'acc', subscriptionId, usages },
      asked: { user: 'a', planName: 'p', timeZone: 'UTC' },
    },
  });
  return { stream: usageClosingStream(subscriptionId), ...event };
};
const countedLate = (countedTo: number): Told => {
  const event = usageClosingSchema.encode({
    type: 'LateUsageCounted',
    data: {
      ...{ accountId: 'acc', subscriptionId: 'sub', unit: 'calls', usageName: 'u', fromAt: instantOfMs(startMs) },
      ...{ toAt: instantOfMs(startMs + 3_600_000), quantity: zero, closedQuantity: zero, countedTo: String(countedTo) },
    },
  });
  return { stream: usageClosingStream('sub'), ...event };
};
const lateOf = async (database: Database) => ({
  lateTo: (await database.query<{ late: bigint | null }>('select late_to as late from usage_closings'))[0]?.late,
  due: (await database.query(`select key from due_work where kind = 'late-usage'`)).length,
});
const before = [defined('calls', [defaultRule('SUM')]), usage(0, [record('a', 5, '1')]), closed(7)];

describe('usage of a closed period', () => {
  it('is late once: what was counted and is sent again changes nothing', async () => {
    expect(await lateOf(await applied(logOf([...before, usage(0, [record('a', 5, '1')])])))).toEqual({
      lateTo: null,
      due: 0,
    });
  });
  it('was counted where the period was closed last, whatever an older count says after it', async () => {
    const again = closed(14, decimal(5), 'r2');
    const database = await applied(logOf([...before, again, countedLate(9)]));
    expect(await database.query('select quantity, counted_to as "countedTo" from usage_closings')).toEqual([
      { quantity: '5', countedTo: 14n },
    ]);
  });
  it('stays late when it was compared with what had been closed before', async () => {
    const came = [usage(0, [record('a', 6, '2')]), usage(0, [record('a', 7, '3')])];
    const database = await applied(logOf([...before, ...came, closed(21, decimal(11), 'r2'), countedLate(28)]));
    expect(await lateOf(database)).toEqual({ lateTo: 28n, due: 1 });
  });
  it('is late where it came first, in whatever pages it comes again', async () => {
    const events = logOf([...before, usage(0, [record('a', 6, '2')]), usage(0, [record('a', 6, '2')])]);
    const [paged, whole] = [await applied(events, [1]), await applied(events)];
    expect(await lateOf(whole)).toEqual({ lateTo: 21n, due: 1 });
    expect(await contents(paged)).toEqual(await contents(whole));
  });
  it('is late, too, where rules were dated back between the count and the event that tells of it', async () => {
    const late = defined('calls', [defaultRule('SUM')]);
    const events = logOf([usage(0, [record('a', 5, '1')]), late, closed(0), closed(7, zero, 'r2', 'after')]);
    const rows = await (
      await applied(events)
    ).query('select subscription_id as "subscription", late_to as "lateTo" from usage_closings order by 1');
    expect(rows).toEqual([
      { subscription: 'after', lateTo: null },
      { subscription: 'sub', lateTo: 7n },
    ]);
    expect(await contents(await applied(events, [1]))).toEqual(await contents(await applied(events)));
  });
  it('is as late where periods are closed together as where they are closed one by one', async () => {
    const rows = async (database: Database) =>
      database.query(`
        select c.subscription_id as "subscription", c.quantity, c.late_to as "lateTo", d.key is not null as "isDue"
        from usage_closings c left join due_work d on d.kind = 'late-usage' and d.key = c.closing_key::text order by 1`);
    const others = [closed(14, zero, 'o', 'counted'), closed(7, zero, 'o', 'short'), closed(7, decimal(5), 'again')];
    const after = [countedLate(21), closed(14, zero, 'l', 'last')];
    const events = logOf([...before, usage(0, [record('a', 6, '2')]), ...others, ...after]);
    const [paged, whole] = [await applied(events, [1]), await applied(events)];
    expect(await rows(whole)).toEqual([
      { subscription: 'counted', quantity: '0', lateTo: 21n, isDue: true },
      { subscription: 'last', quantity: '0', lateTo: 21n, isDue: true },
      { subscription: 'short', quantity: '0', lateTo: 21n, isDue: true },
      { subscription: 'sub', quantity: '5', lateTo: 21n, isDue: true },
    ]);
    expect(await contents(paged)).toEqual(await contents(whole));
  });
});
