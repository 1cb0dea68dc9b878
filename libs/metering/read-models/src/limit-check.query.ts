import type { Instant } from '@billstream/kernel';
import { type LimitState, type PlanInterval, untouched } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';
import { type UnitView, unitInForceFrom } from './units.query';

/** One statement, because it is asked before every use of something: the rules in force, the user's plans and counters. */
const checkSql = `
select unit.*, s.override, l.subscription_id as "subscriptionId", l.current, l.newest_at as "newestAt",
  l.window_from as "windowFrom", l.window_to as "windowTo", l.passed_over as "passedOver",
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
  /** Null: nothing was counted yet. */
  readonly subscriptionId: string | null;
  readonly plans: readonly (readonly PlanInterval[])[];
} & { readonly [Column in Exclude<keyof LimitState, 'override'>]: LimitState[Column] | null };

export type LimitCheck = {
  readonly unit: UnitView;
  readonly intervals: readonly PlanInterval[];
  /** Where the user stands under a subscription; null is none. `untouched` when nothing was counted yet. */
  readonly stateOf: (subscriptionId: string | null) => LimitState;
};

type Asked = { readonly tenantId: string; readonly user: string; readonly unit: string; readonly at: Instant };

/** All that decides whether a user is limited in a unit at an instant, as of one instant of the read model; null: no such unit. */
export const limitCheck = async (sql: Sql, { tenantId, user, unit, at }: Asked): Promise<LimitCheck | null> => {
  const values = [tenantId, unit, at, userSeries(tenantId, user, unit), user];
  const rows = await sql.query<Row>(checkSql, values, 'limit-check');
  const [first] = rows;
  if (first === undefined) return null;
  const { unitId, name, countingMethod, version, rules, override, plans } = first;
  return {
    unit: { unitId, name, countingMethod, version, rules },
    intervals: plans.flat(),
    stateOf: (subscriptionId) => {
      const row = rows.find((one) => one.subscriptionId === (subscriptionId ?? ''));
      if (row?.current === undefined || row.current === null) return { ...untouched, override };
      const { current, newestAt, windowFrom, windowTo, passedOver } = row;
      return { current, newestAt, windowFrom, windowTo, passedOver: passedOver ?? 0, override };
    },
  };
};
