import { type AccountTime, type Instant, type LocalDate, dayOfMonth, localDateOf } from '@billstream/kernel';
import type { BillingTransition, ResolvedPhase } from '@billstream/subscriptions-contracts';
import type { BillingTimeline, RecordedAccount } from './account-invoices.events';

/** A transition of a subscription in the account's calendar, with the bill cycle day that rules from there on. */
export type BillingEvent = {
  readonly kind: BillingTransition['kind'];
  readonly at: Instant;
  readonly date: LocalDate;
  /** The day of the next event of the subscription; null when none is planned. */
  readonly endDate: LocalDate | null;
  readonly endAt: Instant | null;
  readonly endsBy: BillingTransition['kind'] | null;
  readonly phase: ResolvedPhase | null;
  readonly quantity: number;
  readonly billCycleDay: number;
  /** A newer catalog version comes into force; nobody has changed anything. */
  readonly isNewVersion: boolean;
};

export const accountTimeOf = ({ timeZone, referenceTime }: RecordedAccount): AccountTime => ({
  timeZone,
  referenceTime,
});

/** Kill Bill 2.5. An account without a day treats its subscriptions as aligned to themselves. */
const billCycleDayOf = (
  { billCycleDayLocal, phase }: BillingTransition,
  timeline: BillingTimeline,
  account: RecordedAccount,
): number => {
  if (billCycleDayLocal !== null) return billCycleDayLocal;
  const dayOf = (instant: Instant): number => dayOfMonth(localDateOf(instant, accountTimeOf(account)));
  if (phase?.billingAlignment === 'ACCOUNT' && account.billCycleDayLocal > 0) return account.billCycleDayLocal;
  return dayOf(phase?.billingAlignment === 'BUNDLE' ? timeline.bundleFirstBillableAt : timeline.firstBillableAt);
};

export const billingEventsOf = (timeline: BillingTimeline, account: RecordedAccount): readonly BillingEvent[] => {
  const dates = timeline.transitions.map(({ effectiveAt }) => localDateOf(effectiveAt, accountTimeOf(account)));
  return timeline.transitions.flatMap((transition, index): readonly BillingEvent[] => {
    const date = dates[index];
    if (date === undefined) return [];
    const { kind, effectiveAt, phase, quantity, isNewVersion = false } = transition;
    return [
      {
        kind,
        at: effectiveAt,
        date,
        endDate: dates[index + 1] ?? null,
        endAt: timeline.transitions[index + 1]?.effectiveAt ?? null,
        endsBy: timeline.transitions[index + 1]?.kind ?? null,
        phase,
        quantity,
        billCycleDay: billCycleDayOf(transition, timeline, account),
        isNewVersion,
      },
    ];
  });
};

/**
 * The bill cycle day of an account that has none: that of its earliest account-aligned event with a recurring price (0 is
 * one) or usage, taken as if the subscription were aligned to itself (Kill Bill 2.5). Null when there is no such event.
 */
export const firstBillCycleDay = (timelines: readonly BillingTimeline[], account: RecordedAccount): number | null => {
  const candidates = timelines.flatMap((timeline) =>
    timeline.transitions
      .filter(
        ({ phase }) => phase?.billingAlignment === 'ACCOUNT' && (phase.recurring !== null || phase.usages.length > 0),
      )
      .map(({ effectiveAt }) => ({ effectiveAt, firstBillableAt: timeline.firstBillableAt })),
  );
  const [first] = candidates.sort((a, b) =>
    a.effectiveAt < b.effectiveAt ? -1 : a.effectiveAt > b.effectiveAt ? 1 : 0,
  );
  return first === undefined ? null : dayOfMonth(localDateOf(first.firstBillableAt, accountTimeOf(account)));
};
