import { epochMs } from '@billstream/kernel';
import { type PlanInterval, type StartedVersion, ownedStretches, startedVersions } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { versionsByUnit } from './closing.query';
import type { ReportAsked } from './usage-report.query';

/** Stretches of series that belong to subscriptions, as columns; usage outside of them belongs to none. */
export type UsageOwners = {
  readonly series: readonly string[];
  readonly fromMs: readonly number[];
  readonly toMs: readonly number[];
  readonly subscriptionIds: readonly string[];
};

/** Users times units of one question: whose usage is whose is worked out in memory, and one question must not hold up the rest. */
export const ownedSeriesMax = 10_000;

/** Series that were used in the range by users who ever held a plan. */
const heldSeries = `
select distinct on (s.series) s.series::text as series, s.unit, a.time_zone as "timeZone", p.plans
from usage_series s
join metered_accounts a on a.tenant_id = s.tenant_id and a.user_name = s.user_name
join lateral (
  select jsonb_agg(p.intervals order by p.subscription_id) as plans from metered_plans p where p.account_id = a.account_id
) p on p.plans is not null
where s.tenant_id = $1 and (cardinality($4::text[]) = 0 or s.unit = any($4)) and (cardinality($5::text[]) = 0 or s.user_name = any($5))
  and exists (select from usage_records r where r.series = s.series and r.at_ms >= $2 and r.at_ms < $3)
order by s.series, a.account_id desc limit $6`;

type Held = {
  readonly series: string;
  readonly unit: string;
  readonly timeZone: string;
  readonly plans: readonly (readonly PlanInterval[])[];
};

/**
 * Whose the usage of a question is, by the rules and plans as they are known now, the way it is billed; null: it is the
 * usage of too many users and units.
 */
export const usageOwners = async (
  sql: Sql,
  { tenantId, fromAt, toAt, units, users }: Pick<ReportAsked, 'tenantId' | 'fromAt' | 'toAt' | 'units' | 'users'>,
): Promise<UsageOwners | null> => {
  const held = await sql.query<Held>(
    heldSeries,
    [tenantId, epochMs(fromAt), epochMs(toAt), units, users, ownedSeriesMax + 1],
    'usage-held-series',
  );
  if (held.length > ownedSeriesMax) return null;
  const names = [...new Set(held.map(({ unit }) => unit))];
  const found = await versionsByUnit(
    sql,
    names.map((unit) => ({ tenantId, unit })),
  );
  const versions = new Map(names.map((unit, index) => [unit, found[index] ?? []]));
  const started = new Map<string, readonly StartedVersion[]>();
  const startedOf = ({ unit, timeZone }: Held): readonly StartedVersion[] => {
    const name = `${timeZone} ${unit}`;
    const known = started.get(name) ?? startedVersions(versions.get(unit) ?? [], timeZone);
    started.set(name, known);
    return known;
  };
  const owned = held.flatMap((one) =>
    ownedStretches(
      { versions: startedOf(one), intervals: one.plans.flat() },
      { unit: one.unit, range: { fromAt, toAt } },
    ).map((stretch) => ({ series: one.series, ...stretch })),
  );
  return {
    series: owned.map(({ series }) => series),
    fromMs: owned.map((one) => epochMs(one.fromAt)),
    toMs: owned.map((one) => epochMs(one.toAt)),
    subscriptionIds: owned.map(({ subscriptionId }) => subscriptionId),
  };
};
