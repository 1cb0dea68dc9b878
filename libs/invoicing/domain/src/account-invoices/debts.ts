import type { Debts } from '../overdue/overdue-state-of';
import type { AccountInvoices } from './account-invoices.state';
import { owingInvoices } from './credit';
import { balanceOf } from './invoice-totals';

/** What an account owes, invoice by invoice, for whoever asks whether it is late. */
export const debtsOf = (state: AccountInvoices): Debts => ({
  payerAccountId: state.account?.accountId ?? '',
  currency: state.account?.currency ?? null,
  unpaid: owingInvoices(state)
    .map(([invoiceId, totals]) => ({
      invoiceId,
      invoiceDate: totals.invoiceDate,
      targetDate: totals.targetDate,
      balanceMinor: balanceOf(totals),
    }))
    .filter(({ balanceMinor }) => balanceMinor > 0),
});
