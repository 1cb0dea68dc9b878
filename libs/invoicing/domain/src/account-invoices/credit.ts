import { type LocalDate, derivedId } from '@billstream/kernel';
import type { CreditItem } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { balanceOf } from './invoice-totals';

/** Credit moves neither to nor from an invoice whose payment is under way: it may be paid in the next moment. */
const isBeingPaid = (state: AccountInvoices, invoiceId: string): boolean =>
  Object.values(state.transactions).some(
    (transaction) =>
      transaction.invoiceId === invoiceId && (transaction.status === 'PENDING' || transaction.status === 'UNKNOWN'),
  );

const byAge = (a: readonly [string, { readonly invoiceDate: LocalDate }], b: typeof a): number =>
  a[1].invoiceDate < b[1].invoiceDate ? -1 : a[1].invoiceDate > b[1].invoiceDate ? 1 : 0;

/**
 * Kill Bill's CBA rules over invoices that are committed: one paid too much turns the excess into credit; credit pays
 * what is due, the oldest invoice first, and never more than there is (2.11).
 */
export const creditMoves = (state: AccountInvoices, accountId: string, date: LocalDate): readonly CreditItem[] => {
  const free = Object.entries(state.invoices)
    .filter(([id, totals]) => balanceOf(totals) !== 0 && !isBeingPaid(state, id))
    .sort(byAge);
  const made = free
    .filter(([, totals]) => balanceOf(totals) < 0)
    .map(([invoiceId, totals]) => ({ invoiceId, amountMinor: -balanceOf(totals) }));
  let left = made.reduce((total, { amountMinor }) => total + amountMinor, state.creditMinor);
  const used = free.flatMap(([invoiceId, totals]) => {
    const amountMinor = Math.min(left, balanceOf(totals));
    if (amountMinor <= 0) return [];
    left -= amountMinor;
    return [{ invoiceId, amountMinor: -amountMinor }];
  });
  return [...made, ...used].map((move, index) => ({
    ...move,
    date,
    itemId: derivedId('credit-item', accountId, String(state.creditItems + index)),
  }));
};

/** What a new invoice makes of the account's credit: positive is credit it makes, negative is credit it uses. */
export const creditOfNewInvoice = (chargedMinor: number, creditMinor: number): number => {
  const amount = chargedMinor < 0 ? -chargedMinor : -Math.min(chargedMinor, creditMinor);
  return amount === 0 ? 0 : amount;
};

/** Sum of the invoices' balances less credit; negative when there is more credit than debt (Kill Bill 2.13). */
export const accountBalance = (state: AccountInvoices): number =>
  Object.values(state.invoices).reduce((total, totals) => total + balanceOf(totals), 0) - state.creditMinor;
