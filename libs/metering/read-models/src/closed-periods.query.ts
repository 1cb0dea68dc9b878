import { type Decimal, type Instant, epochMs, instantOfMs } from '@billstream/kernel';
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

const columns = `tenant_id as "tenantId", account_id as "accountId", subscription_id as "subscriptionId", user_name as "user",
  plan_name as "planName", time_zone as "timeZone", unit, usage_name as "usageName", from_ms as "fromMs",
  to_ms as "toMs", quantity, counted_to as "countedTo", late_to as "lateTo"`;

const byKey = `select ${columns} from usage_closings where closing_key = $1`;
const byKeys = `
select ${columns} from usage_closings where closing_key = any($1::uuid[]) order by to_ms, account_id, closing_key`;

const ofPeriods = `
select ${columns} from usage_closings
where tenant_id = $1 and to_ms = any($5::bigint[]) and (subscription_id, usage_name, from_ms, to_ms) in (
  select * from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]))
order by to_ms, account_id, closing_key`;

type Row = Omit<ClosingView, 'fromAt' | 'toAt'> & { readonly fromMs: bigint; readonly toMs: bigint };

export const closingByKey = async (sql: Sql, key: string): Promise<ClosingView | null> => {
  const [row] = await sql.query<Row>(byKey, [key], 'usage-closing');
  return row === undefined ? null : viewOf(row);
};

/** Oldest first. */
export const closingsByKeys = async (sql: Sql, keys: readonly string[]): Promise<readonly ClosingView[]> =>
  (await sql.query<Row>(byKeys, [keys], 'usage-closings-by-key')).map(viewOf);

/** All units of periods that were closed together, for one price of a subscription. */
export const closingsOfPeriods = async (
  sql: Sql,
  tenantId: string,
  periods: readonly Pick<ClosingView, 'subscriptionId' | 'usageName' | 'fromAt' | 'toAt'>[],
): Promise<readonly ClosingView[]> => {
  if (periods.length === 0) return [];
  const rows = await sql.query<Row>(
    ofPeriods,
    [
      tenantId,
      periods.map(({ subscriptionId }) => subscriptionId),
      periods.map(({ usageName }) => usageName),
      periods.map(({ fromAt }) => epochMs(fromAt)),
      periods.map(({ toAt }) => epochMs(toAt)),
    ],
    'usage-closings-of-periods',
  );
  return rows.map(viewOf);
};

const viewOf = ({ fromMs, toMs, ...rest }: Row): ClosingView => ({
  ...rest,
  fromAt: instantOfMs(Number(fromMs)),
  toAt: instantOfMs(Number(toMs)),
});
