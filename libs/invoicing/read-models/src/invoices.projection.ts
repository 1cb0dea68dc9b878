import type { RecordedEvent } from '@billstream/event-sourcing';
import {
  type AccountInvoicesEvent,
  type ChildShare,
  type CreditItem,
  type InvoiceItem,
  type InvoiceStatus,
  accountInvoicesSchema,
  accountInvoicesStreams,
  creditInvoiceItem,
} from '@billstream/invoicing-domain';
import { minorDigits } from '@billstream/kernel';
import type { ReadModel, Sql } from '@billstream/postgres';
import { applyDrawnItems, drawnItemsDdl } from './drawn-items';
import { invoicesDdl, statements } from './invoices.sql';

type Rows = { readonly [Statement in keyof typeof statements]: Row[] };
/** `key`: what the row is about; `columns`: as the statement names them. */
type Row = { readonly key: string; readonly columns: object };

/** Invoices with their items, what each still asks for, and what the accounts they belong to stand at. */
export const invoicesReadModel: ReadModel = {
  name: 'invoices',
  tables: ['invoice_accounts', 'invoices', 'invoice_items', 'invoice_items_drawn', 'invoice_payments'],
  ddl: invoicesDdl + drawnItemsDdl,
  prefixes: [accountInvoicesStreams],
  apply: async (tx, events) => {
    const rows = rowsOf(events);
    await write(tx, 'accounts', rows.accounts);
    await write(tx, 'invoices', rows.invoices);
    await write(tx, 'items', rows.items);
    await applyDrawnItems(tx, events);
    await write(tx, 'statuses', rows.statuses);
    await write(tx, 'targetDates', rows.targetDates);
    await write(tx, 'itemAmounts', rows.itemAmounts);
    await write(tx, 'parents', rows.parents);
    await write(tx, 'amounts', rows.amounts);
    await write(tx, 'payments', rows.payments);
    await write(tx, 'invoiceBalances', rows.invoiceBalances);
    await write(tx, 'accountBalances', rows.accountBalances);
    await write(tx, 'runs', rows.runs);
  },
};

/** The last row of each key alone: one statement cannot touch a row twice. */
const write = async (tx: Sql, statement: keyof typeof statements, rows: readonly Row[]): Promise<void> => {
  const last = new Map(rows.map(({ key, columns }) => [key, columns]));
  if (last.size === 0) return;
  await tx.query(statements[statement], [JSON.stringify([...last.values()])], `invoices-${statement}`);
};

const rowsOf = (events: readonly RecordedEvent[]): Rows => {
  const rows: Rows = {
    accounts: [],
    invoices: [],
    items: [],
    statuses: [],
    targetDates: [],
    itemAmounts: [],
    parents: [],
    amounts: [],
    payments: [],
    invoiceBalances: [],
    accountBalances: [],
    runs: [],
  };
  for (const recorded of events) {
    const event = accountInvoicesSchema.decode(recorded);
    if (event !== null) collect(rows, event, recorded);
  }
  return rows;
};

type Collect<Type extends AccountInvoicesEvent['type']> = (
  rows: Rows,
  data: Data<Type>,
  recorded: RecordedEvent,
) => unknown;

/** Which rows each event gives; the events that are not named here change nothing that is shown. */
const collectors: { readonly [Type in AccountInvoicesEvent['type']]?: Collect<Type> } = {
  AccountRecorded: (rows, data, recorded) => rows.accounts.push(accountRow(data, recorded)),
  InvoiceCommitted: (rows, data, recorded) => {
    rows.invoices.push(invoiceRow(data, 'COMMITTED', recorded));
    rows.items.push(...itemRows(data, recorded));
  },
  InvoiceDrafted: (rows, data, recorded) => {
    rows.invoices.push(invoiceRow({ ...data, balanceMinor: 0 }, 'DRAFT', recorded));
    rows.items.push(...itemRows(data, recorded));
  },
  DraftExtended: (rows, data, recorded) => {
    rows.targetDates.push(targetDateRow(data));
    rows.items.push(...itemRows(data, recorded));
    rows.amounts.push(invoiceKeyRow(data));
  },
  InvoiceAdjusted: (rows, data, recorded) => {
    rows.items.push(...itemRows(data, recorded));
    rows.amounts.push(invoiceKeyRow(data));
  },
  ChildInvoiceSummed: (rows, data) => {
    rows.itemAmounts.push(itemAmountRow(data));
    rows.parents.push(parentRow(data));
    rows.amounts.push(invoiceKeyRow(data));
  },
  DraftCommitted: (rows, data) => rows.statuses.push(statusRow(data, 'COMMITTED')),
  InvoiceVoided: (rows, data) => rows.statuses.push(statusRow(data, 'VOID')),
  CreditApplied: (rows, { items }, recorded) =>
    rows.items.push(...items.map((item, index) => creditRow(item, index, recorded))),
  PaymentRecorded: (rows, data, recorded) => rows.payments.push(paymentRow(data, recorded)),
  BalanceChanged: (rows, data) => {
    rows.invoiceBalances.push(...data.invoices.map(invoiceBalanceRow));
    rows.accountBalances.push(accountBalanceRow(data));
  },
  UsageRequested: (rows, { accountId }) => rows.runs.push(runRow(accountId, true)),
  InvoiceAwaited: (rows, { accountId }) => rows.runs.push(runRow(accountId, true)),
  NextInvoiceScheduled: (rows, { accountId }) => rows.runs.push(runRow(accountId, false)),
  InvoicingParked: (rows, { accountId }) => rows.runs.push(runRow(accountId, false)),
};

const collect = (rows: Rows, { type, data }: AccountInvoicesEvent, recorded: RecordedEvent): void => {
  (collectors[type] as ((rows: Rows, data: object, recorded: RecordedEvent) => unknown) | undefined)?.(
    rows,
    data,
    recorded,
  );
};

const creditRow = (
  { itemId, invoiceId, amountMinor, date, linkedItemId }: CreditItem,
  index: number,
  recorded: RecordedEvent,
): Row =>
  itemRow(
    { ...creditInvoiceItem(amountMinor, date), itemId, linkedItemId: linkedItemId ?? null },
    invoiceId,
    index,
    recorded,
  );

type Data<Type extends AccountInvoicesEvent['type']> = Extract<AccountInvoicesEvent, { readonly type: Type }>['data'];

const accountRow = ({ accountId, currency }: Data<'AccountRecorded'>, { metadata }: RecordedEvent): Row => ({
  key: accountId,
  columns: { account_id: accountId, tenant_id: metadata.tenantId, currency },
});

const invoiceRow = (
  invoice: Data<'InvoiceCommitted'>,
  status: InvoiceStatus,
  { metadata, position }: RecordedEvent,
): Row => ({
  key: invoice.invoiceId,
  columns: {
    invoice_id: invoice.invoiceId,
    tenant_id: metadata.tenantId,
    account_id: invoice.accountId,
    invoice_number: invoice.invoiceNumber,
    invoice_date: invoice.invoiceDate,
    target_date: invoice.targetDate,
    currency: invoice.currency,
    minor_digits: minorDigits(invoice.currency),
    status,
    is_migration: invoice.isMigration ?? false,
    is_parent: invoice.isParentInvoice ?? false,
    amount_minor: invoice.amountMinor,
    balance_minor: invoice.balanceMinor,
    created_at: metadata.at,
    created_position: String(position),
  },
});

type InvoiceKey = { readonly invoiceId: string };

const statusRow = ({ invoiceId }: InvoiceKey, status: InvoiceStatus): Row => ({
  key: invoiceId,
  columns: { invoice_id: invoiceId, status },
});

const targetDateRow = ({ invoiceId, targetDate }: Data<'DraftExtended'>): Row => ({
  key: invoiceId,
  columns: { invoice_id: invoiceId, target_date: targetDate },
});

const invoiceKeyRow = ({ invoiceId }: InvoiceKey): Row => ({ key: invoiceId, columns: { invoice_id: invoiceId } });

const itemAmountRow = ({ itemId, itemAmountMinor }: ChildShare): Row => ({
  key: itemId,
  columns: { item_id: itemId, amount_minor: itemAmountMinor },
});

/** The parent's invoice that charged it first shows it; what it grew by is only an amount on a later one. */
const parentRow = ({ childInvoiceId, invoiceId, accountId, earlier = [] }: ChildShare): Row => ({
  key: childInvoiceId,
  columns: {
    ...{ invoice_id: childInvoiceId, parent_account_id: accountId },
    parent_invoice_id: earlier[0]?.invoiceId ?? invoiceId,
  },
});

const itemRows = (
  { invoiceId, items }: InvoiceKey & { readonly items: readonly InvoiceItem[] },
  recorded: RecordedEvent,
): readonly Row[] => items.map((item, index) => itemRow(item, invoiceId, index, recorded));

const itemRow = (item: InvoiceItem, invoiceId: string, index: number, { metadata, position }: RecordedEvent): Row => ({
  key: item.itemId,
  columns: {
    item_id: item.itemId,
    invoice_id: invoiceId,
    tenant_id: metadata.tenantId,
    item_type: item.type,
    amount_minor: item.amountMinor,
    created_position: String(position),
    item_index: index,
    item,
  },
});

const paymentRow = (payment: Data<'PaymentRecorded'>, { metadata }: RecordedEvent): Row => ({
  key: payment.transactionId,
  columns: {
    transaction_id: payment.transactionId,
    tenant_id: metadata.tenantId,
    invoice_id: payment.invoiceId,
    transaction_type: payment.transactionType,
    status: payment.status,
    amount_minor: payment.amountMinor,
  },
});

const invoiceBalanceRow = ({ invoiceId, balanceMinor }: Data<'BalanceChanged'>['invoices'][number]): Row => ({
  key: invoiceId,
  columns: { invoice_id: invoiceId, balance_minor: balanceMinor },
});

const accountBalanceRow = ({ accountId, accountBalanceMinor, accountCreditMinor }: Data<'BalanceChanged'>): Row => ({
  key: accountId,
  columns: { account_id: accountId, balance_minor: accountBalanceMinor, credit_minor: accountCreditMinor },
});

const runRow = (accountId: string, awaitsUsage: boolean): Row => ({
  key: accountId,
  columns: { account_id: accountId, awaits_usage: awaitsUsage },
});
