import type { Currency } from '@billstream/kernel';
import type { AccountInvoicesEvent, ChildPart, ChildShare } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { creditInvoiceItem } from '../credit-item';
import { type NewItem, itemIdOf } from '../generate';
import { draftInvoice, extendDraft } from '../make-invoice';
import { type Given, type Occasion, type Step, billable, inSequence, occasionOf, todayOf } from '../steps';
import { entryOf, valuesIn } from '../book';
import { idsByPlace } from '../places';

/** An invoice of a child, as its parent is to be charged for it. Minor units. */
export type ChildInvoice = {
  readonly childAccountId: string;
  readonly childExternalKey: string;
  readonly childInvoiceId: string;
  readonly currency: Currency;
  readonly dueMinor: number;
  /** An invoice of nothing is summed up only when it charges a subscription (Kill Bill leaves out credit alone). */
  readonly hasCharges: boolean;
};

/** An invoice of a child whose payments are this account's became owed. */
export type RecordChildInvoice = Given & { readonly type: 'RecordChildInvoice'; readonly child: ChildInvoice };

/** The draft that gathers the children's invoices of the day; committing it ends that (Kill Bill 2.14). */
export const openParentDraft = ({ drafts, invoices }: AccountInvoices): string | null =>
  idsByPlace(drafts).findLast((invoiceId) => entryOf(invoices, invoiceId)?.isParentInvoice) ?? null;

/** A child's invoice, or what is left of it, to be taken into a draft. `earlier`: where the rest of it is charged. */
type Child = Pick<ChildInvoice, 'childAccountId' | 'childExternalKey' | 'childInvoiceId' | 'dueMinor'> & {
  readonly earlier?: readonly ChildPart[];
};

const summaryOf = ({ childAccountId, childExternalKey, dueMinor }: Child, item: NewItem): NewItem => ({
  ...item,
  type: 'PARENT_SUMMARY',
  amountMinor: dueMinor,
  endDate: null,
  childAccountId,
  description: `${childExternalKey} summary`,
});

/** The item of a draft that sums a child up, with what it stands for. */
const summaryIn = (
  state: AccountInvoices,
  invoiceId: string,
  childAccountId: string,
): { readonly itemId: string; readonly amountMinor: number } | null => {
  const share = valuesIn(state.children).find(
    (one) => one.invoiceId === invoiceId && one.childAccountId === childAccountId,
  );
  const item = entryOf(state.invoices, invoiceId)?.items.find(({ itemId }) => itemId === share?.itemId);
  return item ?? null;
};

const shared = (
  accountId: string,
  { childAccountId, childExternalKey, childInvoiceId, dueMinor, earlier = [] }: Child,
  to: Pick<ChildShare, 'invoiceId' | 'itemId' | 'itemAmountMinor'>,
): AccountInvoicesEvent => ({
  type: 'ChildInvoiceSummed',
  data: {
    ...{ accountId, childAccountId, childExternalKey, childInvoiceId, coveredMinor: dueMinor, ...to },
    ...(earlier.length === 0 ? {} : { earlier }),
  },
});

/** Adds the child's invoice to its item on the draft, or makes the item, or the draft. */
export const sumUp =
  (child: Child, occasion: Occasion): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    const { accountId } = known.account;
    const today = todayOf(known.account, occasion);
    const draftId = openParentDraft(state);
    const summary = draftId === null ? null : summaryIn(state, draftId, child.childAccountId);
    if (draftId !== null && summary !== null) {
      const itemAmountMinor = summary.amountMinor + child.dueMinor;
      return [shared(accountId, child, { invoiceId: draftId, itemId: summary.itemId, itemAmountMinor })];
    }
    const items = [summaryOf(child, creditInvoiceItem(0, today))];
    return inSequence(state, [
      draftId === null
        ? draftInvoice(items, { targetDate: today, today }, { isParentInvoice: true })
        : extendDraft(draftId, items, null),
      (after) => {
        const invoiceId = openParentDraft(after);
        const invoice = invoiceId === null ? undefined : entryOf(after.invoices, invoiceId);
        if (invoiceId === null || invoice === undefined) return [];
        const itemId = itemIdOf(invoiceId, invoice.items.length - 1);
        return [shared(accountId, child, { invoiceId, itemId, itemAmountMinor: child.dueMinor })];
      },
    ]);
  };

export const recordChildInvoice = (
  state: AccountInvoices,
  command: RecordChildInvoice,
): readonly AccountInvoicesEvent[] => {
  const { child } = command;
  const isNew = entryOf(state.children, child.childInvoiceId) === undefined;
  // Nothing is converted: what is owed in another currency stays with the child.
  const isAddable = child.currency === state.account?.currency && (child.dueMinor > 0 || child.hasCharges);
  return isNew && isAddable ? sumUp(child, occasionOf(command))(state) : [];
};

/** All that the parent is charged for the child's invoice, the invoices that it was charged on first in front. */
export const partsOf = ({ earlier = [], invoiceId, itemId, coveredMinor }: ChildShare): readonly ChildPart[] => [
  ...earlier,
  { invoiceId, itemId, coveredMinor },
];

export const coveredBy = (share: ChildShare): number =>
  partsOf(share).reduce((sum, { coveredMinor }) => sum + coveredMinor, 0);

/** More of a child's invoice than these parts stand for, or what one of them stood for that was voided. */
export const sumUpMore = (
  share: ChildShare,
  { dueMinor, earlier }: { readonly dueMinor: number; readonly earlier: readonly ChildPart[] },
  occasion: Occasion,
): Step =>
  dueMinor > 0
    ? sumUp({ ...share, childExternalKey: share.childExternalKey ?? share.childAccountId, dueMinor, earlier }, occasion)
    : () => [];

/** A draft stands for another amount of the child's invoice. */
export const changeDraft =
  (share: ChildShare, coveredMinor: number): Step =>
  (state) => {
    const item = entryOf(state.invoices, share.invoiceId)?.items.find(({ itemId }) => itemId === share.itemId);
    if (item === undefined) return [];
    const itemAmountMinor = item.amountMinor + coveredMinor - share.coveredMinor;
    return [{ type: 'ChildInvoiceSummed', data: { ...share, coveredMinor, itemAmountMinor } }];
  };

/** What a voided invoice charged for children is for another one to charge: for the open draft, or a new one. */
export const sumUpVoided =
  (invoiceId: string, occasion: Occasion): Step =>
  (state) =>
    inSequence(
      state,
      valuesIn(state.children).map((share) => {
        const parts = partsOf(share);
        const voided = parts.find((part) => part.invoiceId === invoiceId);
        if (voided === undefined) return () => [];
        const earlier = parts.filter((part) => part !== voided);
        const isLast = share.invoiceId === invoiceId;
        if (isLast || entryOf(state.invoices, share.invoiceId)?.status !== 'DRAFT')
          return sumUpMore(share, { dueMinor: voided.coveredMinor, earlier }, occasion);
        return changeDraft({ ...share, earlier: earlier.slice(0, -1) }, share.coveredMinor + voided.coveredMinor);
      }),
    );
