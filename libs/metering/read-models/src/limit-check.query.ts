import type { Instant } from '@billstream/kernel';
import type { LimitState, PlanInterval } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';
import type { LimitCounters } from './moved-limits';
import { type UnitView, unitInForceFrom } from './units.query';

/** One statement, because it is asked before every use of something: the rules in force, the user's plans and counters. */
const checkSql = `
select unit.*, s.override, l.subscription_id as "subscriptionId", l.current, l.newest_at as "newestAt",
  l.window_from as "windowFrom", l.window_to as "windowTo", l.passed_over as "passedOver",
  (select min(effective_at) from meter_unit_versions v where v.unit_id = unit."unitId" and v.effective_at > $3
  ) as "rulesUntil",
  coalesce((
    select jsonb_agg(p.intervals order by p.subscription_id) from metered_plans p where p.account_id = (
      select a.account_id from metered_accounts a where a.tenant_id = $1 and a.user_name = $5
      order by a.account_id desc limit 1)
  ), '[]') as plans
from (${unitInForceFrom}) as unit
left join limit_standings s on s.series = $4::uuid
left join usage_limits l on l.series = $4::uuid`;

type Row = UnitView & {
  readonly override: LimitState['override'];
  readonly rulesUntil: Instant | null;
  /** Null: nothing was counted yet. */
  readonly subscriptionId: string | null;
  readonly plans: readonly (readonly PlanInterval[])[];
} & { readonly [Column in Exclude<keyof LimitState, 'override'>]: LimitState[Column] | null };

export type LimitCheck = LimitCounters & {
  readonly unit: UnitView;
  /** When other rules of the unit come into force; null: none are known that would. */
  readonly rulesUntil: Instant | null;
  readonly intervals: readonly PlanInterval[];
};

export type LimitQuestion = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: string;
  readonly at: Instant;
};

/** All that decides whether a user is limited in a unit at an instant, as of one instant of the read model; null: no such unit. */
export const limitCheck = async (sql: Sql, { tenantId, user, unit, at }: LimitQuestion): Promise<LimitCheck | null> => {
  const values = [tenantId, unit, at, userSeries(tenantId, user, unit), user];
  const rows = await sql.query<Row>(checkSql, values, 'limit-check');
  const [first] = rows;
  if (first === undefined) return null;
  const { unitId, name, countingMethod, version, rules, override, rulesUntil, plans } = first;
  return {
    unit: { unitId, name, countingMethod, version, rules },
    rulesUntil,
    intervals: plans.flat(),
    counters: Object.fromEntries(rows.flatMap(counterIn)),
    override,
  };
};

const counterIn = (row: Row): readonly (readonly [string, LimitState])[] => {
  const { subscriptionId, current, newestAt, windowFrom, windowTo, passedOver } = row;
  if (subscriptionId === null || current === null) return [];
  const state = { current, newestAt, windowFrom, windowTo, passedOver: passedOver ?? 0, override: null };
  return [[subscriptionId, state]];
};
