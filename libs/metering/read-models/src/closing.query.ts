import { type Instant, epochMs } from '@billstream/kernel';
import type { UnitVersion } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { type UserRow, usersWithPlans } from './limits.projection';
import { subscriptionSeries } from './keys';
import type { ReportedTotal } from './usage.query';
import type { UserView } from './users.query';

/**
 * What closing a period asks, for many periods in one statement: at the end of a month thousands close at once. Answers
 * come in the order of the questions.
 */
export type UserName = { readonly tenantId: string; readonly user: string };
export type UnitName = { readonly tenantId: string; readonly unit: string };
export type ReportedSpan = UnitName & {
  readonly subscriptionId: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  /** Log position up to which is counted. */
  readonly countedTo: bigint;
};

const nobody: UserView = { timeZone: 'UTC', intervals: [] };
const nameOf = (tenantId: string, name: string): string => `${tenantId} ${name}`;

export const usersByName = async (sql: Sql, names: readonly UserName[]): Promise<readonly UserView[]> => {
  const rows = await sql.query<UserRow>(
    usersWithPlans,
    [names.map(({ tenantId }) => tenantId), names.map(({ user }) => user)],
    'metered-users',
  );
  const known = new Map(
    rows.map(({ tenantId, user, timeZone, plans }): [string, UserView] => [
      nameOf(tenantId, user),
      { timeZone, intervals: plans.flat() },
    ]),
  );
  return names.map(({ tenantId, user }) => known.get(nameOf(tenantId, user)) ?? nobody);
};

const versionsOfUnits = `
select u.tenant_id as "tenantId", u.name as unit, v.version, v.effective_at as "effectiveAt",
  v.counting_method as "countingMethod", v.rules
from meter_units u join meter_unit_versions v using (unit_id)
where (u.tenant_id, u.name) in (select * from unnest($1::text[], $2::text[])) order by v.version`;

/** Every version each unit ever had, oldest first. */
export const versionsByUnit = async (
  sql: Sql,
  names: readonly UnitName[],
): Promise<readonly (readonly UnitVersion[])[]> => {
  const wanted = new Map(names.map((name): [string, UnitName] => [nameOf(name.tenantId, name.unit), name]));
  const rows = await sql.query<UnitVersion & UnitName>(
    versionsOfUnits,
    [[...wanted.values()].map(({ tenantId }) => tenantId), [...wanted.values()].map(({ unit }) => unit)],
    'unit-versions-together',
  );
  const found = new Map<string, UnitVersion[]>();
  for (const { tenantId, unit, ...version } of rows) {
    const name = nameOf(tenantId, unit);
    const versions = found.get(name);
    if (versions === undefined) found.set(name, [version]);
    else versions.push(version);
  }
  return names.map(({ tenantId, unit }) => found.get(nameOf(tenantId, unit)) ?? []);
};

const reportedInSpans = `
select asked.n::int as n, found.unit, found.sum, found.max, found.count, found."trackingIds"
from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) with ordinality
  as asked(series, from_ms, to_ms, counted_to, n)
cross join lateral (
  select s.unit, sum(r.amount) as sum, max(r.amount) as max, count(*)::int as count,
    array_agg(distinct t.tracking_id order by t.tracking_id) as "trackingIds"
  from usage_series s join usage_records r using (series) join usage_reports t using (record_key)
  where s.series = asked.series and r.at_ms >= asked.from_ms and r.at_ms < asked.to_ms
    and not exists (select from usage_batches b where b.position = r.position and b.accepted_position > asked.counted_to)
  group by s.unit
) as found`;

/** What was reported for a subscription as such in each half-open span; null where nothing was. */
export const reportedInSpan = async (
  sql: Sql,
  spans: readonly ReportedSpan[],
): Promise<readonly (ReportedTotal | null)[]> => {
  const rows = await sql.query<{ n: number } & ReportedTotal>(
    reportedInSpans,
    [
      spans.map(({ tenantId, subscriptionId, unit }) => subscriptionSeries(tenantId, subscriptionId, unit)),
      spans.map(({ fromAt }) => epochMs(fromAt)),
      spans.map(({ toAt }) => epochMs(toAt)),
      spans.map(({ countedTo }) => countedTo),
    ],
    'usage-reported-together',
  );
  const found = new Map(rows.map(({ n, ...total }) => [n, total]));
  return spans.map((_, index) => found.get(index + 1) ?? null);
};
