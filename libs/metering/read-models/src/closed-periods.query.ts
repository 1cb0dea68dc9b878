import { type Decimal, type Instant, instantOfMs } from '@billstream/kernel';
import type { Sql } from '@billstream/postgres';

/** A period that was counted for an invoice, and what for. */
export type ClosingView = {
  readonly tenantId: string;
  readonly accountId: string;
  readonly subscriptionId: string;
  readonly user: string;
  readonly planName: string;
  readonly timeZone: string;
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly quantity: Decimal;
  readonly countedTo: bigint;
  /** Position of the last usage of the period that is not counted; null: all is. */
  readonly lateTo: bigint | null;
};

const byKey = `
select tenant_id as "tenantId", account_id as "accountId", subscription_id as "subscriptionId", user_name as "user",
  plan_name as "planName", time_zone as "timeZone", unit, usage_name as "usageName", from_ms as "fromMs",
  to_ms as "toMs", quantity, counted_to as "countedTo", late_to as "lateTo"
from usage_closings where closing_key = $1`;

type Row = Omit<ClosingView, 'fromAt' | 'toAt'> & { readonly fromMs: bigint; readonly toMs: bigint };

export const closingByKey = async (sql: Sql, key: string): Promise<ClosingView | null> => {
  const [row] = await sql.query<Row>(byKey, [key], 'usage-closing');
  if (row === undefined) return null;
  const { fromMs, toMs, ...rest } = row;
  return { ...rest, fromAt: instantOfMs(Number(fromMs)), toAt: instantOfMs(Number(toMs)) };
};
