import { derivedId, instantOfMs } from '@billstream/kernel';
import { usageClosingSchema, usageClosingStream } from '@billstream/metering-domain';
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
