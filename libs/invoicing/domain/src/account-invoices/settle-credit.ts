import type { AccountInvoicesEvent, InvoiceBalance } from './account-invoices.events';
import { evolve } from './account-invoices.state';
import { accountBalance, creditMoves } from './credit';
import { type InvoiceTotals, balanceOf, withoutParentOf } from './invoice-totals';
import { type Occasion, type Step, billable, payerOf, todayOf } from './steps';
import { entryOf } from './book';

/** What becomes of children's invoices is told along: those of a parent are settled with it, a child's change what it pays. */
const balanceAfter = (invoiceId: string, totals: InvoiceTotals, payerAccountId: string | undefined): InvoiceBalance => {
  const { isParentInvoice, parentAccountId } = totals;
  return {
    invoiceId,
    balanceMinor: balanceOf(totals),
    purchasedMinor: totals.purchasedMinor,
    ...(isParentInvoice ? { isParentInvoice: true } : {}),
    ...(parentAccountId === null ? {} : { withoutParentMinor: withoutParentOf(totals) }),
    ...(parentAccountId === null || parentAccountId === payerAccountId ? {} : { parentAccountId }),
  };
};

/**
 * Lets credit be made and used where it can, and says what everything touched stands at afterwards. `made`: the draft that
 * the same decision made an invoice of.
 */
export const settleCredit =
  (touched: readonly string[], occasion: Occasion, made: { readonly newInvoiceId?: string } = {}): Step =>
  (state) => {
    const known = billable(state);
    if (known === null) return [];
    const { account, currency } = known;
    const { accountId } = account;
    const items = creditMoves(state, accountId, todayOf(account, occasion));
    const applied: readonly AccountInvoicesEvent[] =
      items.length === 0 ? [] : [{ type: 'CreditApplied', data: { accountId, currency, items, ...made } }];
    const after = applied.reduce(evolve, state);
    const ids = new Set([...touched, ...items.map(({ invoiceId }) => invoiceId)]);
    const payer = payerOf(account);
    const invoices = [...ids].flatMap((invoiceId) => {
      const totals = entryOf(after.invoices, invoiceId);
      return totals === undefined ? [] : [balanceAfter(invoiceId, totals, payer.parentAccountId)];
    });
    if (invoices.length === 0) return [];
    const accountBalanceMinor = accountBalance(after);
    const accountCreditMinor = after.creditMinor;
    return [
      ...applied,
      {
        type: 'BalanceChanged',
        data: { accountId, currency, accountBalanceMinor, accountCreditMinor, invoices, ...payer },
      },
    ];
  };
