import { type Instant, type LocalDate, compare, localDateOf, plusMs, settle, zero } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import { plusPeriods } from '../proration/billing-period';
import { unitsOf } from '../rating/rate-usage';
import { type UsageCharge, quantitiesOf, usageCharges, usageDetails } from '../rating/usage-charges';
import type { CountedPeriod } from './account-invoices.events';
import { accountTimeOf } from './billing-events';
import { subjectOf } from './proposals';
import { type NewItem, type Work, plainItem } from './run-work';
import { entriesIn } from './sheets';
import type { BilledUsage, SubscriptionLedger } from './subscription-ledger';
import { usageBilledAt, usageCalendarOf, usageDateOf, usageDayStart } from './usage-calendar';
import { type Charged, type Share, shareOf, totalOf } from './usage-shares';
import {
  type ChargedPeriod,
  type UsagePeriod,
  type UsageSection,
  endedPeriods,
  standingPeriods,
  usageSections,
} from './usage-periods';

/** Names a period of one usage price of a subscription. */
export const usageKey = (usageName: string, fromAt: Instant, toAt: Instant): string => `${usageName} ${fromAt} ${toAt}`;

const keyOf = ({ usage, fromAt, toAt }: UsagePeriod): string => usageKey(usage.name, fromAt, toAt);

/**
 * What was charged for a period, or for a longer one that it turned out to be a part of. One that had not come to the
 * period's beginning when it was counted holds nothing of it.
 */
const coverOf = (billed: readonly BilledUsage[], { usageName, fromAt, toAt }: ChargedPeriod): readonly BilledUsage[] =>
  billed.filter(
    (one) =>
      one.usageName === usageName &&
      toAt <= one.toAt &&
      (one.fromAt === fromAt || (one.fromAt < fromAt && fromAt < (one.countedUntil ?? one.toAt))),
  );

const isSame = (a: ChargedPeriod, b: ChargedPeriod): boolean =>
  a.usageName === b.usageName && a.fromAt === b.fromAt && a.toAt === b.toAt;

const namedPeriod = ({ usage, fromAt, toAt }: UsagePeriod): ChargedPeriod => ({ usageName: usage.name, fromAt, toAt });

/** How far a run looks: to its instant, and where a later day is asked for, to that day. */
const horizonOf = ({ account, run, settings }: Work): Instant =>
  run.targetDate > localDateOf(run.at, accountTimeOf(account))
    ? usageBilledAt(run.targetDate, usageCalendarOf(account, settings))
    : run.at;

/** A clock that was put back by a moment (tests do that) does not hide what has begun since. */
const momentMs = 60_000;

/**
 * What has ended by the target date and is not charged. Whoever asks for a day ahead is charged for the periods up to it by
 * what is known of them, and for the rest when they are counted again (Kill Bill 3.4).
 */
const duePeriods = (work: Work, section: UsageSection): readonly UsagePeriod[] => {
  const { ledger, account, run, from, settings } = work;
  const calendar = usageCalendarOf(account, settings);
  const horizon = { until: horizonOf(work), calendar, billed: entriesIn(ledger.usage) };
  // One that ends later on the day of the run is not charged ahead of its end: the run at its end does it.
  const endsLaterToday = ({ toAt, endDate }: UsagePeriod): boolean =>
    toAt > run.at && endDate <= usageDateOf(run.at, calendar);
  return endedPeriods(section, horizon).periods.filter(
    (period) =>
      (run.isAsked === true || period.fromAt <= plusMs(run.at, momentMs)) &&
      period.endDate <= run.targetDate &&
      !endsLaterToday(period) &&
      (from === null || period.endDate > from) &&
      !entriesIn(ledger.usage).some((billed) => isSame(billed, namedPeriod(period))),
  );
};

const chargedOf = ({ ledger }: Work, section: UsageSection): readonly BilledUsage[] =>
  standingPeriods(section, entriesIn(ledger.usage));

const asPeriod = (
  { account, settings }: Work,
  { usage, phase }: UsageSection,
  { fromAt, toAt }: BilledUsage,
): UsagePeriod => {
  const calendar = usageCalendarOf(account, settings);
  const [startDate, endDate] = [usageDateOf(fromAt, calendar), usageDateOf(toAt, calendar)];
  return { usage, phase, fromAt, toAt, startDate, endDate };
};

/**
 * From which day on charged periods are counted again: so many back from the last one that was charged. Where periods without
 * usage leave no trace, so many back from the one that ends today or with the target date (Kill Bill's RawUsageOptimizer).
 */
const recountFrom = ({ account, run, settings }: Work, section: UsageSection, lastEnd: Instant): LocalDate => {
  const calendar = usageCalendarOf(account, settings);
  const { previousUsagePeriods, isZeroUsageLeftOut } = settings;
  if (!isZeroUsageLeftOut) return plusPeriods(usageDateOf(lastEnd, calendar), section.period, -previousUsagePeriods);
  const today = usageDateOf(run.at, calendar);
  const last = today < run.targetDate ? today : run.targetDate;
  return plusPeriods(last, section.period, -previousUsagePeriods - 1);
};

/**
 * Periods charged before that are counted again with the next one of their section, or when somebody asks for an invoice:
 * usage may have come late. Only so many back; what comes later than that is never charged (Kill Bill 3.4).
 */
const recountedPeriods = (work: Work, section: UsageSection): readonly UsagePeriod[] => {
  const { account, settings } = work;
  const own = chargedOf(work, section);
  const lastEnd = own.reduce<Instant | null>((last, { toAt }) => (last !== null && last > toAt ? last : toAt), null);
  if (lastEnd === null || (settings.previousUsagePeriods === 0 && !settings.isZeroUsageLeftOut)) return [];
  const earliest = usageDayStart(recountFrom(work, section, lastEnd), usageCalendarOf(account, settings));
  const periods = own.filter(({ fromAt }) => fromAt >= earliest).map((billed) => asPeriod(work, section, billed));
  return [...new Map(periods.map((period) => [keyOf(period), period])).values()];
};

/** Charged periods whose usage is known to have changed since, however long ago they were charged. */
const latePeriods = (work: Work, section: UsageSection): readonly UsagePeriod[] => {
  const { late = [] } = work.ledger;
  if (late.length === 0) return [];
  const changed = chargedOf(work, section).filter((billed) => late.some((period) => isSame(period, billed)));
  const periods = changed.map((billed) => asPeriod(work, section, billed));
  return [...new Map(periods.map((period) => [keyOf(period), period])).values()];
};

/** Periods that were charged while they were under way and have come to that end since. */
const aheadPeriods = (work: Work, section: UsageSection): readonly UsagePeriod[] => {
  const own = chargedOf(work, section);
  const over = own.filter(
    (one) =>
      one.isAhead === true && one.toAt <= work.run.at && !own.some((other) => !other.isAhead && isSame(other, one)),
  );
  const periods = over.map((billed) => asPeriod(work, section, billed));
  return [...new Map(periods.map((period) => [keyOf(period), period])).values()];
};

/**
 * `AHEAD`: the period was charged while it was under way, and is over now.
 * `PART`: a pause or a change has come to light that ended the period before the end to which it was charged. It makes no
 * second bill, and gives nothing back (Kill Bill 3.4); what was used after it was charged ahead is charged.
 */
type Wanted = { readonly period: UsagePeriod; readonly kind: 'NEW' | 'AGAIN' | 'AHEAD' | 'PART' };

/** All periods whose quantities the run needs, those charged before ahead of the new ones of their section. */
const wantedPeriods = (work: Work): readonly Wanted[] =>
  usageSections(work.events).flatMap((section): readonly Wanted[] => {
    const due = duePeriods(work, section);
    const ahead = aheadPeriods(work, section).map((period) => ({ period, kind: 'AHEAD' as const }));
    const isAhead = new Set(ahead.map(({ period }) => keyOf(period)));
    const recounted = due.length === 0 && work.run.isAsked !== true ? [] : recountedPeriods(work, section);
    const again = [
      ...new Map([...latePeriods(work, section), ...recounted].map((period) => [keyOf(period), period])).values(),
    ].filter((period) => !isAhead.has(keyOf(period)));
    return [
      ...ahead,
      ...again.map((period) => ({ period, kind: 'AGAIN' as const })),
      ...due.map((period) => {
        const isPart = coverOf(entriesIn(work.ledger.usage), namedPeriod(period)).length > 0;
        return { period, kind: isPart ? ('PART' as const) : ('NEW' as const) };
      }),
    ];
  });

type Known = ReadonlyMap<string, readonly ClosedUsage[]>;

const knownUsage = ({ closed }: SubscriptionLedger): Known => {
  const known = new Map<string, ClosedUsage[]>();
  for (const one of closed) {
    const key = usageKey(one.usageName, one.fromAt, one.toAt);
    const others = known.get(key);
    if (others === undefined) known.set(key, [one]);
    else others.push(one);
  }
  return known;
};

const isKnown = (known: Known, period: UsagePeriod): boolean => {
  const closed = known.get(keyOf(period)) ?? [];
  return unitsOf(period.usage).every((unit) => closed.some((one) => one.unit === unit));
};

/** Usage that has to be counted before the run can charge the subscription. */
export const unknownPeriods = (work: Work): readonly UsagePeriod[] => {
  const known = knownUsage(work.ledger);
  return wantedPeriods(work).flatMap(({ period }) => (isKnown(known, period) ? [] : [period]));
};

/** A period of usage that cost nothing and gives no item. */
export type UnusedPeriod = CountedPeriod & { readonly subscriptionId: string; readonly usageName: string };

export type ChargedUsage =
  | { readonly items: readonly NewItem[]; readonly unused: readonly UnusedPeriod[] }
  | 'usage-beyond-all-tiers'
  | 'usage-charged-more-before';

/** What the usage of a subscription costs that is due and known; usage that is not known is left out. */
export const usageItems = (work: Work): ChargedUsage => {
  const known = knownUsage(work.ledger);
  const { subscriptionId } = work.ledger.timeline;
  const items: NewItem[] = [];
  const unused: UnusedPeriod[] = [];
  const shares: Charged[] = [];
  for (const { period, kind } of wantedPeriods(work)) {
    if (!isKnown(known, period)) continue;
    const closed = known.get(keyOf(period)) ?? [];
    const counted = { period, kind, closed, billed: billedFor(work, { period, kind }) };
    const share = shareOf(counted, () => [...entriesIn(work.ledger.usage), ...shares], work.currency);
    const made = itemsOf(work, { ...counted, share });
    if (typeof made === 'string') return made;
    items.push(...made);
    const charged = { usageName: period.usage.name, ...countedPeriod(work, period, share) };
    if (share !== null) shares.push(charged);
    if (made.length === 0 && (kind !== 'AGAIN' || (share !== null && share.takenMinor !== share.beforeMinor)))
      unused.push({ subscriptionId, ...charged });
  }
  return { items, unused };
};

const countedPeriod = ({ run }: Work, { fromAt, toAt }: UsagePeriod, share: Share | null): CountedPeriod => ({
  fromAt,
  toAt,
  ...(toAt > run.at ? { countedUntil: run.at } : {}),
  ...(share === null ? {} : { takenMinor: share.takenMinor }),
});

/** What was charged for a period before. */
const allBilledFor = ({ ledger }: Work, { period }: Wanted): readonly BilledUsage[] =>
  coverOf(entriesIn(ledger.usage), namedPeriod(period));

/** The same as far as the run looks back; what is known to have changed is compared with all that was charged for it. */
const billedFor = (work: Work, wanted: Wanted): readonly BilledUsage[] => {
  const all = allBilledFor(work, wanted);
  const { from, ledger, targetDateOf } = work;
  const isLate = ledger.late?.some((period) => isSame(period, namedPeriod(wanted.period))) ?? false;
  return from === null || isLate ? all : all.filter(({ invoiceId }) => (targetDateOf(invoiceId) ?? from) >= from);
};

type Counted = Wanted & { readonly closed: readonly ClosedUsage[]; readonly billed: readonly BilledUsage[] };

const itemsOf = (
  work: Work,
  counted: Counted & { readonly share: Share | null },
): readonly NewItem[] | Exclude<ChargedUsage, object> => {
  const { ledger, currency, settings } = work;
  const { period, kind, closed, billed, share } = counted;
  const { usage, phase, startDate, endDate } = period;
  const isPart = billed.some((one) => !isSame(one, namedPeriod(period)));
  const billedMinor = totalOf(billed) - (share?.byOthersMinor ?? 0);
  const due = { usage, quantities: quantitiesOf(closed), billedMinor };
  const charges = usageCharges(due, kind === 'NEW', currency, {
    mode: settings.usageDetailMode,
    // Reported usage only grows; what is metered may have been corrected, and is given back (Kill Bill knows no such thing).
    mayFall: !isPart && closed.some(({ rule }) => rule !== null),
  });
  if (charges === 'charged-more-before' && isPart) return [];
  if (typeof charges === 'string') return `usage-${charges}`;
  if (kind === 'AGAIN' && isAbsorbed(work, closed, charges)) return [];
  const shown = settings.isZeroUsageLeftOut ? charges.filter(isShown) : charges;
  const trackingIds = newlyCounted(closed, allBilledFor(work, counted));
  return shown.map((charge: UsageCharge, index): NewItem => ({
    ...subjectOf(ledger.timeline, phase),
    ...plainItem,
    type: 'USAGE',
    startDate,
    endDate,
    amountMinor: charge.amountMinor,
    rate: charge.rate,
    quantity: charge.quantity,
    usageName: usage.name,
    usagePeriod: countedPeriod(work, period, share),
    itemDetails: usageDetails(charge, closed),
    ...(index === 0 && trackingIds.length > 0 ? { trackingIds } : {}),
  }));
};

/** A tier that was used is told of though it is free of charge; one that nobody used is not. */
const isShown = ({ amountMinor, quantity }: UsageCharge): boolean =>
  amountMinor !== 0 || (quantity !== null && compare(quantity, zero) > 0);

/** Too little to bother the customer with: what is metered late adds up until it is more than the tenant absorbs. */
const isAbsorbed = (
  { settings, currency }: Work,
  closed: readonly ClosedUsage[],
  charges: readonly UsageCharge[],
): boolean => {
  if (settings.lateUsage.absorbBelow === null || !closed.some(({ rule }) => rule !== null)) return false;
  const belowMinor = settle(settings.lateUsage.absorbBelow, currency).minor;
  return Math.abs(charges.reduce((sum, { amountMinor }) => sum + amountMinor, 0)) < belowMinor;
};

/** Reports that no item of the period has counted before, however old: a report counts on one invoice only. */
const newlyCounted = (closed: readonly ClosedUsage[], billed: readonly BilledUsage[]): readonly string[] => {
  const before = new Set(billed.flatMap(({ trackingIds }) => trackingIds ?? []));
  return [...new Set(closed.flatMap(({ trackingIds }) => trackingIds ?? []))].filter((id) => !before.has(id));
};
