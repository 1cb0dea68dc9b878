import { type Decision, accept, reject } from '@billstream/event-sourcing';
import type { AccountInvoicesEvent } from '../account-invoices.events';
import { type AccountInvoices } from '../account-invoices.state';
import type { InvoiceTotals } from '../invoice-totals';
import type { AccountInvoicesRejection } from '../rejections';
import { settleCredit } from '../settle-credit';
import { sumUpVoided } from './record-child-invoice';
import { type Given, inSequence, occasionOf } from '../steps';
import { entriesOf, entryOf } from '../book';
import { isBeingPaid } from '../credit';

/**
 * Takes an invoice out of the books: what it charged may be charged again (Kill Bill 2.12). What it summed up of children
 * is on a new draft at once, because no run would find it.
 */
export type VoidInvoice = Given & { readonly type: 'VoidInvoice'; readonly invoiceId: string };

/** Money came for it, from the account itself or from the parent that pays for it, or may come at any moment. */
const isPaid = (state: AccountInvoices, invoiceId: string, { paidMinor, settledMinor }: InvoiceTotals): boolean =>
  paidMinor !== 0 || settledMinor !== 0 || isBeingPaid(state, invoiceId);

/** Whether another invoice takes back some of this one: it would take back what was never charged. */
const isRepaired = (state: AccountInvoices, invoiceId: string, { items }: InvoiceTotals): boolean => {
  const ids = new Set(items.map(({ itemId }) => itemId));
  return entriesOf(state.invoices).some(
    ([id, other]) =>
      id !== invoiceId &&
      other.status !== 'VOID' &&
      other.items.some(
        ({ type, linkedItemId }) => type === 'REPAIR_ADJ' && linkedItemId !== null && ids.has(linkedItemId),
      ),
  );
};

export const voidInvoice = (
  state: AccountInvoices,
  command: VoidInvoice,
): Decision<AccountInvoicesEvent, AccountInvoicesRejection> => {
  const { invoiceId } = command;
  const { account } = state;
  const invoice = entryOf(state.invoices, invoiceId);
  if (account === null || invoice === undefined) return reject({ code: 'invoice-unknown', invoiceId });
  if (invoice.status === 'VOID') return reject({ code: 'invoice-voided', invoiceId });
  if (isPaid(state, invoiceId, invoice)) return reject({ code: 'invoice-paid', invoiceId });
  if (isRepaired(state, invoiceId, invoice)) return reject({ code: 'invoice-repaired', invoiceId });
  if (invoice.creditMinor > state.creditMinor) return reject({ code: 'credit-used', invoiceId });
  const occasion = occasionOf(command);
  return accept(
    ...inSequence(state, [
      () => [{ type: 'InvoiceVoided', data: { accountId: account.accountId, invoiceId } }],
      settleCredit([invoiceId], occasion),
      sumUpVoided(invoiceId, occasion),
    ]),
  );
};
