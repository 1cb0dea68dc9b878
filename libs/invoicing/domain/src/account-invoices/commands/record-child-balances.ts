import type { AccountInvoicesEvent, ChildPart, ChildShare } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { itemIdOf } from '../generate';
import { balanceOf, leftOf, takenBack } from '../invoice-totals';
import { settleCredit } from '../settle-credit';
import { type Given, type Occasion, type Step, inSequence, occasionOf, todayOf } from '../steps';
import { adjustmentOf } from './adjust-item';
import { changeDraft, coveredBy, partsOf, sumUpMore } from './record-child-invoice';
import { entryOf } from '../book';

/** What invoices of a child ask for now, whether this account has paid for them or not. Minor units. */
export type RecordChildBalances = Given & {
  readonly type: 'RecordChildBalances';
  readonly invoices: readonly { readonly invoiceId: string; readonly dueMinor: number }[];
};

/** Takes from what one invoice charges, by no more than is left of its item there: a draft changes, what is owed is adjusted. */
const lowerPart =
  (childInvoiceId: string, part: ChildPart, dueMinor: number, occasion: Occasion): Step =>
  (state) => {
    const share = entryOf(state.children, childInvoiceId);
    const invoice = entryOf(state.invoices, part.invoiceId);
    const item = invoice?.items.find(({ itemId }) => itemId === part.itemId);
    if (share === undefined || state.account === null || invoice === undefined || item === undefined) return [];
    const tooMuchMinor = Math.min(coveredBy(share) - dueMinor, part.coveredMinor);
    if (tooMuchMinor <= 0) return [];
    if (invoice.status === 'DRAFT') return changeDraft(share, part.coveredMinor - tooMuchMinor)(state);
    if (invoice.status === 'VOID') return [];
    const lessMinor = Math.min(tooMuchMinor, leftOf(item, takenBack(state.invoices)), balanceOf(invoice));
    if (lessMinor <= 0) return [];
    const { accountId } = state.account;
    const { invoiceId } = part;
    const words = { date: todayOf(state.account, occasion), description: null, itemDetails: null };
    const adjustment = { ...adjustmentOf(item, lessMinor, words), itemId: itemIdOf(invoiceId, invoice.items.length) };
    const last = entryOf(state.invoices, share.invoiceId)?.items.find(({ itemId }) => itemId === share.itemId);
    const less = { ...part, coveredMinor: part.coveredMinor - lessMinor };
    const after = withPart(share, less, last?.amountMinor ?? share.itemAmountMinor);
    return inSequence(state, [
      (): readonly AccountInvoicesEvent[] => [
        { type: 'InvoiceAdjusted', data: { accountId, invoiceId, items: [adjustment] } },
        { type: 'ChildInvoiceSummed', data: after },
      ],
      settleCredit([invoiceId], occasion),
    ]);
  };

const withPart = (share: ChildShare, part: ChildPart, itemAmountMinor: number): ChildShare =>
  part.invoiceId === share.invoiceId
    ? { ...share, coveredMinor: part.coveredMinor, itemAmountMinor }
    : {
        ...share,
        itemAmountMinor,
        earlier: (share.earlier ?? []).map((one) => (one.invoiceId === part.invoiceId ? part : one)),
      };

/**
 * A child's credits, repairs and adjustments change what its parent is charged as long as it has not paid: a draft changes,
 * an invoice is adjusted. What the parent has paid for stays, and the child keeps its credit (Kill Bill 2.14). What a child
 * owes again or more of since its parent was charged is on the parent's next draft.
 */
const follow =
  (childInvoiceId: string, dueMinor: number, command: RecordChildBalances): Step =>
  (state) => {
    const share = entryOf(state.children, childInvoiceId);
    const last = share === undefined ? undefined : entryOf(state.invoices, share.invoiceId);
    if (share === undefined || last === undefined) return [];
    const occasion = occasionOf(command);
    const isVoid = last.status === 'VOID';
    const standing = isVoid ? { ...share, coveredMinor: 0 } : share;
    const moreMinor = dueMinor - coveredBy(standing);
    if (moreMinor > 0) {
      if (last.status === 'DRAFT') return changeDraft(share, share.coveredMinor + moreMinor)(state);
      const earlier = isVoid ? (share.earlier ?? []) : partsOf(share);
      return sumUpMore(share, { dueMinor: moreMinor, earlier }, occasion)(state);
    }
    const lowered = [...partsOf(share)].reverse().map((part) => lowerPart(childInvoiceId, part, dueMinor, occasion));
    return moreMinor < 0 ? inSequence(state, lowered) : [];
  };

export const recordChildBalances = (
  state: AccountInvoices,
  command: RecordChildBalances,
): readonly AccountInvoicesEvent[] =>
  inSequence(
    state,
    command.invoices.map(({ invoiceId, dueMinor }) => follow(invoiceId, dueMinor, command)),
  );
