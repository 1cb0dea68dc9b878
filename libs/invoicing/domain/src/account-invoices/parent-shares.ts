import type { ChildPart, ChildShare } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { entryOf, valuesIn } from './book';
import type { RecordChildBalances } from './commands/record-child-balances';
import { coveredBy, partsOf } from './commands/record-child-invoice';
import type { Covered } from './commands/record-parent-payment';
import { balanceOf, withoutParentOf } from './invoice-totals';

/** Where a child's invoice grew after it was charged, several of the parent's stand for it, each paid or not. */
const paidMinorOf = ({ invoices }: AccountInvoices, share: ChildShare): number => {
  const isPaid = ({ invoiceId }: ChildPart): boolean => {
    const invoice = entryOf(invoices, invoiceId);
    return invoice?.status === 'COMMITTED' && balanceOf(invoice) <= 0;
  };
  return partsOf(share)
    .filter(isPaid)
    .reduce((sum, { coveredMinor }) => sum + coveredMinor, 0);
};

/** What a parent has paid for its children, of all that one of its invoices has a part in; by the children's accounts. */
export const paidForChildren = (
  parent: AccountInvoices,
  invoiceId: string,
): ReadonlyMap<string, readonly Covered[]> => {
  const { children, invoices } = parent;
  const status = entryOf(invoices, invoiceId)?.status;
  const paid = new Map<string, readonly Covered[]>();
  if (status === undefined || status === 'DRAFT') return paid;
  // Credit may have paid the one that was voided: what it summed up is on a draft by now, which nobody has paid.
  const isOf = (share: ChildShare): boolean =>
    (status === 'VOID' && entryOf(invoices, share.invoiceId)?.status === 'DRAFT') ||
    partsOf(share).some((part) => part.invoiceId === invoiceId);
  for (const share of valuesIn(children).filter(isOf)) {
    const covered = { invoiceId: share.childInvoiceId, coveredMinor: paidMinorOf(parent, share) };
    paid.set(share.childAccountId, [...(paid.get(share.childAccountId) ?? []), covered]);
  }
  return paid;
};

/** Whether something is owed of an invoice that was paid, in part at least, as after a refund. */
export const isOwedAgain = ({ invoices }: AccountInvoices, invoiceId: string): boolean => {
  const invoice = entryOf(invoices, invoiceId);
  if (invoice?.status !== 'COMMITTED' || balanceOf(invoice) <= 0) return false;
  return invoice.purchasedMinor > 0 || invoice.items.some(({ type }) => type === 'CBA_ADJ');
};

/**
 * Invoices of a child that ask for less than an invoice of the parent's that is owed again charges for them: what was paid
 * of it could not be lowered when the child said so.
 */
export const chargedTooMuch = (
  parent: AccountInvoices,
  invoiceId: string,
  child: AccountInvoices,
): RecordChildBalances['invoices'] =>
  valuesIn(parent.children).flatMap((share) => {
    const totals = entryOf(child.invoices, share.childInvoiceId);
    if (totals === undefined || !partsOf(share).some((part) => part.invoiceId === invoiceId)) return [];
    const dueMinor = withoutParentOf(totals);
    return dueMinor < coveredBy(share) ? [{ invoiceId: share.childInvoiceId, dueMinor }] : [];
  });
