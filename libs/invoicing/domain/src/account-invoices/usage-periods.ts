import { type AccountTime, type Instant, type LocalDate, instantOf, localDateOf } from '@billstream/kernel';
import type { ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';
import { billDates } from '../proration/bill-dates';
import type { ChargingPeriod } from '../proration/billing-period';
import type { BillingEvent } from './billing-events';

/** A usage section of one phase, for as long as it is charged without a break. */
export type UsageSection = {
  readonly usage: ResolvedUsage;
  readonly phase: ResolvedPhase;
  readonly period: ChargingPeriod;
  /** The events it lasts through, oldest first: a bill cycle day may change in between. */
  readonly events: readonly BillingEvent[];
};

export type UsagePeriod = {
  readonly usage: ResolvedUsage;
  readonly phase: ResolvedPhase;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly startDate: LocalDate;
  readonly endDate: LocalDate;
};

/** A change of plan, phase or catalog version ends a section, even when the next one has its name (Kill Bill 3.5). */
const sameSection = (a: UsageSection, phase: ResolvedPhase, usage: ResolvedUsage): boolean =>
  a.usage.name === usage.name &&
  a.phase.planName === phase.planName &&
  a.phase.phaseName === phase.phaseName &&
  a.phase.catalogEffectiveDate === phase.catalogEffectiveDate;

export const usageSections = (events: readonly BillingEvent[]): readonly UsageSection[] => {
  const closed: UsageSection[] = [];
  let open: readonly UsageSection[] = [];
  for (const event of events) {
    const { phase } = event;
    const before = open;
    open = (phase?.usages ?? []).flatMap((usage): readonly UsageSection[] => {
      const { billingMode, billingPeriod } = usage;
      if (!phase || billingMode !== 'IN_ARREAR' || billingPeriod === 'NO_BILLING_PERIOD') return [];
      const earlier = before.find((section) => sameSection(section, phase, usage));
      return [{ usage, phase, period: billingPeriod, events: [...(earlier?.events ?? []), event] }];
    });
    closed.push(
      ...before.filter((section) => !open.some(({ phase: next, usage }) => sameSection(section, next, usage))),
    );
  }
  return [...closed, ...open];
};

/** Where an event's own bill dates cut the section, up to an instant, and the first cut after it. */
const cutsOf = (
  section: UsageSection,
  event: BillingEvent,
  until: Instant,
  time: AccountTime,
): { readonly past: readonly Instant[]; readonly next: Instant | null } => {
  const first = event === section.events[0];
  const last = event === section.events.at(-1);
  const dates = billDates(event.date, event.billCycleDay, section.period);
  const past: Instant[] = [];
  const inside = (date: LocalDate): boolean => event.endDate === null || date < event.endDate;
  for (let n = 0; inside(dates.at(n)); n += 1) {
    const at = instantOf(dates.at(n), time);
    if (first && dates.at(n) === event.date) continue;
    if (at > until) return { past, next: at };
    past.push(at);
  }
  if (last && event.endAt !== null) {
    if (event.endAt > until) return { past, next: event.endAt };
    past.push(event.endAt);
  }
  return { past, next: null };
};

/**
 * The periods of a section that have ended by an instant, oldest first, and when the next one ends. They end at the
 * account's reference time on the section's bill dates, and at the instant of what ends the section.
 */
export const endedPeriods = (
  section: UsageSection,
  until: Instant,
  time: AccountTime,
): { readonly periods: readonly UsagePeriod[]; readonly next: Instant | null } => {
  const [opening] = section.events;
  if (opening === undefined || opening.at > until) return { periods: [], next: null };
  const periods: UsagePeriod[] = [];
  let fromAt = opening.at;
  for (const event of section.events) {
    const { past, next } = cutsOf(section, event, until, time);
    for (const toAt of past) {
      const { usage, phase } = section;
      if (toAt > fromAt)
        periods.push({
          usage,
          phase,
          fromAt,
          toAt,
          startDate: localDateOf(fromAt, time),
          endDate: localDateOf(toAt, time),
        });
      fromAt = toAt;
    }
    if (next !== null) return { periods, next };
  }
  return { periods, next: null };
};
