import { instantOfMs, zero } from '@billstream/kernel';
import {
  defaultRule,
  meteredAccountSchema,
  meteredAccountStream,
  unitIdOf,
  unitSchema,
  unitStream,
  usageClosingSchema,
  usageClosingStream,
} from '@billstream/metering-domain';
import { hourMs } from './testing/backfill-log';
import {
  type Told,
  applied,
  defined,
  logOf,
  record,
  startMs,
  tenantId,
  usage,
  withTables,
} from './testing/metering-log';

withTables();

const toMs = startMs + hourMs;

const replaced = (fromMs: number, atMs: number): Told => {
  const unitId = unitIdOf(tenantId, 'calls');
  const version = { version: 2, effectiveAt: instantOfMs(fromMs), rules: [defaultRule('SUM')] };
  const event = unitSchema.encode({ type: 'RulesReplaced', data: { unitId, name: 'calls', ...version } });
  return { stream: unitStream(unitId), ...event, atMs };
};

/** The hour, as it was counted up to the record of usage and no further. */
const closed = (atMs: number): Told => {
  const span = { fromAt: instantOfMs(startMs), toAt: instantOfMs(toMs) };
  const quantities = { quantity: zero, metered: zero, free: zero, records: 0, syntheticBuckets: 0, rule: null };
  const usages = [{ unit: 'calls', usageName: 'u', ...span, ...quantities, countedTo: '7' }];
  const asked = { user: 'u', planName: 'p', timeZone: 'UTC' };
  const data = { requestId: 'r', accountId: 'a', subscriptionId: 's', usages, asked };
  return { stream: usageClosingStream('s'), ...usageClosingSchema.encode({ type: 'UsageClosed', data }), atMs };
};

it.each([
  ['late by one that held shortly before its end', 30_000, '14'],
  ['late by one that held long before', 90_000, '14'],
  ['not late by one that holds since its end', 5_000, null],
])('a period that is closed while a rule is put in force is %s', async (_, back, lateTo) => {
  const nowMs = toMs + 6_000;
  const used = usage(0, [record('u', 1, 'x', toMs - 1_000)], toMs);
  const told = [defined('calls', [defaultRule('SUM')]), used, replaced(nowMs - back, nowMs), closed(nowMs + 1)];
  const database = await applied(logOf(told));
  expect(await database.query('select late_to::text as late from usage_closings')).toEqual([{ late: lateTo }]);
});

describe('a plan of another subscription of the user', () => {
  const planned = (subscriptionId: string, fromMs: number, atMs: number): readonly Told[] => {
    const stream = meteredAccountStream('a');
    const interval = { planName: 'p', category: 'ADD_ON', toAt: null, units: ['calls'], capacityUnits: [] } as const;
    const intervals = [{ ...interval, subscriptionId, fromAt: instantOfMs(fromMs) }];
    const account = { accountId: 'a', user: 'u', timeZone: 'UTC' };
    return [
      { stream, ...meteredAccountSchema.encode({ type: 'AccountRecorded', data: account }), atMs },
      {
        stream,
        ...meteredAccountSchema.encode({ type: 'PlansRecorded', data: { accountId: 'a', subscriptionId, intervals } }),
        atMs,
      },
    ];
  };
  it.each([
    ['late by one that began a second before its end', 'other', -1_000, '21'],
    ['late by one that began long before', 'other', -90_000, '21'],
    ['not late by one that begins with its end', 'other', 0, null],
    ['not late by its own', 's', -1_000, null],
  ])('that is recorded while a period is closed makes it %s', async (_, subscriptionId, from, lateTo) => {
    const used = usage(0, [record('u', 1, 'x', toMs - 1_000)], toMs);
    const told = [defined('calls', [defaultRule('SUM')]), used, ...planned(subscriptionId, toMs + from, toMs + 500)];
    const database = await applied(logOf([...told, closed(toMs + 1_000)]));
    expect(await database.query('select late_to::text as late from usage_closings')).toEqual([{ late: lateTo }]);
  });
  it('is recorded alike in whatever pages it comes, also before its account', async () => {
    const [account, plans] = planned('other', toMs - 1_000, toMs + 500);
    const log = logOf([plans!, account!]);
    const rows = async (pages?: readonly number[]) =>
      (await applied(log, pages)).query('select user_name as "user", position::text from usage_dated_back');
    expect(await rows()).toEqual([{ user: null, position: '0' }]);
    expect(await rows([1])).toEqual(await rows());
  });
  it('that is ended holds differently from its end on, in whatever pages it comes', async () => {
    const begun = planned('other', startMs, startMs);
    const ended = {
      stream: meteredAccountStream('a'),
      ...meteredAccountSchema.encode({
        type: 'PlansRecorded',
        data: {
          ...{ accountId: 'a', subscriptionId: 'other' },
          intervals: [
            {
              ...{ planName: 'p', category: 'ADD_ON', units: ['calls'], capacityUnits: [], subscriptionId: 'other' },
              ...{ fromAt: instantOfMs(startMs), toAt: instantOfMs(toMs) },
            },
          ],
        },
      }),
    };
    for (const pages of [undefined, [1]]) {
      const database = await applied(logOf([...begun, ended]), pages);
      expect(await database.query('select from_ms::text as "fromMs" from usage_dated_back order by position')).toEqual([
        { fromMs: String(startMs) },
        { fromMs: String(toMs) },
      ]);
    }
  });
});
