import { type Instant, type LocalDate, instantOf } from '@billstream/kernel';
import { stretchDates } from '../proration/charged-periods';
import type { InvoiceRun, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, isSwitchedOff, isTagged } from './account-invoices.state';
import { type BillingEvent, accountTimeOf, billingEventsOf } from './billing-events';
import type { InvoicingSettings } from './invoicing-settings';
import { recurringStretch } from './proposals';
import type { SubscriptionLedger } from './subscription-ledger';
import { endedPeriods, usageSections } from './usage-periods';

/** The day on which more of a recurring price falls due than the run has charged; null when the stretch's end comes first. */
const nextBillDate = (
  event: BillingEvent,
  { targetDate }: InvoiceRun,
  settings: InvoicingSettings,
): LocalDate | null => {
  const stretch = recurringStretch(event, targetDate, settings);
  if (stretch === null || (stretch.end !== null && stretch.end <= targetDate)) return null;
  if (stretch.start > targetDate) return null;
  const { effectiveEnd, nextBillDate: next } = stretchDates(stretch);
  const date = stretch.mode === 'IN_ADVANCE' && effectiveEnd !== null ? effectiveEnd : next;
  return stretch.end !== null && date >= stretch.end ? null : date;
};

const instantsOf = (
  { timeline, usage }: SubscriptionLedger,
  account: RecordedAccount,
  run: InvoiceRun,
  settings: InvoicingSettings,
): readonly (Instant | null)[] => {
  const events = billingEventsOf(timeline, account);
  const time = accountTimeOf(account);
  const horizon = { until: run.at, time, billed: usage };
  return [
    ...events.filter(({ at }) => at > run.at).map(({ at }) => at),
    ...events.map((event) => {
      const date = nextBillDate(event, run, settings);
      return date === null ? null : instantOf(date, time);
    }),
    // A stretch that began by the run's instant but after its target day: only a run for an earlier day leaves one.
    ...events.filter(({ at, date }) => at <= run.at && date > run.targetDate).map(({ date }) => instantOf(date, time)),
    ...usageSections(events).map((section) => endedPeriods(section, horizon).next),
    // What was charged while under way is counted again when it is over.
    ...usage.filter(({ isAhead, toAt }) => isAhead === true && toAt > run.at).map(({ toAt }) => toAt),
  ];
};

/**
 * When the account is to be invoiced after a run: the next planned transition, bill date or end of a usage period,
 * whichever comes first; null when nothing is foreseen (Kill Bill 2.12).
 */
export const nextRunAt = (state: AccountInvoices, run: InvoiceRun, settings: InvoicingSettings): Instant | null => {
  const { account } = state;
  if (!account || isSwitchedOff(state)) return null;
  const instants = Object.values(state.subscriptions)
    .filter(({ timeline }) => !isTagged(state, timeline.bundleId, 'AUTO_INVOICING_OFF'))
    .flatMap((ledger) => instantsOf(ledger, account, run, settings))
    .filter((instant) => instant !== null);
  return instants.reduce<Instant | null>(
    (first, instant) => (first === null || instant < first ? instant : first),
    null,
  );
};
