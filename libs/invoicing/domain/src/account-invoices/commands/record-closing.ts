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

/** What one decision adjusts of all that is unpaid, the oldest invoices first. */
const nextAdjusted = (
  state: AccountInvoices,
  { closingId, date }: { readonly closingId: string; readonly date: LocalDate },
): readonly Adjusted[] => {
  // What is adjusted on one of them takes nothing back of another.
  const taken = takenBack(state.invoices);
  const adjusted: Adjusted[] = [];
  let count = 0;
  for (const [invoiceId, invoice] of owingInvoices(state)) {
    if (invoice.status !== 'COMMITTED' || balanceOf(invoice) <= 0) continue;
    const items = adjustmentsOf(invoice, taken, { closingId, date });
    if (count > 0 && count + items.length > itemsAtOnce) return adjusted;
    if (items.length > 0) adjusted.push({ invoiceId, items });
    count += items.length;
  }
  return adjusted;
};

/** Where more is unpaid than fits into one decision, the same command goes on until it finds nothing. */
export const recordClosing = (state: AccountInvoices, command: RecordClosing): readonly AccountInvoicesEvent[] => {
  const { account } = state;
  if (account === null) return [];
  const occasion = occasionOf(command);
  const { accountId } = account;
  const adjusted = nextAdjusted(state, { closingId: command.closingId, date: todayOf(account, occasion) });
  if (adjusted.length === 0) return [];
  const steps = adjusted.map(
    ({ invoiceId, items }): Step =>
      () =>
        inParts({ accountId, invoiceId, items }, (data) => ({ type: 'InvoiceAdjusted', data })),
  );
  const touched = adjusted.map(({ invoiceId }) => invoiceId);
  return inSequence(state, [...steps, settleCredit(touched, occasion)]);
};
