import { type Instant, instantOf, localDateOf } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import { plusPeriods } from '../proration/billing-period';
import { unitsOf } from '../rating/rate-usage';
import { type UsageCharge, quantitiesOf, usageCharges, usageDetails } from '../rating/usage-charges';
import { accountTimeOf } from './billing-events';
import { subjectOf } from './proposals';
import { type NewItem, type Work, plainItem } from './run-work';
import type { BilledUsage, SubscriptionLedger } from './subscription-ledger';
import { type UsagePeriod, type UsageSection, endedPeriods, usageSections } from './usage-periods';

/** Names a period of one usage price of a subscription. */
export const usageKey = (usageName: string, fromAt: Instant, toAt: Instant): string => `${usageName} ${fromAt} ${toAt}`;

const keyOf = ({ usage, fromAt, toAt }: UsagePeriod): string => usageKey(usage.name, fromAt, toAt);

/** A period within one that was charged is charged, too: a pause that came to light later makes no second bill (Kill Bill 3.4). */
const isBilled = ({ usage: billed }: SubscriptionLedger, { usage, fromAt, toAt }: UsagePeriod): boolean =>
  billed.some((one) => one.usageName === usage.name && one.fromAt <= fromAt && toAt <= one.toAt);

/** How far a run looks: to its instant, and where a later day is asked for, to that day. */
const horizonOf = ({ account, run }: Work): Instant => {
  const time = accountTimeOf(account);
  return run.targetDate > localDateOf(run.at, time) ? instantOf(run.targetDate, time) : run.at;
};

/**
 * What has ended by the target date and is not charged. Whoever asks for a day ahead is charged for the period that is
 * under way by what is known of it, and for the rest when it is counted again (Kill Bill 3.4).
 */
const duePeriods = (work: Work, section: UsageSection): readonly UsagePeriod[] => {
  const { ledger, account, run, from } = work;
  const horizon = { until: horizonOf(work), time: accountTimeOf(account), billed: ledger.usage };
  return endedPeriods(section, horizon).periods.filter(
    (period) =>
      period.fromAt <= run.at &&
      period.endDate <= run.targetDate &&
      (from === null || period.endDate > from) &&
      !isBilled(ledger, period),
  );
};

/**
 * Periods charged before that are counted again with the next one of their section: usage may have come late. Only so
 * many back from the last one that was charged; what comes later than that is never charged (Kill Bill 3.4).
 */
const recountedPeriods = ({ ledger, account, settings }: Work, section: UsageSection): readonly UsagePeriod[] => {
  const { usage, phase, period } = section;
  const opening = section.events[0]?.at;
  const own = ledger.usage.filter(
    ({ usageName, fromAt }) => usageName === usage.name && opening !== undefined && fromAt >= opening,
  );
  if (settings.previousUsagePeriods === 0 || own.length === 0) return [];
  const time = accountTimeOf(account);
  const lastEnd = own.reduce((last, { toAt }) => (toAt > last ? toAt : last), opening ?? own[0]?.toAt ?? '') as Instant;
  const earliest = instantOf(plusPeriods(localDateOf(lastEnd, time), period, -settings.previousUsagePeriods), time);
  const seen = new Map<string, UsagePeriod>();
  for (const { fromAt, toAt } of own) {
    if (fromAt < earliest) continue;
    const dates = { startDate: localDateOf(fromAt, time), endDate: localDateOf(toAt, time) };
    seen.set(`${fromAt} ${toAt}`, { usage, phase, fromAt, toAt, ...dates });
  }
  return [...seen.values()];
};

type Wanted = { readonly period: UsagePeriod; readonly isNew: boolean };

/** All periods whose quantities the run needs, those charged before ahead of the new ones of their section. */
const wantedPeriods = (work: Work): readonly Wanted[] =>
  usageSections(work.events).flatMap((section): readonly Wanted[] => {
    const due = duePeriods(work, section);
    if (due.length === 0) return [];
    return [
      ...recountedPeriods(work, section).map((period) => ({ period, isNew: false })),
      ...due.map((period) => ({ period, isNew: true })),
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
export type UnusedPeriod = {
  readonly subscriptionId: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
};

export type ChargedUsage =
  | { readonly items: readonly NewItem[]; readonly unused: readonly UnusedPeriod[] }
  | 'usage-beyond-all-tiers'
  | 'usage-charged-more-before';

/** What the usage of a subscription costs that is due and known; usage that is not known is left out. */
export const usageItems = (work: Work): ChargedUsage => {
  const { ledger } = work;
  const known = knownUsage(ledger);
  const items: NewItem[] = [];
  const unused: UnusedPeriod[] = [];
  for (const { period, isNew } of wantedPeriods(work)) {
    if (!isKnown(known, period)) continue;
    const closed = known.get(keyOf(period)) ?? [];
    const billed = isNew ? [] : billedFor(work, period);
    const made = itemsOf(work, { period, closed, billed, isNew });
    if (typeof made === 'string') return made;
    items.push(...made);
    const { usage, fromAt, toAt } = period;
    if (isNew && made.length === 0)
      unused.push({ subscriptionId: ledger.timeline.subscriptionId, usageName: usage.name, fromAt, toAt });
  }
  return { items, unused };
};

/** What was charged for a period before, as far as the run looks back. */
const billedFor = ({ ledger, from, targetDateOf }: Work, period: UsagePeriod): readonly BilledUsage[] =>
  ledger.usage.filter(
    (one) =>
      usageKey(one.usageName, one.fromAt, one.toAt) === keyOf(period) &&
      (from === null || (targetDateOf(one.invoiceId) ?? from) >= from),
  );

type Counted = Wanted & { readonly closed: readonly ClosedUsage[]; readonly billed: readonly BilledUsage[] };

const itemsOf = (work: Work, counted: Counted): readonly NewItem[] | Exclude<ChargedUsage, object> => {
  const { ledger, currency, settings } = work;
  const { period, closed, billed, isNew } = counted;
  const { usage, phase, fromAt, toAt, startDate, endDate } = period;
  const billedMinor = billed.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const due = { usage, quantities: quantitiesOf(closed), billedMinor };
  const charges = usageCharges(due, isNew, currency, {
    mode: settings.usageDetailMode,
    // Reported usage only grows; what is metered may have been corrected, and is given back (Kill Bill knows no such thing).
    mayFall: closed.some(({ rule }) => rule !== null),
  });
  if (typeof charges === 'string') return `usage-${charges}`;
  const shown = settings.isZeroUsageLeftOut ? charges.filter(({ amountMinor }) => amountMinor !== 0) : charges;
  const trackingIds = newlyCounted(closed, billed);
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
    usagePeriod: { fromAt, toAt },
    itemDetails: usageDetails(charge, closed),
    ...(index === 0 && trackingIds.length > 0 ? { trackingIds } : {}),
  }));
};

/** Reports that no earlier item of the period counted. */
const newlyCounted = (closed: readonly ClosedUsage[], billed: readonly BilledUsage[]): readonly string[] => {
  const before = new Set(billed.flatMap(({ trackingIds }) => trackingIds ?? []));
  return [...new Set(closed.flatMap(({ trackingIds }) => trackingIds ?? []))].filter((id) => !before.has(id));
};
