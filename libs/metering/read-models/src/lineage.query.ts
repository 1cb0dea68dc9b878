import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import type { Dimensions, Quarter } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { subscriptionSeries, userSeries } from './keys';

/** A record as it counted at a position of the log, and where it stands there. */
export type LineageRecord = {
  readonly stream: string;
  readonly revision: bigint;
  readonly index: number;
  readonly position: bigint;
  readonly atMs: bigint;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
};

/**
 * What was accepted up to the position and not corrected since counts as it stands; what was corrected since counts as
 * it was before the first correction after the position. Commits and reverts of backfills are corrections of many.
 */
const recordsAsOf = `
with counted as (
  select r.at_ms, r.amount, r.dimensions, r.position, r.idx
  from usage_records r
  where r.series = $1 and r.at_ms >= $2 and r.at_ms < $3
    and not exists (select from usage_corrections c where c.record_key = r.record_key and c.position > $4)
    and not exists (select from usage_backfill_changes c where c.record_key = r.record_key and c.position > $4)
  union all
  select c.before_at_ms, c.before_amount, c.before_dimensions, c.record_position, c.record_idx
  from usage_corrections c
  where c.before_series = $1 and c.before_at_ms >= $2 and c.before_at_ms < $3 and c.position > $4
    and not exists (select from usage_corrections earlier where earlier.record_key = c.record_key
      and earlier.position > $4 and (earlier.position, earlier.idx) < (c.position, c.idx))
    and not exists (select from usage_backfill_changes earlier where earlier.record_key = c.record_key
      and earlier.position > $4 and earlier.position < c.position)
  union all
  select c.before_at_ms, c.before_amount, c.before_dimensions, c.record_position, c.record_idx
  from usage_backfill_changes c
  where c.before_series = $1 and c.before_at_ms >= $2 and c.before_at_ms < $3 and c.position > $4
    and not exists (select from usage_corrections earlier where earlier.record_key = c.record_key
      and earlier.position > $4 and earlier.position < c.position)
    and not exists (select from usage_backfill_changes earlier where earlier.record_key = c.record_key
      and earlier.position > $4 and earlier.position < c.position)
)`;

const lineage = `${recordsAsOf}
select b.stream, b.revision, counted.idx as index, counted.position, counted.at_ms as "atMs", counted.amount,
  counted.dimensions
from counted join usage_batches b using (position)
where b.accepted_position <= $4 and (counted.at_ms, counted.position, counted.idx) > ($5::bigint, $6::bigint, $7::bigint)
order by counted.at_ms, counted.position, counted.idx limit $8`;

export type LineageAsked = {
  readonly tenantId: string;
  /** Whose records: a user's, or those that were reported for a subscription as such. */
  readonly of: { readonly user: string } | { readonly subscriptionId: string };
  readonly unit: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** Log position up to which was counted. */
  readonly countedTo: bigint;
  readonly after: { readonly atMs: bigint; readonly position: bigint; readonly index: number };
  readonly limit: number;
};

/** The records behind a counted quantity, oldest first. */
export const lineageRecords = (sql: Sql, asked: LineageAsked): Promise<readonly LineageRecord[]> =>
  sql.query<LineageRecord>(
    lineage,
    [
      'user' in asked.of
        ? userSeries(asked.tenantId, asked.of.user, asked.unit)
        : subscriptionSeries(asked.tenantId, asked.of.subscriptionId, asked.unit),
      epochMs(asked.fromAt),
      epochMs(asked.toAt),
      asked.countedTo,
      asked.after.atMs,
      asked.after.position,
      asked.after.index,
      asked.limit,
    ],
    'usage-lineage',
  );

/** What the read model has taken in since does not count: a bill and its lineage are made of the same records. */
const quartersAsOf = `${recordsAsOf}
select at_ms / 900000 * 900000 as "atMs", sum(amount) as sum, count(*)::int as count, max(amount) as max
from counted
where not exists (select from usage_batches b where b.position = counted.position and b.accepted_position > $4)
group by 1 order by 1`;

export type QuartersAsked = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** Log position up to which is counted; the read model must have passed it. */
  readonly countedTo: bigint;
};

/** What a user had used of a unit in a half-open span, by quarters of an hour, as it counted at a position of the log. */
export const usageQuartersAsOf = async (sql: Sql, asked: QuartersAsked): Promise<readonly Quarter[]> => {
  const { tenantId, user, unit, fromAt, toAt, countedTo } = asked;
  const rows = await sql.query<{ atMs: bigint; sum: Decimal; count: number; max: Decimal }>(
    quartersAsOf,
    [userSeries(tenantId, user, unit), epochMs(fromAt), epochMs(toAt), countedTo],
    'usage-quarters-as-of',
  );
  return rows.map(({ atMs, ...rest }) => ({ at: instantOfMs(Number(atMs)), ...rest }));
};
