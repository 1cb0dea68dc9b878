import type { Currency, Instant, LocalDate } from '@billstream/kernel';
import type { Sql } from '@billstream/postgres';
import type { TransactionType } from '@billstream/payments-contracts';
import type { TransactionState } from './payment-patches';

export type TransactionView = {
  readonly transactionId: string;
  readonly transactionType: TransactionType;
  readonly externalKey: string;
  readonly paymentMethodId: string;
  readonly pluginName: string;
  readonly amountMinor: number;
  readonly requestedAt: Instant;
  readonly state: TransactionState;
  readonly effectiveAt: Instant;
  readonly processedMinor: number | null;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly firstReference: string | null;
  readonly secondReference: string | null;
  /** Of a refund that lowered its invoice too; null: it did not. */
  readonly adjustments: readonly { readonly invoiceItemId: string; readonly amountMinor: number | null }[] | null;
};

/** A payment with its transactions, oldest first; attempts that were never sent are left out, as Kill Bill has none of them. */
export type PaymentView = {
  readonly paymentId: string;
  readonly accountId: string;
  /** Null: a payment without an invoice. */
  readonly invoiceId: string | null;
  readonly externalKey: string;
  readonly paymentNumber: bigint;
  readonly currency: Currency;
  readonly paymentMethodId: string;
  readonly pluginName: string;
  readonly retryAt: Instant | null;
  readonly transactions: readonly TransactionView[];
};

const instant = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

export const selectPayments = `
select p.payment_id as "paymentId", p.account_id as "accountId", p.invoice_id as "invoiceId",
  p.payment_number as "paymentNumber", p.external_key as "externalKey", p.currency, p.payment_method_id as "paymentMethodId", p.plugin_name as "pluginName", p.retry_at as "retryAt",
  t.transactions
from payments p
join lateral (
  select jsonb_agg(jsonb_build_object(
    'transactionId', transaction_id, 'transactionType', transaction_type, 'externalKey', external_key, 'paymentMethodId', payment_method_id,
    'pluginName', plugin_name, 'amountMinor', amount_minor, 'requestedAt', ${instant('requested_at')}, 'state', state,
    'effectiveAt', ${instant('effective_at')}, 'processedMinor', processed_minor, 'errorCode', error_code,
    'errorMessage', error_message, 'firstReference', first_reference, 'secondReference', second_reference, 'adjustments', adjustments)
    order by place) as transactions
  from payment_transactions
  where payment_id = p.payment_id and state <> 'ABORTED'
) t on t.transactions is not null`;

const byId = `${selectPayments} where p.tenant_id = $1 and p.payment_id = $2`;
const ofAccount = `${selectPayments} where p.tenant_id = $1 and p.account_id = $2 order by p.payment_number`;
const ofInvoice = `${selectPayments} where p.tenant_id = $1 and p.invoice_id = $2 order by p.payment_number`;
const debtOf = `select invoice_id as "invoiceId", account_id as "accountId", currency, balance_minor as "balanceMinor",
  invoice_date as "invoiceDate", target_date as "targetDate" from invoice_debts where tenant_id = $1 and invoice_id = $2`;
const debtsOf = `select invoice_id as "invoiceId", account_id as "accountId", currency, balance_minor as "balanceMinor",
  invoice_date as "invoiceDate", target_date as "targetDate" from invoice_debts where tenant_id = $1 and account_id = $2 and balance_minor > 0
  order by invoice_date, invoice_number`;
const unknowns = `select count(*) as count from payment_transactions where state = 'UNKNOWN'`;
const orphans = `select p.tenant_id as "tenantId", case when t.is_attempt then p.invoice_id end as "invoiceId",
  p.account_id as "accountId", p.payment_id as "paymentId", t.transaction_id as "transactionId" from payment_transactions t join payments p using (payment_id)
  where t.state = 'DISPATCHED'`;

export const paymentById = async (sql: Sql, tenantId: string, paymentId: string): Promise<PaymentView | null> =>
  (await sql.query<PaymentView>(byId, [tenantId, paymentId], 'payment-by-id'))[0] ?? null;

export const paymentsOfAccount = (sql: Sql, tenantId: string, accountId: string): Promise<readonly PaymentView[]> =>
  sql.query<PaymentView>(ofAccount, [tenantId, accountId], 'payments-of-account');

export const paymentsOfInvoice = (sql: Sql, tenantId: string, invoiceId: string): Promise<readonly PaymentView[]> =>
  sql.query<PaymentView>(ofInvoice, [tenantId, invoiceId], 'payments-of-invoice');

/** What a committed invoice still asks for, less what was paid since invoicing last said so. */
export type DebtView = {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly currency: Currency;
  readonly balanceMinor: bigint;
  readonly invoiceDate: LocalDate;
  readonly targetDate: LocalDate;
};

export const debtOfInvoice = async (sql: Sql, tenantId: string, invoiceId: string): Promise<DebtView | null> =>
  (await sql.query<DebtView>(debtOf, [tenantId, invoiceId], 'debt-of-invoice'))[0] ?? null;

/** Unpaid invoices of an account, the oldest first. */
export const debtsOfAccount = (sql: Sql, tenantId: string, accountId: string): Promise<readonly DebtView[]> =>
  sql.query<DebtView>(debtsOf, [tenantId, accountId], 'debts-of-account');

export const countUnknownPayments = async (sql: Sql): Promise<number> => {
  const [row] = await sql.query<{ count: bigint }>(unknowns, [], 'unknown-payments');
  return Number(row?.count ?? 0n);
};

export type OrphanedAttempt = {
  readonly tenantId: string;
  /** Null: the transaction is none of an invoice's attempts. */
  readonly invoiceId: string | null;
  readonly accountId: string;
  readonly paymentId: string;
  readonly transactionId: string;
};

/** Attempts that were sent, or about to be, and have no outcome: after a crash, or because a call is going on. */
export const dispatchedAttempts = (sql: Sql): Promise<readonly OrphanedAttempt[]> =>
  sql.query<OrphanedAttempt>(orphans, [], 'dispatched-attempts');
