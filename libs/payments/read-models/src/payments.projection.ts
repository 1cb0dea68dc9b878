import type { RecordedEvent } from '@billstream/event-sourcing';
import { invoicePaymentsSchema, paymentSchema } from '@billstream/payments-domain';
import { type ReadModel, type Sql, dueWorkDdl, schedule, unschedule } from '@billstream/postgres';
import { dueChangesOf } from './due-payments';
import { foldPayments } from './payment-patches';

const ddl = `
create table payments (
  payment_id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null,
  invoice_id uuid,
  payment_number bigint not null,
  external_key text not null,
  currency text not null,
  payment_method_id uuid not null,
  plugin_name text not null,
  retry_at timestamptz,
  unique (tenant_id, payment_number)
);
create index payments_by_key on payments (tenant_id, external_key);
create index payments_of_account on payments (account_id, payment_number);
create index payments_of_invoice on payments (invoice_id);
create table payment_transactions (
  transaction_id uuid primary key,
  payment_id uuid not null,
  transaction_type text not null,
  external_key text not null,
  place bigint not null,
  is_attempt boolean not null,
  payment_method_id uuid not null,
  plugin_name text not null,
  amount_minor bigint not null,
  requested_at timestamptz not null,
  state text not null,
  effective_at timestamptz not null,
  processed_minor bigint,
  error_code text,
  error_message text,
  first_reference text,
  second_reference text,
  adjustments jsonb
);
create index payment_transactions_of_payment on payment_transactions (payment_id, place);
create index payment_transactions_by_key on payment_transactions (external_key);
create index payment_transactions_open on payment_transactions (state) where state in ('DISPATCHED', 'UNKNOWN', 'PENDING');
create table invoice_debts (
  invoice_id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null,
  invoice_number text not null,
  invoice_date date not null,
  target_date date not null,
  currency text not null,
  balance_minor bigint not null
);
create index invoice_debts_owed on invoice_debts (account_id, invoice_date) where balance_minor > 0;
${dueWorkDdl}`;

/**
 * Numbers go up by one within a tenant, in log order, so that a rebuild gives every payment its number again. The newest
 * is asked for once a tenant: asked for with each row, it would be looked for behind all rows that were just inserted.
 */
const insertPayments = `
with rows as materialized (
  select * from jsonb_to_recordset($1::jsonb) as row(
    payment_id uuid, tenant_id uuid, account_id uuid, invoice_id uuid, place int, external_key text,
    currency text, payment_method_id uuid, plugin_name text, retry_at timestamptz)
), newest as materialized (
  select tenant_id, coalesce(
    (select max(payment_number) from payments p where p.tenant_id = tenants.tenant_id), 0) as payment_number
  from (select distinct tenant_id from rows) as tenants
)
insert into payments (payment_id, tenant_id, account_id, invoice_id, payment_number, external_key, currency,
  payment_method_id, plugin_name, retry_at)
select payment_id, tenant_id, account_id, invoice_id,
  newest.payment_number + row_number() over (partition by tenant_id order by place),
  external_key, currency, payment_method_id, plugin_name, retry_at
from rows join newest using (tenant_id)
where not exists (select 1 from payments known where known.payment_id = rows.payment_id)`;

/** What was inserted a moment ago has these values already, and is not written again. */
const updatePayments = `
update payments p set payment_method_id = coalesce(row.payment_method_id, p.payment_method_id), retry_at = row.retry_at
from jsonb_to_recordset($1::jsonb) as row(payment_id uuid, payment_method_id uuid, retry_at timestamptz)
where p.payment_id = row.payment_id and (p.payment_method_id, p.retry_at)
  is distinct from (coalesce(row.payment_method_id, p.payment_method_id), row.retry_at)`;

const insertTransactions = `
insert into payment_transactions (transaction_id, payment_id, transaction_type, external_key, place, is_attempt,
  payment_method_id, plugin_name, amount_minor, requested_at, state, effective_at, processed_minor, error_code,
  error_message, first_reference, second_reference, adjustments)
select row.transaction_id, row.payment_id, row.transaction_type, row.external_key, row.place, row.is_attempt,
  coalesce(row.payment_method_id, p.payment_method_id), coalesce(row.plugin_name, p.plugin_name),
  row.amount_minor, row.requested_at, row.state, row.effective_at, row.processed_minor, row.error_code,
  row.error_message, row.first_reference, row.second_reference, row.adjustments
from jsonb_to_recordset($1::jsonb) as row(transaction_id uuid, payment_id uuid, transaction_type text,
  external_key text, place bigint, is_attempt boolean, payment_method_id uuid, plugin_name text, amount_minor bigint,
  requested_at timestamptz, state text, effective_at timestamptz, processed_minor bigint, error_code text,
  error_message text, first_reference text, second_reference text, adjustments jsonb)
join payments p on p.payment_id = row.payment_id
on conflict (transaction_id) do nothing`;

const updateTransactions = `
update payment_transactions t set state = row.state, effective_at = row.effective_at,
  processed_minor = row.processed_minor, error_code = row.error_code, error_message = row.error_message,
  first_reference = coalesce(row.first_reference, t.first_reference),
  second_reference = coalesce(row.second_reference, t.second_reference)
from jsonb_to_recordset($1::jsonb) as row(transaction_id uuid, state text, effective_at timestamptz,
  processed_minor bigint, error_code text, error_message text, first_reference text, second_reference text)
where t.transaction_id = row.transaction_id
  and (t.state, t.effective_at, t.processed_minor, t.error_code, t.error_message, t.first_reference, t.second_reference)
  is distinct from (row.state, row.effective_at, row.processed_minor, row.error_code, row.error_message,
    coalesce(row.first_reference, t.first_reference), coalesce(row.second_reference, t.second_reference))`;

const insertDebts = `
insert into invoice_debts
select * from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid, tenant_id uuid, account_id uuid, invoice_number text,
  invoice_date date, target_date date, currency text, balance_minor bigint)
on conflict (invoice_id) do nothing`;

const updateDebts = `
update invoice_debts set balance_minor = coalesce(row.set_minor, invoice_debts.balance_minor) - row.paid_minor
from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid, set_minor bigint, paid_minor bigint)
where invoice_debts.invoice_id = row.invoice_id`;

/** Payments with their transactions, what invoices still ask for, and what the executor has to do. */
export const paymentsReadModel: ReadModel = {
  name: 'payments',
  tables: ['payments', 'payment_transactions', 'invoice_debts', 'due_work'],
  ddl,
  prefixes: ['invoicePayments-', 'payment-'],
  apply: async (tx, events) => {
    const folded = foldPayments(
      events.flatMap((recorded) => {
        const event = invoicePaymentsSchema.decode(recorded) ?? paymentSchema.decode(recorded);
        const { position } = recorded;
        return event === null ? [] : [{ event, tenantId: recorded.metadata.tenantId, position }];
      }),
    );
    await run(tx, 'invoice-debts-insert', insertDebts, folded.invoices);
    await run(tx, 'payments-insert', insertPayments, folded.payments);
    await run(tx, 'payment-transactions-insert', insertTransactions, folded.transactions);
    await run(tx, 'payments-update', updatePayments, folded.paymentPatches);
    await run(tx, 'payment-transactions-update', updateTransactions, folded.transactionPatches);
    await run(tx, 'invoice-debts-update', updateDebts, folded.debtPatches);
    await applyDueWork(tx, events);
  },
};

const run = async (tx: Sql, name: string, text: string, rows: readonly object[]): Promise<void> => {
  if (rows.length > 0) await tx.query(text, [JSON.stringify(rows)], name);
};

const applyDueWork = async (tx: Sql, events: readonly RecordedEvent[]): Promise<void> => {
  const { scheduled, unscheduled } = dueChangesOf(events);
  await unschedule(tx, unscheduled);
  await schedule(tx, scheduled);
};
