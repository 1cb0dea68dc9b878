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

/** A run that nobody asked for. */
export const automaticRun =
  (occasion: Occasion): Step =>
  (state) =>
    state.account === null || !runsByItself(state)
      ? []
      : invoiceRun(runOn(state.account, occasion.now), occasion)(state);

/** Says anew when to run next, by the last run there was. */
export const reschedule =
  (occasion: Occasion): Step =>
  (state) =>
    state.account === null || state.pending !== null
      ? []
      : scheduleNext(state.lastRun ?? runOn(state.account, occasion.now), occasion)(state);
