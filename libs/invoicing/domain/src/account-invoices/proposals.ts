import { type Currency, type LocalDate, decimal, multiply, plusDuration, settle } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import { type Stretch, chargedPeriods, stretchDates, whole } from '../proration/charged-periods';
import { type DateRange, overlap, without } from '../repair/date-range';
import type { ProposedRecurring } from '../repair/reconcile';
import type { BillingTimeline, ItemSubject } from './account-invoices.events';
import type { BillingEvent } from './billing-events';
import { type InvoicingSettings, defaultSettings } from './invoicing-settings';
import type { LedgerRecurring } from './subscription-ledger';

export const subjectOf = (timeline: BillingTimeline, phase: ResolvedPhase): ItemSubject => ({
  subscriptionId: timeline.subscriptionId,
  bundleId: timeline.bundleId,
  productName: phase.productName,
  prettyProductName: phase.prettyProductName,
  planName: phase.planName,
  prettyPlanName: phase.prettyPlanName,
  phaseName: phase.phaseName,
  prettyPhaseName: phase.prettyPhaseName,
  catalogEffectiveDate: phase.catalogEffectiveDate,
});

export type RecurringProposal = ProposedRecurring & { readonly phase: ResolvedPhase; readonly quantity: number };

/** What a proposal is priced by, and what of the subscription was charged before. */
export type ProposalRules = {
  readonly currency: Currency;
  readonly settings: InvoicingSettings;
  readonly charged: readonly LedgerRecurring[];
};

/** An event as a stretch of one recurring price; null when it has none. */
const recurringStretch = (
  { phase, date, endDate, billCycleDay }: BillingEvent,
  targetDate: LocalDate,
  { fixedDays, inArrearMode }: InvoicingSettings = defaultSettings,
): Stretch | null => {
  const period = phase?.recurring?.billingPeriod;
  if (!phase || period === undefined || period === 'NO_BILLING_PERIOD') return null;
  const mode = phase.recurringBillingMode;
  return { start: date, end: endDate, targetDate, billCycleDay, period, mode, inArrearMode, fixedDays };
};

/** In arrear: it has ended, and its first bill date is yet to come. */
export const isOverEarly = (stretch: Stretch): boolean =>
  stretch.mode === 'IN_ARREAR' &&
  stretch.end !== null &&
  stretch.start < stretch.end &&
  stretch.end < stretch.targetDate &&
  stretch.targetDate < stretchDates(stretch).firstBillDate;

/** Whether anything that was charged for a phase still stands in a range. */
const isChargedIn = (range: DateRange, phase: ResolvedPhase, charged: readonly LedgerRecurring[]): boolean =>
  charged.some(
    (item) =>
      item.planName === phase.planName &&
      item.phaseName === phase.phaseName &&
      overlap(item, range) !== null &&
      item.repaired.reduce(without, [item]).some((standing) => overlap(standing, range) !== null),
  );

/**
 * The stretch that a run looks at. In arrear, one that ended before its first bill date is charged on its last day, where a
 * run falls on that day (Kill Bill 2.9, step 5), else on the bill date. The days between do not take that back.
 */
export const stretchOf = (
  event: BillingEvent,
  targetDate: LocalDate,
  { settings, charged }: Omit<ProposalRules, 'currency'>,
): Stretch | null => {
  const stretch = recurringStretch(event, targetDate, settings);
  if (stretch === null || event.phase === null || !isOverEarly(stretch)) return stretch;
  const { start, end } = stretch;
  return end !== null && isChargedIn({ start, end }, event.phase, charged)
    ? { ...stretch, isEndCharged: true }
    : stretch;
};

const recurringOf = (
  event: BillingEvent,
  targetDate: LocalDate,
  { currency, settings, charged }: ProposalRules,
): readonly RecurringProposal[] => {
  const stretch = stretchOf(event, targetDate, { settings, charged });
  const { phase, quantity } = event;
  if (stretch === null || !phase?.recurring || stretch.start > targetDate) return [];
  const periods = chargedPeriods(stretch);
  if (periods === 'invalid-date-sequence') throw new RangeError(`a timeline that runs backwards at ${event.at}`);
  const rate = multiply(phase.recurring.price, decimal(quantity));
  const wholeMinor = settle(rate, currency).minor;
  const { planName, phaseName } = phase;
  return periods.map(({ start, end, ratio }) => ({
    planName,
    phaseName,
    rate,
    start,
    end,
    amountMinor: ratio === whole ? wholeMinor : settle(multiply(ratio, rate), currency).minor,
    phase,
    quantity,
  }));
};

/** All recurring charges from the beginning to the target date, whether invoiced before or not. */
export const proposedRecurring = (
  events: readonly BillingEvent[],
  targetDate: LocalDate,
  rules: ProposalRules,
): readonly RecurringProposal[] => events.flatMap((event) => recurringOf(event, targetDate, rules));

export type FixedProposal = {
  readonly phase: ResolvedPhase;
  readonly quantity: number;
  readonly date: LocalDate;
  readonly endDate: LocalDate | null;
  readonly amountMinor: number;
};

/** The events that begin a phase. Going on after a pause or with another quantity does not owe a one-time price again. */
const beginsPhase = ({ kind, phase }: BillingEvent): boolean =>
  phase !== null && (kind === 'START' || kind === 'PHASE' || kind === 'CHANGE');

/** Only where nothing recurs and the phase ends: at the next phase, else after its length (Kill Bill 2.10). */
const fixedEnd = (event: BillingEvent, next: BillingEvent | undefined, phase: ResolvedPhase): LocalDate | null => {
  if (phase.recurring !== null || phase.phaseType === 'EVERGREEN') return null;
  if (next?.kind === 'PHASE') return next.date;
  return phase.duration === null ? null : plusDuration(event.date, phase.duration.unit, phase.duration.number);
};

/** What a day of several beginnings and ends leaves: the last beginning, and nothing of one that ended on its own day. */
const isOutlived = (event: BillingEvent, later: readonly BillingEvent[]): boolean =>
  later.some((next) => next.date === event.date && (beginsPhase(next) || next.kind === 'CANCEL'));

/** All one-time charges to the target date. Of several phases that begin on one day, the last one counts. */
export const proposedFixed = (
  events: readonly BillingEvent[],
  targetDate: LocalDate,
  currency: Currency,
): readonly FixedProposal[] => {
  return events.flatMap((event, index): readonly FixedProposal[] => {
    const { phase, date, quantity } = event;
    if (!beginsPhase(event) || date > targetDate || !phase || phase.fixedPrice === null) return [];
    if (isOutlived(event, events.slice(index + 1))) return [];
    const amountMinor = settle(multiply(phase.fixedPrice, decimal(quantity)), currency).minor;
    return [{ phase, quantity, date, endDate: fixedEnd(event, events[index + 1], phase), amountMinor }];
  });
};
