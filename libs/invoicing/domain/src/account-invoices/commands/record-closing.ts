import { derivedId } from '@billstream/kernel';
import type { AccountInvoicesEvent, InvoiceItem } from '../account-invoices.events';
import type { AccountInvoices } from '../account-invoices.state';
import { balanceOf, leftOf, takenBack } from '../invoice-totals';
import { settleCredit } from '../settle-credit';
import { type Given, type Step, inSequence, occasionOf, todayOf } from '../steps';
import { adjustable, adjustmentOf } from './adjust-item';
import { entryOf } from '../book';
import { owingInvoices } from '../credit';

/** The account was closed, and what is unpaid is taken back item by item (Kill Bill's closeAccount). `closingId` names it. */
export type RecordClosing = Given & { readonly type: 'RecordClosing'; readonly closingId: string };

/** All that is left of an unpaid invoice's items. What was paid of them becomes credit. */
const adjusted =
  (invoiceId: string, taken: ReturnType<typeof takenBack>, { closingId, now }: RecordClosing): Step =>
  (state) => {
    const { account, invoices } = state;
    const invoice = entryOf(invoices, invoiceId);
    if (account === null || invoice === undefined) return [];
    const date = todayOf(account, occasionOf({ now }));
    const items = invoice.items.flatMap((item): readonly InvoiceItem[] => {
      const leftMinor = adjustable.has(item.type) ? leftOf(item, taken) : 0;
      if (leftMinor <= 0) return [];
      const itemId = derivedId('closing-adjustment', closingId, item.itemId);
      return [{ ...adjustmentOf(item, leftMinor, { date, description: null, itemDetails: null }), itemId }];
    });
    if (items.length === 0) return [];
    return [{ type: 'InvoiceAdjusted', data: { accountId: account.accountId, invoiceId, items } }];
  };

export const recordClosing = (state: AccountInvoices, command: RecordClosing): readonly AccountInvoicesEvent[] => {
  const unpaid = owingInvoices(state)
    .filter(([, invoice]) => invoice.status === 'COMMITTED' && balanceOf(invoice) > 0)
    .map(([invoiceId]) => invoiceId);
  if (unpaid.length === 0) return [];
  // What is adjusted on one of them takes nothing back of another.
  const taken = takenBack(state.invoices);
  const steps = unpaid.map((invoiceId) => adjusted(invoiceId, taken, command));
  return inSequence(state, [...steps, settleCredit(unpaid, occasionOf(command))]);
};
