import type { Debts } from '../overdue/overdue-state-of';
import type { AccountInvoices } from './account-invoices.state';
import { balanceOf } from './invoice-totals';

/** What an account owes, invoice by invoice, for whoever asks whether it is late. */
export const debtsOf = ({ account, invoices }: AccountInvoices): Debts => ({
  payerAccountId: account?.accountId ?? '',
  currency: account?.currency ?? null,
  unpaid: Object.entries(invoices)
    .map(([invoiceId, totals]) => ({
      invoiceId,
      invoiceDate: totals.invoiceDate,
      targetDate: totals.targetDate,
      balanceMinor: balanceOf(totals),
    }))
    .filter(({ balanceMinor }) => balanceMinor > 0),
});
