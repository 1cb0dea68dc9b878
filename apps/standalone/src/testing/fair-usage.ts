import type { InvoiceItem } from '@billstream/invoicing-domain';
import { type Instant, epochMs } from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import type { Customer } from './billed-customer';
import { datedBackFaults } from './dated-back-usage';
import { type OpenSpan, type Span, nameOf, openHoursMax, pricedSpans, priceOfUsage, pricesOf } from './usage-prices';
import { hourMs } from './wishes';

/*
 * What the usage of a customer should have been charged, period by period from the hours that were used. Amounts are minor
 * units.
 */

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

const chargeFault = (usage: ResolvedUsage, charge: Charge, now: Instant): readonly string[] => {
  const { fromAt, toAt, amountMinor } = charge;
  // What is under way was charged by what was used up to some earlier day.
  const isUnderWay = toAt > now;
  const owed = priceOfUsage(usage, isUnderWay ? { fromAt, toAt: now } : charge);
  const isFair = isUnderWay ? amountMinor >= 0 && amountMinor <= owed : amountMinor === owed;
  return isFair ? [] : [`${usage.name} ${fromAt} to ${toAt}: ${amountMinor}, owed ${owed}`];
};

const spanFaults = (
  usage: ResolvedUsage,
  span: OpenSpan,
  charges: readonly Charge[],
  now: Instant,
): readonly string[] => {
  const isRecent = epochMs(now) - epochMs(span.toAt) < openHoursMax * hourMs;
  const isOpen = span.toAt === now || (span.isQuiet && isRecent);
  const periods = periodsOf(span, charges, isOpen);
  const faults = periods.flatMap((period) => chargeFault(usage, period, now));
  const first = periods[0]?.fromAt ?? span.toAt;
  if (first !== span.fromAt && !isOpen) faults.push(`${usage.name}: nothing from ${span.fromAt} to ${first}`);
  const last = periods.at(-1)?.toAt ?? span.fromAt;
  if (isOpen && epochMs(now) - epochMs(last) >= openHoursMax * hourMs)
    faults.push(`${usage.name}: nothing since ${last}`);
  return faults;
};

/** Charges of usage that has no price. */
const unpricedFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const prices = pricesOf(customer, subscriptionId);
  return customer.charges().flatMap((item) => {
    const { type, usageName, phaseName, catalogEffectiveDate, amountMinor } = item;
    if (type !== 'USAGE' || item.subscriptionId !== subscriptionId) return [];
    const price = nameOf(usageName, phaseName, catalogEffectiveDate);
    return prices.has(price) ? [] : [`${price}: ${amountMinor}, owed 0`];
  });
};

export const usageFaults = (customer: Customer, subscriptionId: string): readonly string[] => [
  ...unpricedFaults(customer, subscriptionId),
  ...(customer.isDatedBack() ? datedBackFaults : inOrderFaults)(customer, subscriptionId),
];

const inOrderFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const items = customer.charges().filter((item) => item.type === 'USAGE' && item.subscriptionId === subscriptionId);
  const chargeOf = ({ usagePeriod, amountMinor }: InvoiceItem): readonly Charge[] =>
    usagePeriod === null ? [] : [{ ...usagePeriod, amountMinor }];
  return [...pricesOf(customer, subscriptionId)].flatMap(([price, { usage }]) => {
    const charges = items
      .filter((item) => nameOf(item.usageName, item.phaseName, item.catalogEffectiveDate) === price)
      .flatMap(chargeOf);
    const spans = pricedSpans(customer, subscriptionId, price);
    // A price that went as soon as it came may have been charged ahead of what was never used.
    const strays = charges.filter(
      ({ fromAt, amountMinor }) =>
        amountMinor !== 0 && !spans.some((span) => span.fromAt <= fromAt && fromAt < span.toAt),
    );
    return [
      ...spans.flatMap((span) => spanFaults(usage, span, charges, customer.now())),
      ...strays.map(({ fromAt, amountMinor }) => `${usage.name} from ${fromAt}: ${amountMinor}, owed nothing`),
    ];
  });
};
