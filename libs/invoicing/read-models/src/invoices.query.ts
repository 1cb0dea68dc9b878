import type { InvoiceItem, InvoiceStatus } from '@billstream/invoicing-domain';
import type { Currency, LocalDate } from '@billstream/kernel';
import { type Sql, countRows, rowsCounted } from '@billstream/postgres';

/** An invoice as a client sees it. Minor units of its currency. */
export type InvoiceView = {
  readonly invoiceId: string;
  readonly accountId: string;
  readonly invoiceNumber: string;
  readonly invoiceDate: LocalDate;
  readonly targetDate: LocalDate;
  readonly currency: Currency;
  readonly status: InvoiceStatus;
  readonly isParentInvoice: boolean;
  /** The parent's invoice that sums this one up, and whose it is. */
  readonly parentInvoiceId: string | null;
  readonly parentAccountId: string | null;
  readonly amountMinor: bigint;
  readonly balanceMinor: bigint;
  /** Sum of its credit items: made positive, used negative. */
  readonly creditMinor: bigint;
  /** Refunds and chargebacks that succeeded, as a positive sum. */
  readonly refundedMinor: bigint;
  readonly items: readonly InvoiceItem[];
};

/**
 * What `InvoiceView` is selected from `invoices i` by. A child's invoice asks for nothing while the parent's invoice that
 * sums it up does not ask for it: while that is a draft, or when it is void (Kill Bill 2.14).
 */
export const invoiceColumns = `
  i.invoice_id as "invoiceId", i.account_id as "accountId", i.invoice_number as "invoiceNumber",
  i.invoice_date as "invoiceDate", i.target_date as "targetDate", i.currency, i.status,
  i.is_parent as "isParentInvoice", i.parent_invoice_id as "parentInvoiceId", i.parent_account_id as "parentAccountId", i.amount_minor as "amountMinor",
  case when exists (select from invoices p where p.invoice_id = i.parent_invoice_id and p.status in ('DRAFT', 'VOID'))
    then 0 else i.balance_minor end as "balanceMinor",
  coalesce((select sum(t.amount_minor)::bigint from invoice_items t
            where t.invoice_id = i.invoice_id and t.item_type = 'CBA_ADJ'), 0) as "creditMinor",
  coalesce((select sum(p.amount_minor)::bigint from invoice_payments p
            where p.invoice_id = i.invoice_id::text and p.status = 'SUCCESS'
              and p.transaction_type in ('REFUND', 'CHARGEBACK')), 0) as "refundedMinor",
  coalesce((select jsonb_agg(t.item order by t.created_position, t.item_index) from invoice_items t
            where t.invoice_id = i.invoice_id), '[]'::jsonb) as items`;

const byId = `select ${invoiceColumns} from invoices i where i.tenant_id = $1 and i.invoice_id = $2`;
const byNumber = `select ${invoiceColumns} from invoices i where i.tenant_id = $1 and i.invoice_number = $2`;
const byItem = `
select ${invoiceColumns} from invoices i
where i.tenant_id = $1 and i.invoice_id = (select invoice_id from invoice_items where tenant_id = $1 and item_id = $2)`;
const ofAccount = `
select ${invoiceColumns} from invoices i
where i.tenant_id = $1 and i.account_id = $2
  and ($3::date is null or i.target_date >= $3::date)
  and ($4::date is null or i.target_date <= $4::date)
  and (not $5::boolean or i.balance_minor > 0)
  and ($7::boolean or i.status <> 'VOID')
  and ($8::boolean or not i.is_migration)
  and ($6::uuid[] is null or i.invoice_id = any($6::uuid[]))
order by i.created_position`;
/** Items and sums are looked up of a page alone: Postgres would work them out for every invoice that the page leaves out. */
export const pageSql = (where: string, order: 'asc' | 'desc', bounds: string): string => `
select ${invoiceColumns}
from (select i.invoice_id from invoices i where ${where} order by i.created_position ${order} ${bounds}) as found
join invoices i using (invoice_id) order by i.created_position ${order}`;

const page = (order: 'asc' | 'desc'): string => pageSql('i.tenant_id = $1', order, 'limit $2 offset $3');
const counted = countRows('invoices where tenant_id = $1');
const pageOfAccount = (order: 'asc' | 'desc'): string =>
  pageSql('i.tenant_id = $1 and i.account_id = $4', order, 'limit $2 offset $3');
const countedOfAccount = countRows('invoices where tenant_id = $1 and account_id = $2');
const account = `
select a.account_id as "accountId", a.currency, a.balance_minor as "balanceMinor", a.credit_minor as "creditMinor",
  a.awaits_usage as "awaitsUsage",
  (select i.invoice_id from invoices i
   where i.account_id = a.account_id order by i.created_position desc limit 1) as "lastInvoiceId"
from invoice_accounts a where a.tenant_id = $1 and a.account_id = $2`;

const first = async <Row extends object>(rows: Promise<readonly Row[]>): Promise<Row | null> => (await rows)[0] ?? null;

export const invoiceById = (sql: Sql, tenantId: string, invoiceId: string): Promise<InvoiceView | null> =>
  first(sql.query<InvoiceView>(byId, [tenantId, invoiceId], 'invoice-by-id'));

export const invoiceByNumber = (sql: Sql, tenantId: string, invoiceNumber: string): Promise<InvoiceView | null> =>
  first(sql.query<InvoiceView>(byNumber, [tenantId, invoiceNumber], 'invoice-by-number'));

export const invoiceByItem = (sql: Sql, tenantId: string, itemId: string): Promise<InvoiceView | null> =>
  first(sql.query<InvoiceView>(byItem, [tenantId, itemId], 'invoice-by-item'));

const placesOf = `
select t.item_id as "itemId", t.invoice_id as "invoiceId", i.account_id as "accountId"
from invoice_items t join invoices i using (invoice_id) where t.tenant_id = $1 and t.item_id = any($2::uuid[])`;

export type ItemPlace = { readonly itemId: string; readonly invoiceId: string; readonly accountId: string };

/** Where each of these items is; those that nobody knows are left out. */
export const placesOfItems = (sql: Sql, tenantId: string, itemIds: readonly string[]): Promise<readonly ItemPlace[]> =>
  sql.query<ItemPlace>(placesOf, [tenantId, itemIds], 'places-of-items');

/** Dates are target dates, both inclusive; null asks for all. */
export type InvoiceFilter = {
  readonly startDate: LocalDate | null;
  readonly endDate: LocalDate | null;
  readonly unpaidOnly: boolean;
  readonly includeVoided: boolean;
  readonly includeMigrated: boolean;
  readonly invoiceIds: readonly string[] | null;
};

/** In the order in which they were made. */
export const invoicesOf = (
  sql: Sql,
  tenantId: string,
  accountId: string,
  { startDate, endDate, unpaidOnly, invoiceIds, includeVoided, includeMigrated }: InvoiceFilter,
): Promise<readonly InvoiceView[]> =>
  sql.query<InvoiceView>(
    ofAccount,
    [tenantId, accountId, startDate, endDate, unpaidOnly, invoiceIds, includeVoided, includeMigrated],
    'invoices-of-account',
  );

/** `total` null: too many to be counted. */
export type InvoicePage = { readonly invoices: readonly InvoiceView[]; readonly total: number | null };

export type PageBounds = { readonly offset: number; readonly limit: number };

/** A page in the order of creation; a negative limit asks for as many from the end backwards (Kill Bill 1.5). */
export const invoicesPage = async (sql: Sql, tenantId: string, { offset, limit }: PageBounds): Promise<InvoicePage> => {
  const order = limit < 0 ? 'desc' : 'asc';
  const values = [tenantId, Math.abs(limit), Math.max(offset, 0)];
  const invoices = await sql.query<InvoiceView>(page(order), values, `invoices-page-${order}`);
  const total = await first(sql.query<{ total: bigint }>(counted, [tenantId], 'invoices-count'));
  return { invoices, total: rowsCounted(total) };
};

/** The same of one account. */
export const accountInvoicesPage = async (
  sql: Sql,
  tenantId: string,
  { accountId, offset, limit }: PageBounds & { readonly accountId: string },
): Promise<InvoicePage> => {
  const order = limit < 0 ? 'desc' : 'asc';
  const values = [tenantId, Math.abs(limit), Math.max(offset, 0), accountId];
  const invoices = await sql.query<InvoiceView>(pageOfAccount(order), values, `account-invoices-page-${order}`);
  const counts = sql.query<{ total: bigint }>(countedOfAccount, [tenantId, accountId], 'account-invoices-count');
  return { invoices, total: rowsCounted(await first(counts)) };
};

/** Where an account stands: what it owes less its credit, and whether an invoice waits for usage. */
export type InvoicedAccount = {
  readonly accountId: string;
  readonly currency: Currency | null;
  readonly balanceMinor: bigint;
  readonly creditMinor: bigint;
  readonly awaitsUsage: boolean;
  readonly lastInvoiceId: string | null;
};

export const invoicedAccount = (sql: Sql, tenantId: string, accountId: string): Promise<InvoicedAccount | null> =>
  first(sql.query<InvoicedAccount>(account, [tenantId, accountId], 'invoiced-account'));

const ofChildren = `
select ${invoiceColumns} from invoices i where i.tenant_id = $1 and i.parent_invoice_id = any($2::uuid[])
order by i.created_position`;

/** The children's invoices that these invoices sum up. */
export const childInvoices = (
  sql: Sql,
  tenantId: string,
  parentInvoiceIds: readonly string[],
): Promise<readonly InvoiceView[]> =>
  parentInvoiceIds.length === 0
    ? Promise.resolve([])
    : sql.query<InvoiceView>(ofChildren, [tenantId, parentInvoiceIds], 'child-invoices');
