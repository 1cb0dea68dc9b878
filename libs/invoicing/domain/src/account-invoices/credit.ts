import { type LocalDate, derivedId } from '@billstream/kernel';
import type { CreditItem } from './account-invoices.events';
import type { AccountInvoices } from './account-invoices.state';
import { entryOf } from './book';
import { idsByPlace, isNowhere } from './places';
import { type InvoiceTotals, balanceOf } from './invoice-totals';

/** Credit moves neither to nor from an invoice whose payment is under way: it may be paid in the next moment. */
export const isBeingPaid = ({ paying }: AccountInvoices, invoiceId: string): boolean =>
  Object.values(paying).includes(invoiceId);

/** The invoices with a balance, in the order in which they were made. */
export const owingInvoices = ({ owing, invoices }: AccountInvoices): readonly (readonly [string, InvoiceTotals])[] =>
  idsByPlace(owing).flatMap((invoiceId) => {
    const totals = entryOf(invoices, invoiceId);
    return totals === undefined ? [] : [[invoiceId, totals] as const];
  });

const byAge = (a: readonly [string, { readonly invoiceDate: LocalDate }], b: typeof a): number =>
  a[1].invoiceDate < b[1].invoiceDate ? -1 : a[1].invoiceDate > b[1].invoiceDate ? 1 : 0;

/** So many invoices one decision moves credit between: they fit into its events, and into what a parent makes of them. */
export const creditMovesMax = 250;

/**
 * Kill Bill's CBA rules over invoices that are committed: one paid too much turns the excess into credit; credit pays
 * what is due, the oldest invoice first, and never more than there is (2.11). Where there is more to move than fits, the
 * rest is for the next decision.
 */
export const creditMoves = (state: AccountInvoices, accountId: string, date: LocalDate): readonly CreditItem[] => {
  // Most decisions move nothing, whatever is owed: there has to be credit, or too much of a payment to make some of.
  if (state.creditMinor === 0 && isNowhere(state.overpaid)) return [];
  const beingPaid = new Set(Object.values(state.paying));
  const free = owingInvoices(state)
    .filter(([id]) => !beingPaid.has(id))
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
  return [...made, ...used].slice(0, creditMovesMax).map((move, index) => ({
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
export const accountBalance = ({ owedMinor, creditMinor }: AccountInvoices): number => owedMinor - creditMinor;
