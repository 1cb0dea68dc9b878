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

/** Where a statement has the series, the half-open span and the position of the log. */
type Placeholders = {
  readonly series: string;
  readonly fromMs: string;
  readonly toMs: string;
  readonly countedTo: string;
};

/**
 * What was accepted up to the position and not corrected since counts as it stands; what was corrected since counts as
 * it was before the first correction after the position. Commits and reverts of backfills are corrections of many.
 */
const recordsAsOf = ({ series, fromMs, toMs, countedTo }: Placeholders): string => `
with counted as (
  select r.at_ms, r.amount, r.dimensions, r.position, r.idx
  from usage_records r
  where r.series = ${series} and r.at_ms >= ${fromMs} and r.at_ms < ${toMs}
    and not exists (select from usage_corrections c where c.record_key = r.record_key and c.position > ${countedTo})
    and not exists (select from usage_backfill_changes c where c.record_key = r.record_key and c.position > ${countedTo})
  union all
  select c.before_at_ms, c.before_amount, c.before_dimensions, c.record_position, c.record_idx
  from usage_corrections c
  where c.before_series = ${series} and c.before_at_ms >= ${fromMs} and c.before_at_ms < ${toMs} and c.position > ${countedTo}
    and not exists (select from usage_corrections earlier where earlier.record_key = c.record_key
      and earlier.position > ${countedTo} and (earlier.position, earlier.idx) < (c.position, c.idx))
    and not exists (select from usage_backfill_changes earlier where earlier.record_key = c.record_key
      and earlier.position > ${countedTo} and earlier.position < c.position)
  union all
  select c.before_at_ms, c.before_amount, c.before_dimensions, c.record_position, c.record_idx
  from usage_backfill_changes c
  where c.before_series = ${series} and c.before_at_ms >= ${fromMs} and c.before_at_ms < ${toMs} and c.position > ${countedTo}
    and not exists (select from usage_corrections earlier where earlier.record_key = c.record_key
      and earlier.position > ${countedTo} and earlier.position < c.position)
    and not exists (select from usage_backfill_changes earlier where earlier.record_key = c.record_key
      and earlier.position > ${countedTo} and earlier.position < c.position)
)`;

const lineage = `${recordsAsOf({ series: '$1', fromMs: '$2', toMs: '$3', countedTo: '$4' })}
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
const quartersAsOf = `
select asked.n::int as n, found."atMs", found.sum, found.count, found.max
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) with ordinality
  as asked(series, from_ms, to_ms, counted_to, n)
cross join lateral (${recordsAsOf({ series: 'asked.series', fromMs: 'asked.from_ms', toMs: 'asked.to_ms', countedTo: 'asked.counted_to' })}
  select at_ms / 900000 * 900000 as "atMs", sum(amount) as sum, count(*)::int as count, max(amount) as max
  from counted
  where not exists (select from usage_batches b where b.position = counted.position and b.accepted_position > asked.counted_to)
  group by 1
) as found order by asked.n, found."atMs"`;

export type QuartersAsked = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** Log position up to which is counted; the read model must have passed it. */
  readonly countedTo: bigint;
};

type QuarterRow = {
  readonly n: number;
  readonly atMs: bigint;
  readonly sum: Decimal;
  readonly count: number;
  readonly max: Decimal;
};

/**
 * What users had used of units in half-open spans, by quarters of an hour, as it counted at positions of the log: one
 * statement for all, because thousands of periods close at once. Answers come in the order of the questions.
 */
export const usageQuartersAsOf = async (
  sql: Sql,
  asked: readonly QuartersAsked[],
): Promise<readonly (readonly Quarter[])[]> => {
  const rows = await sql.query<QuarterRow>(
    quartersAsOf,
    [
      asked.map(({ tenantId, user, unit }) => userSeries(tenantId, user, unit)),
      asked.map(({ fromAt }) => epochMs(fromAt)),
      asked.map(({ toAt }) => epochMs(toAt)),
      asked.map(({ countedTo }) => countedTo),
    ],
    'usage-quarters-as-of',
  );
  const answers: Quarter[][] = asked.map(() => []);
  for (const { n, atMs, ...rest } of rows) answers[n - 1]?.push({ at: instantOfMs(Number(atMs)), ...rest });
  return answers;
};
