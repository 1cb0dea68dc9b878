import type { InvoiceItem } from '@billstream/invoicing-domain';
import { type Instant, type LocalDate, daysBetween, epochMs, localDateOf, plusDays } from '@billstream/kernel';
import { type Customer, hourMs, usedBetween } from './billed-customer';
import { startsAt } from './histories';

/*
 * What a customer should have been charged, found out by other means than the engine's: recurring prices day by day,
 * usage period by period from the hours that were used. Amounts are minor units.
 */

export const itemsOf = (customer: Customer, bundleId: string): readonly InvoiceItem[] =>
  customer.invoices().flatMap(({ items }) => items.filter(({ subscriptionId }) => subscriptionId === bundleId));

const repairsOf = ({ itemId }: InvoiceItem, items: readonly InvoiceItem[]): readonly InvoiceItem[] =>
  items.filter(({ type, linkedItemId }) => type === 'REPAIR_ADJ' && linkedItemId === itemId);

/** The terms by which each day is charged: those of the recurring items that stand on it after repairs. */
const chargedDays = (items: readonly InvoiceItem[]): ReadonlyMap<LocalDate, string> => {
  const days = new Map<LocalDate, string>();
  for (const item of items) {
    if (item.type !== 'RECURRING') continue;
    const repairs = repairsOf(item, items);
    for (let day = item.startDate; day < (item.endDate ?? day); day = plusDays(day, 1)) {
      if (repairs.some(({ startDate, endDate }) => startDate <= day && day < (endDate ?? day))) continue;
      const others = days.has(day) ? `${days.get(day) ?? ''} and again ` : '';
      days.set(day, `${others}${item.planName ?? ''} ${Number(item.rate)}`);
    }
  }
  return days;
};

/**
 * Each day with the terms it is charged by and the terms it should be: the same when each is charged once and none is
 * lost. Days to come are charged in advance, or not yet.
 */
export const recurringOf = (customer: Customer, bundleId: string) => {
  const { account } = customer.state();
  if (account === null) throw new Error('no account');
  const timeline = customer.timeline(bundleId).map(({ effectiveAt, phase, quantity }) => ({
    from: localDateOf(effectiveAt, account),
    terms: phase?.recurring == null ? '' : `${phase.planName} ${Number(phase.recurring.price) * quantity}`,
  }));
  const days = chargedDays(itemsOf(customer, bundleId));
  const today = localDateOf(customer.now(), account);
  const until = [...days.keys()].reduce((last, day) => (day >= last ? plusDays(day, 1) : last), today);
  const charged: string[] = [];
  const owed: string[] = [];
  for (let day = localDateOf(startsAt, account); day < until; day = plusDays(day, 1)) {
    const terms = days.get(day);
    if (terms === undefined && day >= today) continue;
    charged.push(`${day} ${terms ?? ''}`);
    // The last transition of a day rules it: what lasts less than a day is not charged.
    owed.push(`${day} ${timeline.findLast(({ from }) => from <= day)?.terms ?? ''}`);
  }
  return { charged, owed };
};

const recurringFaults = (customer: Customer, bundleId: string): readonly string[] => {
  const { charged, owed } = recurringOf(customer, bundleId);
  return owed.flatMap((day, index) => (charged[index] === day ? [] : [`${charged[index] ?? ''}, owed ${day}`]));
};

/** What an item nets to is its price for the days that stand, to a minor unit for it and each of its repairs. */
const priceFaults = (items: readonly InvoiceItem[]): readonly string[] =>
  items.flatMap((item) => {
    if (item.type !== 'RECURRING' || item.endDate === null) return [];
    const repairs = repairsOf(item, items);
    const whole = daysBetween(item.startDate, item.endDate);
    const stands = repairs.reduce(
      (days, { startDate, endDate }) => days - daysBetween(startDate, endDate ?? startDate),
      whole,
    );
    const net = repairs.reduce((sum, { amountMinor }) => sum + amountMinor, item.amountMinor);
    const fair = (item.amountMinor * stands) / whole;
    const isFair = Math.abs(net - fair) <= 1 + repairs.length;
    return isFair
      ? []
      : [`${item.startDate} to ${item.endDate}: ${net} for ${stands} of ${whole} days, fair is ${fair}`];
  });

const perBlock: Readonly<Record<string, { readonly size: number; readonly milliCents: number }>> = {
  'standard-monthly-host': { size: 1, milliCents: 1_000 },
  'standard-pro-host': { size: 1, milliCents: 1_700 },
  'standard-monthly-analytics': { size: 100, milliCents: 200_000 },
  'standard-pro-analytics': { size: 200, milliCents: 200_000 },
};

type Span = { readonly fromAt: Instant; readonly toAt: Instant };

const priceOfUsage = (usageName: string, { fromAt, toAt }: Span): number => {
  const price = perBlock[usageName];
  if (price === undefined) throw new RangeError(`no price for ${usageName}`);
  const used = usedBetween(usageName.endsWith('host') ? 'host' : 'analytics', fromAt, toAt);
  return Math.round((Math.ceil(used / price.size) * price.milliCents) / 1_000);
};

const joined = (spans: readonly Span[]): readonly Span[] =>
  spans.reduce<readonly Span[]>((all, next) => {
    const last = all.at(-1);
    return last?.toAt === next.fromAt ? [...all.slice(0, -1), { ...last, toAt: next.toAt }] : [...all, next];
  }, []);

/** When a usage price was in force until now. */
const pricedSpans = (customer: Customer, bundleId: string, usageName: string): readonly Span[] => {
  const timeline = customer.timeline(bundleId);
  const now = customer.now();
  return joined(
    timeline.flatMap(({ effectiveAt: fromAt, phase }, index) => {
      const end = timeline[index + 1]?.effectiveAt ?? now;
      const toAt = end < now ? end : now;
      return fromAt < toAt && (phase?.usages.some(({ name }) => name === usageName) ?? false) ? [{ fromAt, toAt }] : [];
    }),
  );
};

type Charge = Span & { readonly amountMinor: number };

/**
 * The periods into which what was charged cuts a span, each with all that was charged from its beginning on. One may have
 * been charged several times, for longer periods than it turned out to be: while it was under way, before a pause or
 * another bill cycle day ended it. Each lasts until the next, the last one to the end of the span; where the span goes on,
 * to the earliest end it was charged to.
 */
const periodsOf = ({ fromAt, toAt }: Span, charges: readonly Charge[], isOpen: boolean): readonly Charge[] => {
  const own = charges.filter((one) => fromAt <= one.fromAt && one.fromAt < toAt);
  const starts = [...new Set(own.map((one) => one.fromAt))].sort();
  return starts.map((start, index) => {
    const same = own.filter((one) => one.fromAt === start);
    const ends = same.map((one) => one.toAt).sort();
    const end = starts[index + 1] ?? (isOpen ? ends[0] : toAt) ?? toAt;
    return { fromAt: start, toAt: end, amountMinor: same.reduce((sum, { amountMinor }) => sum + amountMinor, 0) };
  });
};

const chargeFault = (usageName: string, charge: Charge, now: Instant): readonly string[] => {
  const { fromAt, toAt, amountMinor } = charge;
  // What is under way was charged by what was used up to some earlier day.
  const isUnderWay = toAt > now;
  const owed = priceOfUsage(usageName, isUnderWay ? { fromAt, toAt: now } : charge);
  const isFair = isUnderWay ? amountMinor >= 0 && amountMinor <= owed : amountMinor === owed;
  return isFair ? [] : [`${usageName} ${fromAt} to ${toAt}: ${amountMinor}, owed ${owed}`];
};

/** A month at most is not charged yet. */
const openHoursMax = 32 * 24;

const spanFaults = (usageName: string, span: Span, charges: readonly Charge[], now: Instant): readonly string[] => {
  const isOpen = span.toAt === now;
  const periods = periodsOf(span, charges, isOpen);
  const faults = periods.flatMap((period) => chargeFault(usageName, period, now));
  const first = periods[0]?.fromAt ?? span.toAt;
  if (first !== span.fromAt && !isOpen) faults.push(`${usageName}: nothing from ${span.fromAt} to ${first}`);
  const last = periods.at(-1)?.toAt ?? span.fromAt;
  if (isOpen && epochMs(now) - epochMs(last) >= openHoursMax * hourMs)
    faults.push(`${usageName}: nothing since ${last}`);
  return faults;
};

const usageFaults = (customer: Customer, bundleId: string): readonly string[] => {
  const usage = itemsOf(customer, bundleId).filter(({ type }) => type === 'USAGE');
  return Object.keys(perBlock).flatMap((usageName) => {
    const charges = usage.flatMap((item): readonly Charge[] =>
      item.usageName === usageName && item.usagePeriod !== null
        ? [{ ...item.usagePeriod, amountMinor: item.amountMinor }]
        : [],
    );
    const spans = pricedSpans(customer, bundleId, usageName);
    // A price that went as soon as it came may have been charged ahead of what was never used.
    const strays = charges.filter(
      ({ fromAt, amountMinor }) =>
        amountMinor !== 0 && !spans.some((span) => span.fromAt <= fromAt && fromAt < span.toAt),
    );
    return [
      ...spans.flatMap((span) => spanFaults(usageName, span, charges, customer.now())),
      ...strays.map(({ fromAt, amountMinor }) => `${usageName} from ${fromAt}: ${amountMinor}, owed nothing`),
    ];
  });
};

/** What a subscription was charged too much or too little, in words; empty when all of it is right. */
export const faultsOf = (customer: Customer, bundleId: string): readonly string[] => [
  ...recurringFaults(customer, bundleId),
  ...priceFaults(itemsOf(customer, bundleId)),
  ...usageFaults(customer, bundleId),
];
