import { type LocalDate, derivedId } from '@billstream/kernel';
import type { AccountInvoicesEvent, InvoiceItem } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { type InvoiceTotals, balanceOf, leftOf, takenBack } from '../invoice-totals';
import { inParts } from '../large-invoices';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, inSequence, occasionOf, todayOf } from '../steps';
import { adjustable, adjustmentOf } from './adjust-item';
import { owingInvoices } from '../credit';

/** The account was closed, and what is unpaid is taken back item by item (Kill Bill's closeAccount). `closingId` names it. */
export type RecordClosing = Given & { readonly type: 'RecordClosing'; readonly closingId: string };

/** Takes back all that is left of an unpaid invoice's items. What was paid of them becomes credit. */
const adjustmentsOf = (
  invoice: InvoiceTotals,
  taken: ReturnType<typeof takenBack>,
  { closingId, date }: { readonly closingId: string; readonly date: LocalDate },
): readonly InvoiceItem[] =>
  invoice.items.flatMap((item): readonly InvoiceItem[] => {
    const leftMinor = adjustable.has(item.type) ? leftOf(item, taken) : 0;
    if (leftMinor <= 0) return [];
    const itemId = derivedId('closing-adjustment', closingId, item.itemId);
    return [{ ...adjustmentOf(item, leftMinor, { date, description: null, itemDetails: null }), itemId }];
  });

/** So many items are adjusted at once, or those of one invoice where it has more: their events fit into one append. */
const itemsAtOnce = 200;

type Adjusted = { readonly invoiceId: string; readonly items: readonly InvoiceItem[] };

/** What one decision adjusts of all that is unpaid, the oldest invoices first; `isAll`: nothing is left after it. */
const nextAdjusted = (
  state: AccountInvoices,
  { closingId, date }: { readonly closingId: string; readonly date: LocalDate },
): { readonly adjusted: readonly Adjusted[]; readonly isAll: boolean } => {
  // What is adjusted on one of them takes nothing back of another.
  const taken = takenBack(state.invoices);
  const adjusted: Adjusted[] = [];
  let count = 0;
  for (const [invoiceId, invoice] of owingInvoices(state)) {
    if (invoice.status !== 'COMMITTED' || balanceOf(invoice) <= 0) continue;
    const items = adjustmentsOf(invoice, taken, { closingId, date });
    if (count > 0 && count + items.length > itemsAtOnce) return { adjusted, isAll: false };
    if (items.length > 0) adjusted.push({ invoiceId, items });
    count += items.length;
  }
  return { adjusted, isAll: true };
};

/**
 * Where more is unpaid than fits into one decision, the same command goes on. The last one says that it is done: a closing
 * that is heard of once more adjusts nothing that was invoiced since.
 */
export const recordClosing = (state: AccountInvoices, command: RecordClosing): readonly AccountInvoicesEvent[] => {
  const { account } = state;
  const { closingId } = command;
  if (account === null || state.closings.includes(closingId)) return [];
  const occasion = occasionOf(command);
  const { accountId } = account;
  const { adjusted, isAll } = nextAdjusted(state, { closingId, date: todayOf(account, occasion) });
  const steps = adjusted.map(
    ({ invoiceId, items }): Step =>
      () =>
        inParts({ accountId, invoiceId, items }, (data) => ({ type: 'InvoiceAdjusted', data })),
  );
  const touched = adjusted.map(({ invoiceId }) => invoiceId);
  const end: readonly Step[] = isAll ? [() => [{ type: 'ClosingAdjusted', data: { accountId, closingId } }]] : [];
  return inSequence(state, [...steps, ...(touched.length === 0 ? [] : [settleCredit(touched, occasion)]), ...end]);
};
