import type { Instant } from '@billstream/kernel';
import { type LimitOverride, type LimitState, untouched } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';
import type { UnitView } from './units.query';

/** What is known of a user's limit with a unit: one counter a subscription, and what somebody set by hand. */
export type UserLimit = {
  /** By subscription id; '' is none. */
  readonly counters: ReadonlyMap<string, LimitState>;
  readonly override: LimitOverride | null;
  /** Since when the status is what it is; null: it never was another one. */
  readonly changedAt: Instant | null;
};

const nothingKnown: UserLimit = { counters: new Map(), override: null, changedAt: null };

const unitsInForceSql = `
select u.unit_id as "unitId", u.name, u.counting_method as "countingMethod", v.version, coalesce(v.rules, '[]') as rules
from meter_units u cross join lateral (
  select version, rules from meter_unit_versions v where v.unit_id = u.unit_id
  order by v.effective_at <= $2 desc, case when v.effective_at <= $2 then -v.version else v.version end limit 1
) v
where u.tenant_id = $1 and u.rules is not null and ($3::text is null or u.name > $3) order by u.name limit $4`;

const countersSql = `
select series, s.override as "setByHand", s.changed_at as "changedAt", l.subscription_id as "subscriptionId",
  l.current, l.newest_at as "newestAt", l.window_from as "windowFrom", l.window_to as "windowTo",
  l.passed_over as "passedOver"
from unnest($1::uuid[]) as asked(series)
left join limit_standings s using (series)
left join usage_limits l using (series)`;

/** Units of a tenant by name, each by the rules in force at an instant; those after a name, at most `limit`. */
export const unitsInForce = (
  sql: Sql,
  tenantId: string,
  { at, after, limit }: { readonly at: Instant; readonly after: string | null; readonly limit: number },
): Promise<readonly UnitView[]> => sql.query<UnitView>(unitsInForceSql, [tenantId, at, after, limit], 'units-in-force');

type Row = Omit<LimitState, 'override' | 'current'> & {
  readonly series: string;
  readonly subscriptionId: string | null;
  readonly current: LimitState['current'] | null;
  readonly setByHand: LimitOverride | null;
  readonly changedAt: Instant | null;
};

/** A user's limits with the units named, by unit. All of them as of one instant of the read model. */
export const userLimits = async (
  sql: Sql,
  { tenantId, user, units }: { readonly tenantId: string; readonly user: string; readonly units: readonly string[] },
): Promise<ReadonlyMap<string, UserLimit>> => {
  const unitOf = new Map(units.map((unit) => [userSeries(tenantId, user, unit), unit]));
  const limits = new Map<string, UserLimit & { readonly counters: Map<string, LimitState> }>(
    units.map((unit) => [unit, { ...nothingKnown, counters: new Map() }]),
  );
  const rows = await sql.query<Row>(countersSql, [[...unitOf.keys()]], 'user-limits');
  for (const { series, subscriptionId, setByHand, changedAt, current, ...state } of rows) {
    const unit = unitOf.get(series.replaceAll('-', ''));
    if (unit === undefined) continue;
    const counters = limits.get(unit)?.counters ?? new Map<string, LimitState>();
    const { newestAt, windowFrom, windowTo, passedOver } = state;
    if (subscriptionId !== null && current !== null)
      counters.set(subscriptionId, { ...untouched, current, newestAt, windowFrom, windowTo, passedOver });
    limits.set(unit, { counters, override: setByHand, changedAt });
  }
  return limits;
};
