export const invoicesDdl = `
create table invoice_accounts (
  account_id uuid primary key,
  tenant_id uuid not null,
  currency text,
  balance_minor bigint not null,
  credit_minor bigint not null,
  awaits_usage boolean not null
);
create table invoices (
  invoice_id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null,
  invoice_number text not null,
  invoice_date date not null,
  target_date date not null,
  currency text not null,
  minor_digits smallint not null,
  status text not null,
  is_migration boolean not null,
  is_parent boolean not null,
  amount_minor bigint not null,
  balance_minor bigint not null,
  created_at timestamptz not null,
  created_position bigint not null,
  parent_invoice_id uuid,
  parent_account_id uuid,
  unique (tenant_id, invoice_number)
);
create index invoices_of_parent on invoices (parent_invoice_id) where parent_invoice_id is not null;
create index invoices_in_order on invoices (tenant_id, created_position);
create index invoices_owed on invoices (tenant_id, balance_minor) where balance_minor > 0;
create index invoices_of_account on invoices (account_id, created_position);
create table invoice_items (
  item_id uuid primary key,
  invoice_id uuid not null,
  tenant_id uuid not null,
  item_type text not null,
  amount_minor bigint not null,
  created_position bigint not null,
  item_index int not null,
  item jsonb not null
);
create index invoice_items_of_invoice on invoice_items (invoice_id, created_position, item_index);
create table invoice_payments (
  transaction_id text primary key,
  tenant_id uuid not null,
  invoice_id text not null,
  transaction_type text not null,
  status text not null,
  amount_minor bigint not null
);
create index invoice_payments_of_invoice on invoice_payments (invoice_id);
`;

const accounts = `
insert into invoice_accounts (account_id, tenant_id, currency, balance_minor, credit_minor, awaits_usage)
select account_id, tenant_id, currency, 0, 0, false
from jsonb_to_recordset($1::jsonb) as row(account_id uuid, tenant_id uuid, currency text)
on conflict (account_id) do update set currency = excluded.currency`;

const invoices = `
insert into invoices
select * from jsonb_to_recordset($1::jsonb) as row(
  invoice_id uuid, tenant_id uuid, account_id uuid, invoice_number text, invoice_date date, target_date date,
  currency text, minor_digits smallint, status text, is_migration boolean, is_parent boolean, amount_minor bigint, balance_minor bigint,
  created_at timestamptz, created_position bigint)`;

const statuses = `
update invoices set status = row.status
from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid, status text)
where invoices.invoice_id = row.invoice_id`;

const targetDates = `
update invoices set target_date = row.target_date
from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid, target_date date)
where invoices.invoice_id = row.invoice_id`;

/** Adds items up as `amountOf` of the domain does: credit given with nothing else on the invoice is no charge. */
const amounts = `
update invoices set amount_minor = counted.amount_minor
from (
  select t.invoice_id,
    case when bool_and(t.item_type in ('CREDIT_ADJ', 'CBA_ADJ')) then 0
         else coalesce(sum(t.amount_minor) filter (where t.item_type <> 'CBA_ADJ'), 0) end::bigint as amount_minor
  from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid)
  join invoice_items t on t.invoice_id = row.invoice_id
  group by t.invoice_id
) counted
where invoices.invoice_id = counted.invoice_id`;

const items = `
insert into invoice_items
select * from jsonb_to_recordset($1::jsonb) as row(
  item_id uuid, invoice_id uuid, tenant_id uuid, item_type text, amount_minor bigint, created_position bigint,
  item_index int, item jsonb)`;

/** A child's invoice came to the item that sums it up, or its share of it changed. */
const itemAmounts = `
update invoice_items set amount_minor = row.amount_minor,
  item = jsonb_set(item, '{amountMinor}', to_jsonb(row.amount_minor))
from jsonb_to_recordset($1::jsonb) as row(item_id uuid, amount_minor bigint)
where invoice_items.item_id = row.item_id`;

const parents = `
update invoices set parent_invoice_id = row.parent_invoice_id, parent_account_id = row.parent_account_id
from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid, parent_invoice_id uuid, parent_account_id uuid)
where invoices.invoice_id = row.invoice_id`;

const payments = `
insert into invoice_payments
select * from jsonb_to_recordset($1::jsonb) as row(
  transaction_id text, tenant_id uuid, invoice_id text, transaction_type text, status text, amount_minor bigint)
on conflict (transaction_id) do update set status = excluded.status, amount_minor = excluded.amount_minor`;

const invoiceBalances = `
update invoices set balance_minor = row.balance_minor
from jsonb_to_recordset($1::jsonb) as row(invoice_id uuid, balance_minor bigint)
where invoices.invoice_id = row.invoice_id`;

const accountBalances = `
update invoice_accounts set balance_minor = row.balance_minor, credit_minor = row.credit_minor
from jsonb_to_recordset($1::jsonb) as row(account_id uuid, balance_minor bigint, credit_minor bigint)
where invoice_accounts.account_id = row.account_id`;

const runs = `
update invoice_accounts set awaits_usage = row.awaits_usage
from jsonb_to_recordset($1::jsonb) as row(account_id uuid, awaits_usage boolean)
where invoice_accounts.account_id = row.account_id`;

/** One statement a table and batch; each takes its rows as one JSON array. */
export const statements = {
  accounts,
  invoices,
  items,
  statuses,
  targetDates,
  itemAmounts,
  parents,
  amounts,
  payments,
  invoiceBalances,
  accountBalances,
  runs,
} as const;
