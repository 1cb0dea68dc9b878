import { type Sql, countRows, rowsCounted } from '@billstream/postgres';
import { type PaymentView, selectPayments } from './payments.query';

const byKey = `${selectPayments} where p.tenant_id = $1 and p.external_key = $2 order by p.payment_number limit 1`;
const withTransaction = (column: string): string =>
  `${selectPayments} where p.tenant_id = $1
    and p.payment_id in (select payment_id from payment_transactions where ${column} = $2)
  order by p.payment_number limit 1`;
const byTransaction = withTransaction('transaction_id');
const byTransactionKey = withTransaction('external_key');

/** `pluginName` null: whoever executed them; `search` null: all. */
export type PageOfPayments = {
  readonly offset: number;
  readonly limit: number;
  readonly pluginName: string | null;
  readonly search: string | null;
};

const matching = `where p.tenant_id = $1
  and ($2::text is null or exists (
    select from payment_transactions x where x.payment_id = p.payment_id and x.plugin_name = $2))
  and ($3::text is null or p.external_key like $3 or p.payment_id::text = $4 or p.account_id::text = $4
    or p.payment_method_id::text = $4 or exists (
      select from payment_transactions x where x.payment_id = p.payment_id and (x.transaction_id::text = $4
        or x.external_key like $3 or x.first_reference = $4 or x.state = $4)))`;
const page = (order: 'asc' | 'desc'): string =>
  `${selectPayments} ${matching} order by p.payment_number ${order} limit $5 offset $6`;
const forwards = page('asc');
const backwards = page('desc');
const total = countRows(`payments p ${matching}`);

export const paymentByKey = async (sql: Sql, tenantId: string, key: string): Promise<PaymentView | null> =>
  (await sql.query<PaymentView>(byKey, [tenantId, key], 'payment-by-key'))[0] ?? null;

export const paymentByTransaction = async (sql: Sql, tenantId: string, id: string): Promise<PaymentView | null> =>
  (await sql.query<PaymentView>(byTransaction, [tenantId, id], 'payment-by-transaction'))[0] ?? null;

export const paymentByTransactionKey = async (sql: Sql, tenantId: string, key: string): Promise<PaymentView | null> =>
  (await sql.query<PaymentView>(byTransactionKey, [tenantId, key], 'payment-by-transaction-key'))[0] ?? null;

/** In a LIKE pattern only the text itself counts. */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/**
 * Payments in order of their numbers, a negative limit from the end. `search`: part of an external key, or exactly an id
 * of the payment, its account, method or transactions, a provider's reference, or a transaction's state; null: all.
 */
export const paymentsPage = async (
  sql: Sql,
  tenantId: string,
  { offset, limit, pluginName, search }: PageOfPayments,
): Promise<{ readonly payments: readonly PaymentView[]; readonly total: number | null }> => {
  const filter = [tenantId, pluginName, search === null ? null : containing(search), search];
  const [payments, [counted]] = await Promise.all([
    sql.query<PaymentView>(
      limit < 0 ? backwards : forwards,
      [...filter, Math.abs(limit), Math.max(0, offset)],
      limit < 0 ? 'payments-page-backwards' : 'payments-page',
    ),
    sql.query<{ total: bigint }>(total, filter, 'payments-total'),
  ]);
  return { payments, total: rowsCounted(counted) };
};
