import type { Instant, LocalDate } from '@billstream/kernel';
import type { ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';
import { billDates, lastBillDateUpTo } from '../proration/bill-dates';
import type { ChargingPeriod } from '../proration/billing-period';
import { isSameTariff } from '../rating/rate-usage';
import type { BillingEvent } from './billing-events';
import type { BilledUsage } from './subscription-ledger';
import { type UsageCalendar, usageBilledAt, usageDateOf, usageDayStart } from './usage-calendar';

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

/**
 * A change of plan, phase or catalog version ends a section, even when the next one has its name (Kill Bill 3.5); so does
 * a change to the same plan at prices of its own: what was used before costs what it cost then.
 */
const sameSection = (a: UsageSection, phase: ResolvedPhase, usage: ResolvedUsage): boolean =>
  a.usage.name === usage.name &&
  a.phase.planName === phase.planName &&
  a.phase.phaseName === phase.phaseName &&
  a.phase.catalogEffectiveDate === phase.catalogEffectiveDate &&
  isSameTariff(a.usage, usage);

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

/** How far to look, in which calendar, and what of the section is charged already. */
export type UsageHorizon = {
  readonly until: Instant;
  readonly calendar: UsageCalendar;
  readonly billed: readonly (ChargedPeriod & Pick<BilledUsage, 'countedUntil'>)[];
};

type Ends = ReadonlyMap<Instant, Instant>;
const knownEnds = new WeakMap<UsageHorizon['billed'], Map<string, Ends>>();

/** Where the charged periods of a price end, by their beginnings. A run asks several times of the same ledger. */
const endsOf = (billed: UsageHorizon['billed'], usageName: string, ending: Instant | null): Ends => {
  const known = knownEnds.get(billed) ?? new Map<string, Ends>();
  knownEnds.set(billed, known);
  const name = `${ending ?? ''} ${usageName}`;
  const ends =
    known.get(name) ??
    new Map(
      billed
        .filter((one) => one.usageName === usageName && (ending === null || one.toAt <= ending))
        .map(({ fromAt, toAt }) => [fromAt, toAt]),
    );
  known.set(name, ends);
  return ends;
};

/**
 * The end of what is charged without a gap from the section's beginning; years that are charged need not be walked again.
 * What was charged beyond the section's end says nothing of the part that is left of it.
 */
const chargedUpTo = ({ usage, events }: UsageSection, from: Instant, billed: UsageHorizon['billed']): Instant => {
  const ends = endsOf(billed, usage.name, events.at(-1)?.endAt ?? null);
  const reached = knownReach.get(ends) ?? new Map<Instant, Instant>();
  knownReach.set(ends, reached);
  let at = reached.get(from) ?? from;
  for (let end = ends.get(at); end !== undefined && end > at; end = ends.get(at)) at = end;
  reached.set(from, at);
  return at;
};

const knownReach = new WeakMap<Ends, Map<Instant, Instant>>();

type Named = { readonly charges: UsageHorizon['billed']; readonly lastEnd: Instant | null };
const knownNamed = new WeakMap<UsageHorizon['billed'], Map<string, Named>>();

const namedIn = (billed: UsageHorizon['billed'], usageName: string): Named => {
  const known = knownNamed.get(billed) ?? new Map<string, Named>();
  knownNamed.set(billed, known);
  const charges = known.get(usageName)?.charges ?? billed.filter((one) => one.usageName === usageName);
  const named = known.get(usageName) ?? { charges, lastEnd: charges.reduce(laterEnd, null) };
  known.set(usageName, named);
  return named;
};

const laterEnd = (last: Instant | null, { toAt }: ChargedPeriod): Instant | null =>
  last !== null && last > toAt ? last : toAt;

/**
 * Where what was charged first begins or ends between two instants; null where nothing does. A change that is dated back
 * begins a section in the middle of what others were charged for, and its bill dates need not be theirs: a period that lay
 * across several of them would charge their usage again (Kill Bill takes off those that lie within, and no others). One that
 * had not come to the period when it was counted holds nothing of it, and matters where it is a period of the section.
 */
const nextBound = (section: UsageSection, fromAt: Instant, toAt: Instant, { billed }: UsageHorizon): Instant | null => {
  const { charges, lastEnd } = namedIn(billed, section.usage.name);
  if (lastEnd === null || lastEnd <= fromAt) return null;
  const isInside = (at: Instant): boolean => fromAt < at && at < toAt;
  const bounds = charges.flatMap((one) => {
    if (!isInside(one.fromAt) && !isInside(one.toAt)) return [];
    const begins = one.fromAt > fromAt ? one.fromAt : fromAt;
    const isHeld = (one.countedUntil ?? one.toAt) > begins || isWithin(section, one);
    return isHeld ? [one.fromAt, one.toAt].filter(isInside) : [];
  });
  return bounds.reduce<Instant | null>((first, at) => (first !== null && first < at ? first : at), null);
};

/** The stretches of a section between two instants that are no charged periods of it, cut where any charge begins or ends. */
const openBetween = (section: UsageSection, from: Instant, until: Instant, horizon: UsageHorizon): readonly Open[] => {
  const open: Open[] = [];
  let fromAt = chargedUpTo(section, from, horizon.billed);
  while (fromAt < until) {
    const toAt = nextBound(section, fromAt, until, horizon) ?? until;
    open.push({ fromAt, toAt });
    fromAt = chargedUpTo(section, toAt, horizon.billed);
  }
  return open;
};

type Open = Pick<ChargedPeriod, 'fromAt' | 'toAt'>;

type Cuts = { readonly past: readonly Instant[]; readonly next: Instant | null };

/** Where an event's own bill dates cut the section after an instant and up to another, and when the first after that is charged. */
const cutsOf = (section: UsageSection, event: BillingEvent, after: Instant, horizon: UsageHorizon): Cuts => {
  const { until, calendar } = horizon;
  const begins = usageDateOf(event.at, calendar);
  const ends = event.endAt === null ? null : usageDateOf(event.endAt, calendar);
  const dates = billDates(begins, event.billCycleDay, section.period);
  const opensSection = event === section.events[0];
  const past: Instant[] = [];
  const start = lastBillDateUpTo(dates, usageDateOf(after, calendar))?.n ?? 0;
  for (let n = start; ends === null || dates.at(n) < ends; n += 1) {
    const date = dates.at(n);
    if (opensSection && date === begins) continue;
    const at = usageDayStart(date, calendar);
    if (at > until) return { past, next: usageBilledAt(date, calendar) };
    if (at > after) past.push(at);
  }
  const endAt = event === section.events.at(-1) ? event.endAt : null;
  if (endAt === null) return { past, next: null };
  return endAt > until ? { past, next: endAt } : { past: [...past, endAt], next: null };
};

/**
 * The end of a section that ends within a period charged before; null where it does not. A period stands as it was charged
 * when another bill cycle day would have cut it since, so it is one period up to its early end, too: bill dates that passed
 * in between cut nothing, and what was charged ahead across them stays with what it was charged for.
 */
const earlyEndOf = ({ usage, events }: UsageSection, from: Instant, billed: UsageHorizon['billed']): Instant | null => {
  const endAt = events.at(-1)?.endAt ?? null;
  const charged = endsOf(billed, usage.name, null).get(from);
  return endAt !== null && from < endAt && charged !== undefined && endAt < charged ? endAt : null;
};

/** Cancelled at the instant of its start: what is reported of that instant is charged (Kill Bill 3.3). */
const isMoment = ({ events }: UsageSection): boolean =>
  events.length === 1 && events[0]?.endsBy === 'CANCEL' && events[0].endAt === events[0].at;

/**
 * The periods of a section that have ended and are not charged, oldest first, and when the next one is to be charged. They
 * end where the section's bill dates begin, and at the instant of what ends the section.
 */
export const endedPeriods = (
  section: UsageSection,
  horizon: UsageHorizon,
): { readonly periods: readonly UsagePeriod[]; readonly next: Instant | null } => {
  const [opening] = section.events;
  if (opening === undefined || opening.at > horizon.until) return { periods: [], next: null };
  const { usage, phase } = section;
  const { calendar } = horizon;
  const periods: UsagePeriod[] = [];
  const periodOf = (fromAt: Instant, toAt: Instant): UsagePeriod => {
    const [startDate, endDate] = [usageDateOf(fromAt, calendar), usageDateOf(toAt, calendar)];
    return { usage, phase, fromAt, toAt, startDate, endDate };
  };
  let fromAt = chargedUpTo(section, opening.at, horizon.billed);
  const earlyEnd = earlyEndOf(section, fromAt, horizon.billed);
  if (earlyEnd !== null && earlyEnd > horizon.until) return { periods, next: earlyEnd };
  if (earlyEnd !== null) return { periods: [periodOf(fromAt, earlyEnd)], next: null };
  for (const event of section.events) {
    if (event.endAt !== null && event.endAt <= fromAt && !isMoment(section)) continue;
    const { past, next } = cutsOf(section, event, fromAt, horizon);
    for (const toAt of past) {
      if (isMoment(section)) periods.push(periodOf(fromAt, toAt));
      periods.push(...openBetween(section, fromAt, toAt, horizon).map((open) => periodOf(open.fromAt, open.toAt)));
      if (toAt > fromAt) fromAt = chargedUpTo(section, toAt, horizon.billed);
    }
    if (next !== null) return { periods, next };
  }
  return { periods, next: null };
};

/** A period as it stands on what was charged for it. */
export type ChargedPeriod = Pick<BilledUsage, 'usageName' | 'fromAt' | 'toAt'>;

const isWithin = ({ usage, events }: UsageSection, { usageName, fromAt, toAt }: ChargedPeriod): boolean => {
  const [opening, ending] = [events[0]?.at, events.at(-1)?.endAt ?? null];
  return usageName === usage.name && opening !== undefined && fromAt >= opening && (ending === null || toAt <= ending);
};

/**
 * What was charged of a section's periods as they are now. One that was ended early is charged by what is left of it; and
 * what was charged for that stands, also when the section turns out to go on after all: the rest is a period of its own.
 */
export const standingPeriods = (section: UsageSection, billed: readonly BilledUsage[]): readonly BilledUsage[] => {
  const { usage, events } = section;
  const name = [events[0]?.at ?? '', events.at(-1)?.endAt ?? '', usage.name].join(' ');
  const known = knownStanding.get(billed) ?? new Map<string, readonly BilledUsage[]>();
  knownStanding.set(billed, known);
  const standing = known.get(name) ?? standingOf(section, billed);
  known.set(name, standing);
  return standing;
};

/** A run asks for each section of the same ledger several times over. */
const knownStanding = new WeakMap<readonly BilledUsage[], Map<string, readonly BilledUsage[]>>();

const standingOf = (section: UsageSection, billed: readonly BilledUsage[]): readonly BilledUsage[] => {
  const own = billed.filter((one) => isWithin(section, one));
  const ends = new Map(own.map(({ fromAt, toAt }) => [fromAt, toAt]));
  return own.filter(({ fromAt, toAt }) => ends.get(fromAt) === toAt);
};
