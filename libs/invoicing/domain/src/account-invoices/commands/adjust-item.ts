import { type Decision, accept, reject } from '@billstream/event-sourcing';
import { type LocalDate, derivedId } from '@billstream/kernel';
import type { AccountInvoicesEvent, InvoiceItem, InvoiceItemType } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { creditInvoiceItem } from '../credit-item';
import { itemIdOf } from '../generate';
import { type InvoiceTotals, type KnownItem, leftOf, takenBack } from '../invoice-totals';
import { inParts } from '../large-invoices';
import type { AccountInvoicesRejection } from '../rejections';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, inSequence, occasionOf, todayOf } from '../steps';
import { entryOf } from '../book';

/** Takes back some of an item, or all that is left of it, on the invoice that has it. */
export type AdjustItem = Given & {
  readonly type: 'AdjustItem';
  readonly invoiceId: string;
  readonly itemId: string;
  /** Positive minor units; null is all that is left. */
  readonly amountMinor: number | null;
  /** Null is today. */
  readonly effectiveDate: LocalDate | null;
  readonly description: string | null;
  readonly itemDetails: string | null;
};

/** Items of which some can be taken back. */
export const adjustable: ReadonlySet<InvoiceItemType> = new Set([
  'RECURRING',
  'FIXED',
  'USAGE',
  'EXTERNAL_CHARGE',
  'TAX',
  'PARENT_SUMMARY',
]);

/** The item of an invoice, if it may be adjusted, and the invoice. */
const found = (
  state: AccountInvoices,
  { invoiceId, itemId }: AdjustItem,
): { readonly invoice: InvoiceTotals; readonly item: KnownItem } | { readonly refusal: AccountInvoicesRejection } => {
  const invoice = entryOf(state.invoices, invoiceId);
  if (invoice === undefined) return { refusal: { code: 'invoice-unknown', invoiceId } };
  if (invoice.status === 'VOID') return { refusal: { code: 'invoice-voided', invoiceId } };
  const item = invoice.items.find((one) => one.itemId === itemId);
  if (item === undefined) return { refusal: { code: 'item-unknown', itemId } };
  return adjustable.has(item.type) ? { invoice, item } : { refusal: { code: 'item-not-adjustable', itemId } };
};

/** What an adjustment may still take back of an item. Minor units; null: the invoice has no such item, or is void. */
export const adjustableMinor = (
  { invoices }: AccountInvoices,
  { invoiceId, itemId }: Pick<AdjustItem, 'invoiceId' | 'itemId'>,
): number | null => {
  const invoice = entryOf(invoices, invoiceId);
  const item = invoice?.status === 'VOID' ? undefined : invoice?.items.find((one) => one.itemId === itemId);
  if (item === undefined) return null;
  return adjustable.has(item.type) ? leftOf(item, takenBack(invoices)) : 0;
};

const amountOf = (
  asked: number | null,
  leftMinor: number,
  itemId: string,
): { readonly amountMinor: number } | { readonly refusal: AccountInvoicesRejection } => {
  if (asked === null)
    return leftMinor > 0 ? { amountMinor: leftMinor } : { refusal: { code: 'nothing-to-adjust', itemId } };
  if (asked <= 0) return { refusal: { code: 'adjustment-not-positive', itemId } };
  return asked <= leftMinor ? { amountMinor: asked } : { refusal: { code: 'adjustment-too-high', itemId, leftMinor } };
};

type Wording = { readonly date: LocalDate; readonly description: string | null; readonly itemDetails: string | null };

/** The item that takes back `amountMinor` of another one. */
export const adjustmentOf = (
  item: KnownItem,
  amountMinor: number,
  { date, ...words }: Wording,
): Omit<InvoiceItem, 'itemId'> => ({
  ...creditInvoiceItem(-amountMinor, date),
  type: 'ITEM_ADJ',
  subscriptionId: item.subscriptionId,
  bundleId: item.bundleId,
  linkedItemId: item.itemId,
  ...words,
});

export const adjustItem = (
  state: AccountInvoices,
  command: AdjustItem,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  const { account } = state;
  if (account === null) return reject({ code: 'account-unknown' });
  const target = found(state, command);
  if ('refusal' in target) return reject(target.refusal);
  const { invoice, item } = target;
  const amount = amountOf(command.amountMinor, leftOf(item, takenBack(state.invoices)), item.itemId);
  if ('refusal' in amount) return reject(amount.refusal);
  const occasion = occasionOf(command);
  const { accountId } = account;
  const { invoiceId, description, itemDetails, effectiveDate } = command;
  const date = effectiveDate ?? todayOf(account, occasion);
  const adjustment = adjustmentOf(item, amount.amountMinor, { date, description, itemDetails });
  const items = [{ ...adjustment, itemId: itemIdOf(invoiceId, invoice.items.length) }];
  return accept(
    ...inSequence(state, [
      () => [{ type: 'InvoiceAdjusted', data: { accountId, invoiceId, items } }],
      settleCredit([invoiceId], occasion),
    ]),
  );
};

/** What a refund takes back, item by item; null is all that is left of one. */
export type RefundAdjustments = {
  readonly transactionId: string;
  readonly invoiceId: string;
  readonly itemAdjustments: readonly { readonly invoiceItemId: string; readonly amountMinor: number | null }[];
  /** What the refund moved: without named items it is spread over the invoice's, in their order. */
  readonly refundedMinor: number;
  readonly date: LocalDate;
};

/** The refund has happened, so more than is left of an item takes back what is left: a fact is not refused. */
export const adjustForRefund =
  ({ transactionId, invoiceId, itemAdjustments, refundedMinor, date }: RefundAdjustments): Step =>
  (state) => {
    const invoice = entryOf(state.invoices, invoiceId);
    if (state.account === null || invoice === undefined || state.adjustedBy.includes(transactionId)) return [];
    const words = { date, description: null, itemDetails: null };
    const taken = takenBack(state.invoices);
    let unnamed = itemAdjustments.length === 0 ? refundedMinor : 0;
    const items = invoice.items.flatMap((item): readonly InvoiceItem[] => {
      const asked = itemAdjustments.filter(({ invoiceItemId }) => invoiceItemId === item.itemId);
      if (!adjustable.has(item.type) || (asked.length === 0 && unnamed <= 0)) return [];
      const left = leftOf(item, taken);
      const wanted = asked.length === 0 ? unnamed : asked.reduce((sum, one) => sum + (one.amountMinor ?? left), 0);
      const amountMinor = Math.min(left, wanted);
      if (amountMinor <= 0) return [];
      if (asked.length === 0) unnamed -= amountMinor;
      const itemId = derivedId('refund-adjustment', transactionId, item.itemId);
      return [{ ...adjustmentOf(item, amountMinor, words), itemId }];
    });
    if (items.length === 0) return [];
    const { accountId } = state.account;
    return inParts({ accountId, invoiceId, items, transactionId }, (data) => ({ type: 'InvoiceAdjusted', data }));
  };
