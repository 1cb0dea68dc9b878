import { type LocalDate, derivedId } from '@billstream/kernel';
import type {
  AccountInvoicesEvent,
  CommittedInvoice,
  InvoiceHead,
  InvoiceItem,
  InvoiceItemType,
} from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { creditOfNewInvoice } from './credit';
import { creditInvoiceItem } from './credit-item';
import { type NewItem, itemIdOf } from './generate';
import { inParts } from './large-invoices';
import { amountOf, chargesOf, rawBalanceOf } from './invoice-totals';
import { settleCredit } from './settle-credit';
import { type Billable, type Occasion, type Step, billable, inSequence, payerOf } from './steps';
import { entryOf } from './book';

/** The day up to which an invoice charges, and the account's day on which it is made. */
export type InvoiceDates = { readonly targetDate: LocalDate; readonly today: LocalDate };

/**
 * A number is unique and never changes, yet no account waits for another to get one: the invoice's day and the first
 * twelve digits of its id. Kill Bill's is a string, too.
 */
const numberOf = (invoiceId: string, date: LocalDate): string =>
  `${date.replaceAll('-', '')}-${invoiceId.replaceAll('-', '').slice(0, 12)}`;

const headOf = (
  state: AccountInvoices,
  { account, currency }: Billable,
  items: readonly NewItem[],
  { targetDate, today }: InvoiceDates,
): InvoiceHead => {
  const invoiceId = derivedId('invoice', account.accountId, String(state.invoices.size));
  return {
    invoiceId,
    accountId: account.accountId,
    invoiceNumber: numberOf(invoiceId, today),
    invoiceDate: today,
    targetDate,
    currency,
    amountMinor: amountOf(items),
    ...payerOf(account),
  };
};

/** Items as the next ones of an invoice that has `before` of them. */
const numbered = (items: readonly NewItem[], invoiceId: string, before = 0): readonly InvoiceItem[] =>
  items.map((item, index) => ({ ...item, itemId: itemIdOf(invoiceId, before + index) }));

/** The invoice of these items as it would stand in the account's books today, credit included. */
export const invoiceOf = (
  state: AccountInvoices,
  known: Billable,
  charges: readonly NewItem[],
  dates: InvoiceDates,
): CommittedInvoice => {
  const head = headOf(state, known, charges, dates);
  const chargedMinor = chargesOf(charges);
  const creditMinor = creditOfNewInvoice(chargedMinor, state.creditMinor);
  const items = creditMinor === 0 ? charges : [...charges, creditInvoiceItem(creditMinor, dates.today)];
  return { ...head, balanceMinor: chargedMinor + creditMinor, items: numbered(items, head.invoiceId) };
};

const migrated = (
  state: AccountInvoices,
  known: Billable,
  items: readonly NewItem[],
  dates: InvoiceDates,
): readonly AccountInvoicesEvent[] => {
  const head = headOf(state, known, items, dates);
  const data = { ...head, isMigration: true as const, balanceMinor: 0, items: numbered(items, head.invoiceId) };
  return inParts(data, (rest) => ({ type: 'InvoiceCommitted', data: rest }));
};

const movesChargedThrough: ReadonlySet<InvoiceItemType> = new Set(['RECURRING', 'FIXED', 'USAGE']);

/** What moves a subscription's charged-through date. */
export type Charge = Pick<InvoiceItem, 'type' | 'subscriptionId' | 'startDate' | 'endDate'>;

/** The latest end of what an invoice charges each subscription; it overwrites what was there (Kill Bill 2.10). */
export const chargedThrough =
  (accountId: string, items: readonly Charge[]): Step =>
  () => {
    const through = new Map<string, LocalDate>();
    for (const { type, subscriptionId, startDate, endDate } of items) {
      if (subscriptionId === null || !movesChargedThrough.has(type)) continue;
      const date = endDate ?? startDate;
      const before = through.get(subscriptionId);
      if (before === undefined || before < date) through.set(subscriptionId, date);
    }
    if (through.size === 0) return [];
    const byDate = new Map<LocalDate, string[]>();
    for (const [subscriptionId, date] of through) {
      const others = byDate.get(date);
      if (others === undefined) byDate.set(date, [subscriptionId]);
      else others.push(subscriptionId);
    }
    const days = [...byDate].map(([chargedThroughDate, subscriptionIds]) => ({ chargedThroughDate, subscriptionIds }));
    return [{ type: 'ChargedThroughChanged', data: { accountId, through: days } }];
  };

/** `unused`: usage that the invoice counts as charged without an item for it. */
export type CommitOptions = { readonly isMigration?: boolean; readonly unused?: readonly Charge[] };

/** A new invoice that is owed at once. One that was brought over is owed to nobody here and moves nothing. */
export const commitInvoice =
  (items: readonly NewItem[], dates: InvoiceDates, occasion: Occasion, more: CommitOptions = {}): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    if (more.isMigration === true) return migrated(state, known, items, dates);
    const invoice = invoiceOf(state, known, items, dates);
    return inSequence(state, [
      () => inParts(invoice, (data) => ({ type: 'InvoiceCommitted', data })),
      chargedThrough(invoice.accountId, [...invoice.items, ...(more.unused ?? [])]),
      settleCredit([invoice.invoiceId], occasion),
    ]);
  };

/** A new invoice that waits to be committed. */
export const draftInvoice =
  (items: readonly NewItem[], dates: InvoiceDates, mark: Pick<InvoiceHead, 'isParentInvoice'> = {}): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    const head = headOf(state, known, items, dates);
    const draft = { ...head, ...mark, items: numbered(items, head.invoiceId) };
    return inParts(draft, (data) => ({ type: 'InvoiceDrafted', data }));
  };

/** More items for a draft. Without a target date of their own they leave it where it is. */
export const extendDraft =
  (invoiceId: string, items: readonly NewItem[], targetDate: LocalDate | null): Step =>
  (state) => {
    const draft = entryOf(state.invoices, invoiceId);
    const { account } = state;
    if (draft === undefined || account === null) return [];
    const data = {
      accountId: account.accountId,
      invoiceId,
      targetDate: targetDate !== null && targetDate > draft.targetDate ? targetDate : draft.targetDate,
      items: numbered(items, invoiceId, draft.items.length),
    };
    return inParts(data, (rest) => ({ type: 'DraftExtended', data: rest }));
  };

/** A draft becomes an invoice that is owed; it keeps its number and dates. */
export const commitDraft =
  (invoiceId: string, occasion: Occasion): Step =>
  (state) => {
    const known = billable(state);
    const draft = entryOf(state.invoices, invoiceId);
    if (known === null || draft === undefined) return [];
    const { accountId } = known.account;
    const { invoiceNumber, invoiceDate, targetDate, items } = draft;
    const owed = rawBalanceOf(draft);
    const data = {
      invoiceId,
      accountId,
      invoiceNumber,
      invoiceDate,
      targetDate,
      currency: known.currency,
      amountMinor: amountOf(items),
      balanceMinor: owed + creditOfNewInvoice(owed, state.creditMinor),
      ...(draft.isParentInvoice ? { isParentInvoice: true as const } : {}),
      ...payerOf(known.account),
    };
    return inSequence(state, [
      (): readonly AccountInvoicesEvent[] => [{ type: 'DraftCommitted', data }],
      chargedThrough(accountId, items),
      settleCredit([invoiceId], occasion, { newInvoiceId: invoiceId }),
    ]);
  };
