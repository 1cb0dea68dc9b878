import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import type { CountingMethod, Quarter } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';

const quarters = `
select at_ms / 900000 * 900000 as "atMs", sum(amount) as sum, count(*)::int as count, max(amount) as max
from usage_records where series = $1 and at_ms >= $2 and at_ms < $3
group by 1 order by 1`;

const reported = `
select s.unit, sum(r.amount) as sum, max(r.amount) as max, count(*)::int as count,
  array_agg(distinct t.tracking_id order by t.tracking_id) as "trackingIds"
from usage_series s join usage_records r using (series) join usage_reports t using (record_key)
where s.tenant_id = $1 and s.subscription_id = $2 and ($3::text is null or s.unit = $3) and r.at_ms >= $4 and r.at_ms < $5
group by s.unit order by s.unit`;

const everyone: Readonly<Record<CountingMethod, string>> = {
  SUM: everyoneBy('sum(r.amount)'),
  AVG: everyoneBy('avg(r.amount)'),
  PEAK: everyoneBy('max(r.amount)'),
};

function everyoneBy(value: string): string {
  return `
select "atMs", sum(value) as value, sum(records)::int as records from (
  select r.at_ms / 3600000 * 3600000 as "atMs", ${value} as value, count(*) as records
  from usage_series s join usage_records r using (series)
  where s.tenant_id = $1 and s.unit = $2 and s.user_name is not null and r.at_ms >= $3 and r.at_ms < $4
  group by r.series, 1
) as hours group by 1 order by 1`;
}

const streamEnds = `
select stream, revision, position from usage_streams where stream = any($1::text[])`;

const unratedUnits = `
select s.unit, count(distinct s.user_name)::int as users
from usage_series s left join meter_units u on u.tenant_id = s.tenant_id and u.name = s.unit
where s.tenant_id = $1 and s.user_name is not null and u.rules is null
group by s.unit order by s.unit limit 1000`;

type Span = { readonly fromAt: Instant; readonly toAt: Instant };

/** What a user used of a unit in a half-open span, by quarters of an hour; quarters without usage are not there. */
export const usageQuarters = async (
  sql: Sql,
  { tenantId, user, unit }: { readonly tenantId: string; readonly user: string; readonly unit: string },
  { fromAt, toAt }: Span,
): Promise<readonly Quarter[]> => {
  const rows = await sql.query<{ atMs: bigint; sum: Decimal; count: number; max: Decimal }>(
    quarters,
    [userSeries(tenantId, user, unit), epochMs(fromAt), epochMs(toAt)],
    'usage-quarters',
  );
  return rows.map(({ atMs, ...rest }) => ({ at: instantOfMs(Number(atMs)), ...rest }));
};

export type ReportedTotal = {
  readonly unit: string;
  readonly sum: Decimal;
  readonly max: Decimal;
  readonly count: number;
  readonly trackingIds: readonly string[];
};

/** What was reported for a subscription as such, per unit; all of its units when none is named. */
export const reportedUsage = (
  sql: Sql,
  {
    tenantId,
    subscriptionId,
    unit,
  }: { readonly tenantId: string; readonly subscriptionId: string; readonly unit: string | null },
  { fromAt, toAt }: Span,
): Promise<readonly ReportedTotal[]> =>
  sql.query<ReportedTotal>(
    reported,
    [tenantId, subscriptionId, unit, epochMs(fromAt), epochMs(toAt)],
    'usage-reported',
  );

/** All users together: each user's hour by the unit's method, then added up. Hours of UTC. */
export const usageOfEveryone = async (
  sql: Sql,
  { tenantId, unit, method }: { readonly tenantId: string; readonly unit: string; readonly method: CountingMethod },
  { fromAt, toAt }: Span,
): Promise<readonly { readonly at: Instant; readonly value: Decimal; readonly records: number }[]> => {
  const rows = await sql.query<{ atMs: bigint; value: Decimal; records: number }>(
    everyone[method],
    [tenantId, unit, epochMs(fromAt), epochMs(toAt)],
    `usage-of-everyone-${method.toLowerCase()}`,
  );
  return rows.map(({ atMs, ...rest }) => ({ at: instantOfMs(Number(atMs)), ...rest }));
};

/** Where each stream of usage ended when it was counted last. A stream that is not there was never seen. */
export const countedStreams = async (
  sql: Sql,
  streams: readonly string[],
): Promise<ReadonlyMap<string, { readonly revision: bigint; readonly position: bigint }>> => {
  const rows = await sql.query<{ stream: string; revision: bigint; position: bigint }>(
    streamEnds,
    [streams],
    'usage-streams',
  );
  return new Map(rows.map(({ stream, ...end }) => [stream, end]));
};

/** Units that somebody used and nobody defined: kept, and rated once they are (M12). */
export const unratedUsage = (
  sql: Sql,
  tenantId: string,
): Promise<readonly { readonly unit: string; readonly users: number }[]> =>
  sql.query<{ unit: string; users: number }>(unratedUnits, [tenantId], 'usage-unrated');
