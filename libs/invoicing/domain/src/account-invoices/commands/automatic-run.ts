import { type Instant, type LocalDate, localDateOf } from '@billstream/kernel';
import type { InvoiceRun, RecordedAccount } from '../account-invoices.events';
import { type AccountInvoices, isSwitchedOff } from '../account-invoices.state';
import { accountTimeOf } from '../billing-events';
import { invoiceRun, scheduleNext } from '../invoice-run';
import type { Occasion, Step } from '../steps';

export const runOn = (account: RecordedAccount, at: Instant, targetDate: LocalDate | null = null): InvoiceRun => ({
  at,
  targetDate: targetDate ?? localDateOf(at, accountTimeOf(account)),
});

/** Nothing runs by itself while the account is parked or its automatic invoicing is switched off. */
export const runsByItself = (state: AccountInvoices): boolean => state.parked === null && !isSwitchedOff(state);

/** A run that nobody asked for, of now or of an instant before. */
export const automaticRun =
  (occasion: Occasion, at: Instant = occasion.now): Step =>
  (state) =>
    state.account === null || !runsByItself(state) ? [] : invoiceRun(runOn(state.account, at), occasion)(state);

/**
 * A run for what came about at an instant, which may lie in the past: it charges up to there, and those that would have
 * followed fall due at once, each with an invoice of its own (Kill Bill 2.12). Time that was run through is not again.
 */
export const runSince =
  (occasion: Occasion, from: Instant): Step =>
  (state) => {
    const since = state.lastRun !== null && state.lastRun.at > from ? state.lastRun.at : from;
    return automaticRun(occasion, since < occasion.now ? since : occasion.now)(state);
  };

/**
 * Says anew when to run next, by the last run there was. One that waits for usage says it at its end; where nothing runs
 * by itself any more, and nobody asked for it, that end is now, and what it waited for is asked for again later.
 */
export const reschedule =
  (occasion: Occasion): Step =>
  (state) => {
    const { account, pending, lastRun } = state;
    const goesOn = pending !== null && (pending.run.isAsked === true || runsByItself(state));
    return account === null || goesOn ? [] : scheduleNext(lastRun ?? runOn(account, occasion.now), occasion)(state);
  };
