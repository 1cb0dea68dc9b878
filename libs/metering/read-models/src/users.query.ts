import type { PlanInterval } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { type UserRow, usersWithPlans } from './limits.projection';

/** A user as metering knows it; one without an account has no plans and lives in UTC. */
export type UserView = { readonly timeZone: string; readonly intervals: readonly PlanInterval[] };

const ofAccount = `
select user_name as "user", time_zone as "timeZone" from metered_accounts where tenant_id = $1 and account_id = $2`;
const ofSubscription = `
select a.account_id as "accountId", a.time_zone as "timeZone", p.intervals
from metered_plans p join metered_accounts a using (account_id)
where p.tenant_id = $1 and p.subscription_id = $2`;

export const userByName = async (sql: Sql, tenantId: string, user: string): Promise<UserView> => {
  const rows = await sql.query<UserRow>(usersWithPlans, [[tenantId], [user]], 'metered-users');
  const row = rows.at(-1);
  return row ? { timeZone: row.timeZone, intervals: row.plans.flat() } : { timeZone: 'UTC', intervals: [] };
};

export const userOfAccount = async (
  sql: Sql,
  tenantId: string,
  accountId: string,
): Promise<{ readonly user: string; readonly timeZone: string } | null> =>
  (await sql.query<{ user: string; timeZone: string }>(ofAccount, [tenantId, accountId], 'metered-account'))[0] ?? null;

export type SubscriptionView = {
  readonly accountId: string;
  readonly timeZone: string;
  readonly intervals: readonly PlanInterval[];
};

export const subscriptionById = async (
  sql: Sql,
  tenantId: string,
  subscriptionId: string,
): Promise<SubscriptionView | null> =>
  (await sql.query<SubscriptionView>(ofSubscription, [tenantId, subscriptionId], 'metered-subscription'))[0] ?? null;
