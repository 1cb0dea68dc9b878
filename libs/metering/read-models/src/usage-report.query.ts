import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import type { Sql } from '@billstream/postgres';

export const reportIntervals = ['hour', 'day', 'month'] as const;
export type ReportInterval = (typeof reportIntervals)[number];

/** What usage is told apart by: its unit or user, or a dimension by its name (`dimension:region`). */
export type ReportGroup = 'unit' | 'user' | { readonly dimension: string };

export type ReportAsked = {
  readonly tenantId: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** Null: the whole range is one. */
  readonly interval: ReportInterval | null;
  readonly timeZone: string;
  readonly units: readonly string[];
  readonly users: readonly string[];
  readonly dimensions: Readonly<Record<string, string>>;
  readonly groupBy: readonly ReportGroup[];
  readonly limit: number;
  readonly offset: number;
};

/** Usage that counts, added up: `sum` of the amounts, `max` and mean of the records. Groups in the order they were asked for. */
export type ReportRow = {
  readonly at: Instant | null;
  readonly groups: readonly (string | null)[];
  readonly sum: Decimal;
  readonly max: Decimal;
  readonly mean: Decimal;
  readonly records: number;
};

/** Start of the interval that a record `r` lies in, as SQL; the time zone is the fourth value of the statement. */
export const bucketOf: Readonly<Record<ReportInterval, string>> = {
  // An hour that the clock repeats is two: they are told apart in UTC. Offsets are multiples of a quarter of an hour.
  hour: `(r.at_ms - mod(r.at_ms + (extract(epoch from (to_timestamp(r.at_ms / 1000) at time zone $4) - (to_timestamp(r.at_ms / 1000) at time zone 'UTC')) * 1000)::bigint, 3600000))`,
  day: bucketBy('day'),
  month: bucketBy('month'),
};

function bucketBy(unit: 'day' | 'month'): string {
  return `(extract(epoch from date_trunc('${unit}', to_timestamp(r.at_ms / 1000) at time zone $4) at time zone $4) * 1000)::bigint`;
}

/** Text of the statement follows from the shape of the question alone; what clients say is in its values. */
const statementOf = ({ interval, groupBy }: Pick<ReportAsked, 'interval' | 'groupBy'>): string => {
  const columns = groupBy.map((group, index) =>
    group === 'unit' ? 's.unit' : group === 'user' ? 's.user_name' : `r.dimensions ->> ($10::text[])[${index + 1}]`,
  );
  const bucket = interval === null ? 'null::bigint' : bucketOf[interval];
  const keys = [bucket, ...columns];
  const order = keys.map((_, index) => String(index + 1)).join(', ');
  return `
select ${keys.map((key, index) => `${key} as k${index}`).join(', ')},
  sum(r.amount) as sum, max(r.amount) as max, trim_scale(round(avg(r.amount), 9)) as mean, count(*)::int as records
from usage_series s join usage_records r using (series)
where s.tenant_id = $1 and s.user_name is not null and r.at_ms >= $2 and r.at_ms < $3
  and $4::text is not null and (cardinality($5::text[]) = 0 or s.unit = any($5)) and (cardinality($6::text[]) = 0 or s.user_name = any($6))
  and ($7::jsonb = '{}' or r.dimensions @> $7) and $10::text[] is not null
group by ${order} order by ${order} limit $8 offset $9`;
};

type Row = Omit<ReportRow, 'at' | 'groups'> & Readonly<Record<string, unknown>>;

/** A page of usage by interval and group; only records that count, each once, as corrected. */
export const usageReport = async (sql: Sql, asked: ReportAsked): Promise<readonly ReportRow[]> => {
  const names = asked.groupBy.map((group) => (typeof group === 'string' ? '' : group.dimension));
  const rows = await sql.query<Row>(
    statementOf(asked),
    [
      asked.tenantId,
      epochMs(asked.fromAt),
      epochMs(asked.toAt),
      asked.timeZone,
      asked.units,
      asked.users,
      JSON.stringify(asked.dimensions),
      asked.limit,
      asked.offset,
      names,
    ],
    `usage-report-${asked.interval ?? 'all'}-${asked.groupBy.map((group) => (typeof group === 'string' ? group : 'dimension')).join('-')}`,
  );
  return rows.map(({ sum, max, mean, records, ...row }) => ({
    at: typeof row['k0'] === 'bigint' ? instantOfMs(Number(row['k0'])) : null,
    groups: asked.groupBy.map((_, index) => (row[`k${index + 1}`] as string | null | undefined) ?? null),
    ...{ sum, max, mean, records },
  }));
};

const counted = `select max(position) as position from usage_streams where stream = any($1::text[])`;

/** Position of the log up to which a tenant's usage was counted; null: none was. */
export const countedPosition = async (sql: Sql, streams: readonly string[]): Promise<bigint | null> =>
  (await sql.query<{ position: bigint | null }>(counted, [streams], 'usage-counted-position'))[0]?.position ?? null;
