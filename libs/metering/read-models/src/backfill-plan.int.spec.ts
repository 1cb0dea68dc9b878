import { type Decimal, derivedId, instantOfMs } from '@billstream/kernel';
import { defaultRule, usageClosingSchema, usageClosingStream } from '@billstream/metering-domain';
import { meteringReadModel } from './index';
import { committedBackfill, hourMs, revertedBackfill, stagedBackfill } from './testing/backfill-log';
import {
  type Told,
  applied,
  defined,
  limitedTo,
  logOf,
  record,
  startMs,
  tenantId,
  usage,
  withTables,
} from './testing/metering-log';

withTables();

const users = Array.from({ length: 100 }, (_, n) => `u${n}`);
const recordsEach = 30;

const closed = (user: string): Told => {
  const span = { fromAt: instantOfMs(startMs), toAt: instantOfMs(startMs + hourMs) };
  const quantities = { quantity: '0', metered: '0', free: '0', records: 0, syntheticBuckets: 0, rule: null };
  const usage = { unit: 'calls', usageName: 'u', ...span, ...quantities, countedTo: '0', trackingIds: [] };
  const data = { requestId: `r ${user}`, accountId: user, subscriptionId: user, usages: [usage] };
  const asked = { user, planName: 'p', timeZone: 'UTC' };
  return {
    stream: usageClosingStream(user),
    ...usageClosingSchema.encode({ type: 'UsageClosed', data: { ...data, asked } as never }),
  };
};

it('a commit reads its records a few times, however many periods were closed and users are limited', async () => {
  const backfill = {
    ...{ backfillId: derivedId('backfill', 'many'), mode: 'ADD' as const, users: null },
    ...{ fromHour: 0, toHour: 1 },
  };
  const parts = users.map((user) =>
    Array.from({ length: recordsEach }, (_, n) => record(user, 1, `${user} ${n}`, startMs + n)),
  );
  const log = logOf([
    defined('calls', [limitedTo(1_000)]),
    ...stagedBackfill(backfill, parts),
    ...users.map(closed),
    committedBackfill(backfill),
    revertedBackfill(backfill),
  ]);
  const database = await applied(log.slice(0, -2), [50]);
  for (const end of log.slice(-2)) {
    const read = await database.transaction(async (tx) => {
      await meteringReadModel.apply(tx, [end]);
      const late = await tx.query<{ late: bigint }>(
        'select count(*) as late from usage_closings where tenant_id = $1 and late_to = $2',
        [tenantId, end.position],
      );
      expect(late[0]?.late).toBe(100n);
      const [scanned] = await tx.query<{ rows: bigint }>(
        `select seq_tup_read as rows from pg_stat_xact_user_tables where relid = 'backfill_plan'::regclass`,
      );
      return Number(scanned?.rows);
    });
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(20 * users.length * recordsEach);
  }
});

const firstUse = {
  ...{ ...defaultRule('SUM'), limitAmount: '50' as Decimal },
  ...{ limitRefreshInterval: 'HOUR' as const, windowAnchor: 'FIRST_USE' as const },
};
it.each([
  ['that reaches until now', [70, 110], '11:10'],
  ['after one whose window is over', [-300, 70, 110], '11:10'],
  ['of none that reaches until now', [10, 50], null],
  ['among those of a window that is open', [61, 80], '11:05'],
])('a window that opens with its first use opens with a backfilled one %s', async (what, minutes, opens) => {
  const backfill = {
    ...{ backfillId: derivedId('backfill', what), mode: 'ADD' as const, users: null },
    ...{ fromHour: -10, toHour: 2 },
  };
  const nowMs = startMs + 2 * hourMs;
  const records = minutes.map((minute) => record('u', 30, String(minute), startMs + minute * 60_000));
  const before = opens === '11:05' ? [usage(0, [record('u', 1, 'before', startMs + 65 * 60_000)], nowMs)] : [];
  const staged = [defined('calls', [firstUse]), ...before, ...stagedBackfill(backfill, [records])];
  const database = await applied(logOf([...staged, committedBackfill(backfill, nowMs)]));
  const found = await database.query<{ current: string; from: string }>(
    `select current, window_from as "from" from usage_limits where window_from is not null`,
  );
  const sum = opens === '11:05' ? '31' : '60';
  expect(found).toEqual(opens === null ? [] : [{ current: sum, from: `2024-05-10T${opens}:00.000Z` }]);
});
