import { type LimitState, untouched } from '@billstream/metering-domain';
import type { Sql } from '@billstream/postgres';
import { userSeries } from './keys';

const stateOf = `
select current, newest_at as "newestAt", window_from as "windowFrom", window_to as "windowTo", override
from usage_limits where series = $1 and subscription_id = $2`;

type Limited = {
  readonly tenantId: string;
  readonly user: string;
  readonly unit: string;
  readonly subscriptionId: string | null;
};

/** Where a user stands with a unit; `untouched` when nothing was counted yet. */
export const limitState = async (sql: Sql, { tenantId, user, unit, subscriptionId }: Limited): Promise<LimitState> => {
  const rows = await sql.query<LimitState>(
    stateOf,
    [userSeries(tenantId, user, unit), subscriptionId ?? ''],
    'usage-limit',
  );
  return rows[0] ?? untouched;
};
