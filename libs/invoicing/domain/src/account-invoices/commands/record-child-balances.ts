import type { AccountInvoicesEvent, ChildShare } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { itemIdOf } from '../generate';
import { balanceOf, leftOf, takenBack } from '../invoice-totals';
import { settleCredit } from '../settle-credit';
import { type Given, type Occasion, type Step, inSequence, occasionOf, todayOf } from '../steps';
import { adjustmentOf } from './adjust-item';
import { sumUpAgain } from './record-child-invoice';
import { entryOf } from '../book';

/** What invoices of a child ask for now, whether this account has paid for them or not. Minor units. */
export type RecordChildBalances = Given & {
  readonly type: 'RecordChildBalances';
  readonly invoices: readonly { readonly invoiceId: string; readonly dueMinor: number }[];
};

/** A draft just stands for another amount. */
const changeDraft =
  (share: ChildShare, dueMinor: number): Step =>
  (state) => {
    const item = entryOf(state.invoices, share.invoiceId)?.items.find(({ itemId }) => itemId === share.itemId);
    if (item === undefined) return [];
    const itemAmountMinor = item.amountMinor + dueMinor - share.coveredMinor;
    return [{ type: 'ChildInvoiceSummed', data: { ...share, coveredMinor: dueMinor, itemAmountMinor } }];
  };

/** An invoice that is owed is adjusted, by no more than is left of the item. */
const adjust =
  (share: ChildShare, dueMinor: number, occasion: Occasion): Step =>
  (state) => {
    const invoice = entryOf(state.invoices, share.invoiceId);
    const item = invoice?.items.find(({ itemId }) => itemId === share.itemId);
    if (state.account === null || invoice === undefined || item === undefined) return [];
    const { accountId } = state.account;
    const { invoiceId } = share;
    const lessMinor = Math.min(
      share.coveredMinor - dueMinor,
      leftOf(item, takenBack(state.invoices)),
      balanceOf(invoice),
    );
    if (lessMinor <= 0) return [];
    const words = { date: todayOf(state.account, occasion), description: null, itemDetails: null };
    const adjustment = { ...adjustmentOf(item, lessMinor, words), itemId: itemIdOf(invoiceId, invoice.items.length) };
    const after = { ...share, coveredMinor: share.coveredMinor - lessMinor, itemAmountMinor: item.amountMinor };
    return inSequence(state, [
      (): readonly AccountInvoicesEvent[] => [
        { type: 'InvoiceAdjusted', data: { accountId, invoiceId, items: [adjustment] } },
        { type: 'ChildInvoiceSummed', data: after },
      ],
      settleCredit([invoiceId], occasion),
    ]);
  };

/**
 * A child's credits, repairs and adjustments change what its parent is charged as long as it has not paid: a draft changes,
 * an invoice is adjusted. What the parent has paid for stays, and the child keeps its credit (Kill Bill 2.14).
 */
const follow =
  (childInvoiceId: string, dueMinor: number, command: RecordChildBalances): Step =>
  (state) => {
    const share = entryOf(state.children, childInvoiceId);
    const invoice = share === undefined ? undefined : entryOf(state.invoices, share.invoiceId);
    if (share === undefined || invoice === undefined) return [];
    if (share.coveredMinor === dueMinor && invoice.status !== 'VOID') return [];
    if (invoice.status === 'DRAFT') return changeDraft(share, dueMinor)(state);
    if (invoice.status === 'VOID') return sumUpAgain(share, dueMinor, occasionOf(command))(state);
    const mayChange = balanceOf(invoice) > 0 && dueMinor < share.coveredMinor;
    return mayChange ? adjust(share, dueMinor, occasionOf(command))(state) : [];
  };

export const recordChildBalances = (
  state: AccountInvoices,
  command: RecordChildBalances,
): readonly AccountInvoicesEvent[] =>
  inSequence(
    state,
    command.invoices.map(({ invoiceId, dueMinor }) => follow(invoiceId, dueMinor, command)),
  );
