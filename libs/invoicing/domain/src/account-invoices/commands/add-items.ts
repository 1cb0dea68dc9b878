import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { Decimal, LocalDate } from '@billstream/kernel';
import type { AccountInvoicesEvent, InvoiceItemType, ItemSubject } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { creditInvoiceItem } from '../credit-item';
import type { NewItem } from '../generate';
import { commitInvoice, draftInvoice, extendDraft } from '../make-invoice';
import type { AccountInvoicesRejection } from '../rejections';
import { type Given, type Occasion, type Step, billable, inSequence, occasionOf, todayOf } from '../steps';
import { entryOf, valuesIn } from '../book';

/** A line that somebody asks for. Minor units, positive: a credit becomes a negative item. */
export type AskedItem = Partial<Omit<ItemSubject, 'catalogEffectiveDate' | `pretty${string}`>> & {
  readonly type: Extract<InvoiceItemType, 'EXTERNAL_CHARGE' | 'TAX' | 'CREDIT_ADJ' | 'RECURRING' | 'FIXED' | 'USAGE'>;
  readonly amountMinor: number;
  /** A draft that it goes to; null is an invoice of its own, together with the others. */
  readonly invoiceId: string | null;
  /** Default: the day that the command takes effect. */
  readonly startDate: LocalDate | null;
  readonly endDate: LocalDate | null;
  readonly description: string | null;
  readonly itemDetails: string | null;
  readonly linkedItemId: string | null;
  readonly quantity: Decimal | null;
  readonly rate: Decimal | null;
  readonly usageName: string | null;
};

/** External charges, taxes, credits and invoices brought over: all are lines that no run would make. */
export type AddItems = Given & {
  readonly type: 'AddItems';
  readonly items: readonly AskedItem[];
  /** The day it takes effect; it becomes the target date of a new invoice. Null is today. */
  readonly effectiveDate: LocalDate | null;
  /** A new invoice is owed at once; otherwise it stays a draft until it is committed. */
  readonly autoCommit: boolean;
  readonly isMigration?: boolean;
};

const subjectOf = (asked: AskedItem): Omit<ItemSubject, 'catalogEffectiveDate' | `pretty${string}`> => ({
  subscriptionId: asked.subscriptionId ?? null,
  bundleId: asked.bundleId ?? null,
  productName: asked.productName ?? null,
  planName: asked.planName ?? null,
  phaseName: asked.phaseName ?? null,
});

const itemOf = (asked: AskedItem, effectiveDate: LocalDate): NewItem => {
  const { amountMinor, type, startDate, endDate, linkedItemId, description, itemDetails, rate, quantity } = asked;
  return {
    ...creditInvoiceItem(0, effectiveDate),
    ...subjectOf(asked),
    linkedItemId,
    description,
    itemDetails,
    rate,
    quantity,
    usageName: asked.usageName,
    type,
    amountMinor: type === 'CREDIT_ADJ' && amountMinor !== 0 ? -amountMinor : amountMinor,
    startDate: startDate ?? effectiveDate,
    endDate: type === 'CREDIT_ADJ' ? (startDate ?? effectiveDate) : endDate,
  };
};

/** Whether the account's books could still add up all that is owed and all credit exactly. */
const staysExact = (state: AccountInvoices, items: readonly AskedItem[]): boolean =>
  Number.isSafeInteger(
    valuesIn(state.invoices).reduce((sum, { chargedMinor }) => sum + Math.abs(chargedMinor), 0) +
      items.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
  );

const draftRefusal = (state: AccountInvoices, invoiceId: string): AccountInvoicesRejection | null => {
  const invoice = entryOf(state.invoices, invoiceId);
  if (invoice === undefined) return { code: 'invoice-unknown', invoiceId };
  return invoice.status === 'DRAFT' ? null : { code: 'invoice-not-draft', invoiceId, status: invoice.status };
};

const newInvoice = (
  command: AddItems,
  items: readonly NewItem[],
  dates: { readonly targetDate: LocalDate; readonly today: LocalDate },
  occasion: Occasion,
): Step => {
  if (items.length === 0) return () => [];
  if (command.isMigration === true) return commitInvoice(items, dates, occasion, { isMigration: true });
  return command.autoCommit ? commitInvoice(items, dates, occasion) : draftInvoice(items, dates);
};

export const addItems = (
  state: AccountInvoices,
  command: AddItems,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  const { account } = state;
  if (account === null) return reject({ code: 'account-unknown' });
  if (billable(state) === null) return reject({ code: 'account-without-currency' });
  const drafts = [...new Set(command.items.flatMap(({ invoiceId }) => (invoiceId === null ? [] : [invoiceId])))];
  if (!staysExact(state, command.items)) return reject({ code: 'amount-out-of-range', invoiceId: null });
  const refusal = drafts.map((invoiceId) => draftRefusal(state, invoiceId)).find((one) => one !== null);
  if (refusal) return reject(refusal);
  const occasion = occasionOf(command);
  const today = todayOf(account, occasion);
  const effectiveDate = command.effectiveDate ?? today;
  const itemsOf = (id: string | null): readonly NewItem[] =>
    command.items.filter(({ invoiceId }) => invoiceId === id).map((asked) => itemOf(asked, effectiveDate));
  return accept(
    ...inSequence(state, [
      ...drafts.map((invoiceId) => extendDraft(invoiceId, itemsOf(invoiceId), null)),
      newInvoice(command, itemsOf(null), { targetDate: effectiveDate, today }, occasion),
    ]),
  );
};
