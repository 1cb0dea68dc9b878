import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import type { LimitStatus } from '@billstream/metering-contracts';
import type { Quarter } from '@billstream/metering-domain';
import type { Database, Sql } from '@billstream/postgres';
import { type PlanCounts, planBackfill, planCorrections, planCounts, quartersByPlan } from './backfill-plan';
import { backfilledLimits } from './backfilled-limits';
import { type ClosingView, closingsByKeys, closingsOfPeriods } from './closed-periods.query';
import { userSeries } from './keys';
import { type ReportInterval, bucketOf } from './usage-report.query';

/** What counts of a unit in an interval; `at` null: in all of the range. */
export type QuantityChange = {
  readonly unit: string;
  readonly at: Instant | null;
  readonly before: Quantity;
  readonly after: Quantity;
};
export type Quantity = { readonly sum: Decimal; readonly max: Decimal; readonly records: number };

/** A user whose status with a unit would be another. */
export type LimitChange = {
  readonly user: string;
  readonly unit: string;
  readonly from: LimitStatus;
  readonly to: LimitStatus;
  readonly current: Decimal;
  readonly limit: Decimal | null;
};

export type PreviewAsked = {
  readonly tenantId: string;
  readonly backfillId: string;
  /** True: what its commit would do. False: what its revert would. */
  readonly isCommitted: boolean;
  /** The event it would be, as of now. */
  readonly event: RecordedEvent;
  readonly interval: ReportInterval | null;
  readonly timeZone: string;
  /** Of quantities; closed periods and limits are `listMax`. */
  readonly limit: number;
  readonly offset: number;
  readonly listMax: number;
};

/** What a planned change does to closed periods, all of one moment. It can be asked until `work` has ended. */
export type PlannedUsage = {
  /** Closed periods that would be counted again, `listMax` and one more at most. */
  readonly closings: readonly ClosingView[];
  /** All units that were closed for the prices and periods of some closings. */
  readonly closedWith: (closings: readonly ClosingView[]) => Promise<readonly ClosingView[]>;
  readonly quarters: (
    series: { readonly tenantId: string; readonly user: string; readonly unit: string },
    span: { readonly fromAt: Instant; readonly toAt: Instant },
  ) => Promise<readonly Quarter[]>;
};

export type PlannedBackfill = PlannedUsage & {
  readonly counts: PlanCounts;
  readonly quantities: readonly QuantityChange[];
  readonly limits: readonly LimitChange[];
};

/**
 * Works out what a commit or a revert would do, by the very statements that do it, and changes nothing. Usage goes on
 * being counted meanwhile: nothing is locked.
 */
export const withPlannedBackfill = <Result>(
  database: Database,
  asked: PreviewAsked,
  work: (planned: PlannedBackfill) => Promise<Result>,
): Promise<Result> =>
  database.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read');
    await planBackfill(tx, { ...asked, position: asked.event.position });
    return work({
      counts: await planCounts(tx, asked),
      quantities: await quantityChanges(tx, asked),
      limits: await limitChanges(tx, asked),
      ...(await plannedUsage(tx, asked)),
    });
  });

type Listed = Pick<PreviewAsked, 'tenantId' | 'listMax'>;

/** Works out what corrections would do to closed periods, and changes nothing. */
export const withPlannedCorrections = <Result>(
  database: Database,
  { event, ...listed }: Listed & Pick<PreviewAsked, 'event'>,
  work: (planned: PlannedUsage) => Promise<Result>,
): Promise<Result> =>
  database.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read');
    await planCorrections(tx, event);
    return work(await plannedUsage(tx, listed));
  });

const plannedUsage = async (tx: Sql, listed: Listed): Promise<PlannedUsage> => ({
  closings: await touchedClosings(tx, listed),
  closedWith: (closings) => closingsOfPeriods(tx, listed.tenantId, closings),
  quarters: async ({ tenantId, user, unit }, { fromAt, toAt }) => {
    const series = userSeries(tenantId, user, unit);
    const rows = await quartersByPlan(tx, { series, fromMs: epochMs(fromAt), toMs: epochMs(toAt) });
    return rows.map(({ atMs, ...rest }) => ({ at: instantOfMs(Number(atMs)), ...rest }));
  },
});

const quantitiesBy = (bucket: string): string => `
with scope as (
  select * from usage_backfills where backfill_id = $1
), series as (
  select s.series, s.unit from scope b join usage_series s on s.tenant_id = b.tenant_id and s.unit = any(b.units)
  where s.user_name is not null and (b.users is null or s.user_name = any(b.users))
  union select series, unit from usage_backfill_series where backfill_id = $1
), before as (
  select s.unit, ${bucket} as at, sum(r.amount) as sum, max(r.amount) as max, count(*)::int as records
  from scope b cross join series s join usage_records r on r.series = s.series and r.at_ms >= b.from_ms and r.at_ms < b.to_ms
  where $4::text is not null group by 1, 2
), after as (
  select r.unit, ${bucket} as at, sum(r.amount) as sum, max(r.amount) as max, count(*)::int as records
  from (
    select s.unit, r.at_ms, r.amount
    from scope b cross join series s join usage_records r on r.series = s.series and r.at_ms >= b.from_ms and r.at_ms < b.to_ms
    where not exists (select from backfill_plan p where p.record_key = r.record_key)
    union all
    select s.unit, p.after_at_ms, p.after_amount
    from scope b cross join series s join backfill_plan p on p.after_series = s.series
      and p.after_at_ms >= b.from_ms and p.after_at_ms < b.to_ms
  ) as r where $4::text is not null group by 1, 2
)
select coalesce(b.unit, a.unit) as unit, nullif(coalesce(b.at, a.at), -1) as at,
  coalesce(b.sum, 0) as "beforeSum", coalesce(b.max, 0) as "beforeMax", coalesce(b.records, 0) as "beforeRecords",
  coalesce(a.sum, 0) as "afterSum", coalesce(a.max, 0) as "afterMax", coalesce(a.records, 0) as "afterRecords"
from before b full join after a on a.unit = b.unit and a.at = b.at
order by 1, 2 limit $2 offset $3`;

type QuantityRow = {
  readonly unit: string;
  readonly at: bigint | null;
  readonly beforeSum: Decimal;
  readonly beforeMax: Decimal;
  readonly beforeRecords: number;
  readonly afterSum: Decimal;
  readonly afterMax: Decimal;
  readonly afterRecords: number;
};

const quantityChanges = async (
  tx: Sql,
  { backfillId, interval, timeZone, limit, offset }: PreviewAsked,
): Promise<readonly QuantityChange[]> => {
  const statement = quantitiesBy(interval === null ? '-1::bigint' : bucketOf[interval]);
  const rows = await tx.query<QuantityRow>(statement, [backfillId, limit, offset, timeZone]);
  return rows.map(({ unit, at, ...row }) => ({
    unit,
    at: at === null ? null : instantOfMs(Number(at)),
    before: { sum: row.beforeSum, max: row.beforeMax, records: row.beforeRecords },
    after: { sum: row.afterSum, max: row.afterMax, records: row.afterRecords },
  }));
};

const touched = `
select c.closing_key as key from usage_closings c
where c.tenant_id = $1 and (
  exists (select from backfill_plan p
    where p.before_series = c.series and p.before_at_ms >= c.from_ms and p.before_at_ms < c.to_ms)
  or exists (select from backfill_plan p
    where p.after_series = c.series and p.after_at_ms >= c.from_ms and p.after_at_ms < c.to_ms))
order by c.to_ms, c.account_id, c.closing_key limit $2`;

const touchedClosings = async (tx: Sql, { tenantId, listMax }: Listed): Promise<readonly ClosingView[]> => {
  const rows = await tx.query<{ key: string }>(touched, [tenantId, listMax + 1]);
  return closingsByKeys(
    tx,
    rows.map(({ key }) => key),
  );
};

const limitChanges = async (tx: Sql, { event, listMax }: PreviewAsked): Promise<readonly LimitChange[]> => {
  const changes: LimitChange[] = [];
  for (const { user, unit, loaded, standing, entries } of await backfilledLimits(tx, event)) {
    const last = entries.at(-1);
    if (last === undefined || loaded.status === standing.status || changes.length > listMax) continue;
    const { current, limit } = last;
    changes.push({ user, unit, from: loaded.status, to: standing.status, current, limit });
  }
  return changes;
};
