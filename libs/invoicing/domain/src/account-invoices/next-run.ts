import { type Instant, type LocalDate, instantOf } from '@billstream/kernel';
import { stretchDates } from '../proration/charged-periods';
import type { InvoiceRun, RecordedAccount } from './account-invoices.events';
import { type AccountInvoices, isSwitchedOff, isTagged } from './account-invoices.state';
import { type BillingEvent, accountTimeOf, billingEventsOf } from './billing-events';
import type { InvoicingSettings } from './invoicing-settings';
import { isOverEarly, stretchOf } from './proposals';
import { entriesIn } from './sheets';
import type { LedgerRecurring, SubscriptionLedger } from './subscription-ledger';
import { type UsageCalendar, usageBilledAt, usageCalendarOf, usageDateOf, usageDayStart } from './usage-calendar';
import { type UsageHorizon, type UsageSection, endedPeriods, standingPeriods, usageSections } from './usage-periods';

/** The day on which more of a recurring price falls due than the run has charged; null when the stretch's end comes first. */
const nextBillDate = (
  event: BillingEvent,
  { targetDate }: InvoiceRun,
  rules: { readonly settings: InvoicingSettings; readonly charged: readonly LedgerRecurring[] },
): LocalDate | null => {
  const stretch = stretchOf(event, targetDate, rules);
  if (stretch === null) return null;
  if (isOverEarly(stretch)) return stretch.isEndCharged === true ? null : stretchDates(stretch).firstBillDate;
  if (stretch.end !== null && stretch.end <= targetDate) return null;
  if (stretch.start > targetDate) return null;
  const { effectiveEnd, nextBillDate: next } = stretchDates(stretch);
  const date = stretch.mode === 'IN_ADVANCE' && effectiveEnd !== null ? effectiveEnd : next;
  return stretch.end !== null && date >= stretch.end ? null : date;
};

/**
 * Newer catalog versions of what is charged by usage alone. They cut a period and cause no run: both parts are charged on
 * the bill date that follows (Kill Bill 3.5).
 */
const quietInstants = (events: readonly BillingEvent[]): ReadonlySet<Instant> =>
  new Set(
    events.flatMap(({ at, phase, isNewVersion }, index) => {
      const isMetered = phase?.usages.some(({ billingMode }) => billingMode === 'IN_ARREAR') ?? false;
      const recurs = (phase?.recurring ?? events[index - 1]?.phase?.recurring ?? null) !== null;
      return isNewVersion && isMetered && !recurs ? [at] : [];
    }),
  );

/** The next end of a usage period; a section that nothing announces is looked at before it begins. */
const nextUsageEnd = (section: UsageSection, horizon: UsageHorizon, quiet: ReadonlySet<Instant>): Instant | null => {
  const opening = section.events[0]?.at;
  const until = opening !== undefined && opening > horizon.until && quiet.has(opening) ? opening : horizon.until;
  return endedPeriods(section, { ...horizon, until }).next;
};

/** Whether the section would have ended a period then anyway: a bill date is one, whatever else happens on it. */
const isOwnEnd = ({ events, ...section }: UsageSection, horizon: UsageHorizon, at: Instant): boolean => {
  const open = events.map((event, index) =>
    index === events.length - 1 ? { ...event, endDate: null, endAt: null } : event,
  );
  return endedPeriods({ ...section, events: open }, horizon).next === at;
};

/** A period that ends with a bill date is charged with what else the date brings, another one where it ends. */
const chargedAt = (toAt: Instant, calendar: UsageCalendar): Instant => {
  const date = usageDateOf(toAt, calendar);
  return toAt === usageDayStart(date, calendar) ? usageBilledAt(date, calendar) : toAt;
};

const instantsOf = (
  { timeline, usage: charged, recurring }: SubscriptionLedger,
  account: RecordedAccount,
  run: InvoiceRun,
  settings: InvoicingSettings,
): readonly (Instant | null)[] => {
  const events = billingEventsOf(timeline, account);
  const time = accountTimeOf(account);
  const calendar = usageCalendarOf(account, settings);
  const usage = entriesIn(charged);
  const horizon = { until: run.at, calendar, billed: usage };
  const quiet = quietInstants(events);
  const sections = usageSections(events);
  const unlessQuiet = (at: Instant | null): Instant | null => (at !== null && quiet.has(at) ? null : at);
  return [
    ...events.filter(({ at }) => at > run.at).map(({ at }) => unlessQuiet(at)),
    ...events.map((event) => {
      const date = nextBillDate(event, run, { settings, charged: entriesIn(recurring) });
      return date === null ? null : instantOf(date, time);
    }),
    // A stretch that began by the run's instant but after its target day: only a run for an earlier day leaves one.
    ...events.filter(({ at, date }) => at <= run.at && date > run.targetDate).map(({ date }) => instantOf(date, time)),
    ...sections.map((section) => {
      const end = nextUsageEnd(section, horizon, quiet);
      return end !== null && isOwnEnd(section, horizon, end) ? end : unlessQuiet(end);
    }),
    // What was charged while under way is counted again when it is over, unless it was over before.
    ...sections
      .flatMap((section) => standingPeriods(section, usage))
      .filter(({ isAhead, toAt }) => isAhead === true && toAt > run.at)
      .map(({ toAt }) => chargedAt(toAt, calendar)),
  ];
};

/**
 * When the account is to be invoiced after a run: the next planned transition, bill date or end of a usage period,
 * whichever comes first; null when nothing is foreseen (Kill Bill 2.12). Where nothing runs by itself, when that ends.
 */
export const nextRunAt = (state: AccountInvoices, run: InvoiceRun, settings: InvoicingSettings): Instant | null => {
  const { account } = state;
  if (!account || isSwitchedOff(state)) return state.holdUntil;
  const instants = Object.values(state.subscriptions)
    .filter(({ timeline }) => !isTagged(state, timeline.bundleId, 'AUTO_INVOICING_OFF'))
    .flatMap((ledger) => instantsOf(ledger, account, run, settings))
    .filter((instant) => instant !== null);
  return instants.reduce<Instant | null>(
    (first, instant) => (first === null || instant < first ? instant : first),
    null,
  );
};
