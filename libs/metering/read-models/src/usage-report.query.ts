import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import type { Sql } from '@billstream/postgres';
import type { UsageOwners } from './usage-owners.query';

export const reportIntervals = ['hour', 'day', 'month'] as const;
export type ReportInterval = (typeof reportIntervals)[number];

/** What usage is told apart by: its unit, its user, the subscription it belongs to, or a dimension by its name. */
export type ReportGroup = 'unit' | 'user' | 'subscription' | { readonly dimension: string };

/** Where a row stands among the others: its interval, then its groups, those without a value last. */
export type ReportPlace = { readonly at: Instant | null; readonly groups: readonly (string | null)[] };

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
  /** Whose usage is whose; asked for only where `groupBy` has the subscription. */
  readonly owners: UsageOwners;
  readonly limit: number;
  /** The last row that was seen; null: none. */
  readonly after: ReportPlace | null;
};

/** Usage that counts, added up: `sum` of the amounts, `max` and mean of the records. Groups in the order they were asked for. */
export type ReportRow = ReportPlace & {
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

const columnOf = (group: ReportGroup, index: number): string => {
  if (group === 'unit') return 's.unit';
  if (group === 'user') return 's.user_name';
  return group === 'subscription' ? 'o.subscription_id' : `r.dimensions ->> ($9::text[])[${index + 1}]`;
};

const owned = `left join unnest($12::uuid[], $13::bigint[], $14::bigint[], $15::text[]) as o(series, from_ms, to_ms, subscription_id)
  on o.series = r.series and r.at_ms >= o.from_ms and r.at_ms < o.to_ms`;

/** Text of the statement follows from the shape of the question alone; what clients say is in its values. */
const statementOf = ({ interval, groupBy }: Pick<ReportAsked, 'interval' | 'groupBy'>): string => {
  const bucket = interval === null ? '0::bigint' : bucketOf[interval];
  const keys = [bucket, ...groupBy.map(columnOf)];
  // A null has no place in a comparison of rows, so whether there is a value is compared before the value.
  const place = (key: (n: number) => string): string =>
    groupBy.map((_, index) => `, ${key(index + 1)} is null, coalesce(${key(index + 1)}, '')`).join('');
  const own = `k0${place((n) => `k${n}`)}`;
  return `
select * from (
  select ${keys.map((key, index) => `${key} as k${index}`).join(', ')},
    sum(r.amount) as sum, max(r.amount) as max, trim_scale(round(avg(r.amount), 9)) as mean, count(*)::int as records
  from usage_series s join usage_records r using (series) ${groupBy.includes('subscription') ? owned : ''}
  where s.tenant_id = $1 and s.user_name is not null and r.at_ms >= greatest($2::bigint, $10::bigint) and r.at_ms < $3
    and $4::text is not null and (cardinality($5::text[]) = 0 or s.unit = any($5)) and (cardinality($6::text[]) = 0 or s.user_name = any($6))
    and ($7::jsonb = '{}' or r.dimensions @> $7) and $9::text[] is not null and $11::text[] is not null
  group by ${keys.map((_, index) => String(index + 1)).join(', ')}
) as report
where $10::bigint is null or row(${own}) > row($10::bigint${place((n) => `($11::text[])[${n}]`)})
order by ${own} limit $8`;
};

type Row = Omit<ReportRow, 'at' | 'groups'> & Readonly<Record<string, unknown>>;

const nameOf = (group: ReportGroup): string => (typeof group === 'string' ? group : 'dimension');

/** A page of usage by interval and group; only records that count, each once, as corrected. */
export const usageReport = async (sql: Sql, asked: ReportAsked): Promise<readonly ReportRow[]> => {
  const { interval, groupBy, owners, after } = asked;
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
      groupBy.map((group) => (typeof group === 'string' ? '' : group.dimension)),
      after === null ? null : after.at === null ? 0 : epochMs(after.at),
      after === null ? [] : after.groups,
      ...(groupBy.includes('subscription') ? [owners.series, owners.fromMs, owners.toMs, owners.subscriptionIds] : []),
    ],
    `usage-report-${interval ?? 'all'}-${groupBy.map(nameOf).join('-')}`,
  );
  return rows.map(({ sum, max, mean, records, ...row }) => ({
    at: interval === null ? null : instantOfMs(Number(row['k0'])),
    groups: groupBy.map((_, index) => (row[`k${index + 1}`] as string | null | undefined) ?? null),
    ...{ sum, max, mean, records },
  }));
};

const counted = `select max(position) as position from usage_streams where stream = any($1::text[])`;

/** Position of the log up to which a tenant's usage was counted; null: none was. */
export const countedPosition = async (sql: Sql, streams: readonly string[]): Promise<bigint | null> =>
  (await sql.query<{ position: bigint | null }>(counted, [streams], 'usage-counted-position'))[0]?.position ?? null;
