import type { InvoiceItem } from '@billstream/invoicing-domain';
import { type Instant, epochMs } from '@billstream/kernel';
import type { ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';
import { type Customer, usedBetween } from './billed-customer';
import { hourMs } from './wishes';

/*
 * What the usage of a customer should have been charged, period by period from the hours that were used, and priced by
 * arithmetic of its own. Amounts are minor units.
 */

type Tier = ResolvedUsage['tiers'][number];

/** Millionths of a dollar, so that tenths of a cent are whole numbers. */
const millionths = (price: unknown): number => Math.round(Number(price) * 1_000_000);

const priceOfBlocks = (tiers: readonly Tier[], unit: string, used: number): number => {
  let left = used;
  let price = 0;
  for (const { blocks } of tiers) {
    const block = blocks.find((one) => one.unit === unit);
    if (block === undefined || left <= 0) continue;
    const started = Math.ceil(left / Number(block.size));
    const taken = block.max === null ? started : Math.min(started, Number(block.max));
    price += taken * millionths(block.price);
    left -= taken * Number(block.size);
  }
  return price;
};

const priceOfLevel = (tiers: readonly Tier[], level: number): number => {
  const tier = tiers.find(({ limits }) => limits.every(({ max }) => max === null || level <= Number(max)));
  return level === 0 ? 0 : millionths(tier?.recurringPrice);
};

type Span = { readonly fromAt: Instant; readonly toAt: Instant };

const unitOf = ({ tiers: [first] }: ResolvedUsage): string => first?.blocks[0]?.unit ?? first?.limits[0]?.unit ?? '';

const priceOfUsage = (usage: ResolvedUsage, { fromAt, toAt }: Span): number => {
  const unit = unitOf(usage);
  const used = usedBetween(unit, fromAt, toAt);
  const price =
    usage.usageType === 'CAPACITY' ? priceOfLevel(usage.tiers, used) : priceOfBlocks(usage.tiers, unit, used);
  return Math.round(price / 10_000);
};

/** A usage price of a phase in one catalog version: another version is another price. */
type Priced = { readonly usage: ResolvedUsage; readonly phase: ResolvedPhase };

const nameOf = (usageName: string | null, phaseName: string | null, version: Instant | null): string =>
  `${usageName ?? ''} of ${phaseName ?? ''} of ${version ?? ''}`;

const pricesOf = (customer: Customer, subscriptionId: string): ReadonlyMap<string, Priced> =>
  new Map(
    customer
      .phases(subscriptionId)
      .flatMap((phase) =>
        phase.usages.map((usage) => [
          nameOf(usage.name, phase.phaseName, phase.catalogEffectiveDate),
          { usage, phase },
        ]),
      ),
  );

type OpenSpan = Span & { readonly isQuiet: boolean };

const joined = (spans: readonly OpenSpan[]): readonly OpenSpan[] =>
  spans.reduce<readonly OpenSpan[]>((all, next) => {
    const last = all.at(-1);
    return last?.toAt === next.fromAt ? [...all.slice(0, -1), { ...next, fromAt: last.fromAt }] : [...all, next];
  }, []);

/** When a usage price was in force until now; `isQuiet`: a newer version of it went on, whose bill date charges both. */
const pricedSpans = (customer: Customer, subscriptionId: string, price: string): readonly OpenSpan[] => {
  const timeline = customer.timeline(subscriptionId);
  const now = customer.now();
  return joined(
    timeline.flatMap(({ effectiveAt: fromAt, phase }, index) => {
      const next = timeline[index + 1];
      const toAt = next !== undefined && next.effectiveAt < now ? next.effectiveAt : now;
      const isInForce =
        phase?.usages.some(({ name }) => nameOf(name, phase.phaseName, phase.catalogEffectiveDate) === price) ?? false;
      return fromAt < toAt && isInForce ? [{ fromAt, toAt, isQuiet: next?.isNewVersion === true }] : [];
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

const chargeFault = (usage: ResolvedUsage, charge: Charge, now: Instant): readonly string[] => {
  const { fromAt, toAt, amountMinor } = charge;
  // What is under way was charged by what was used up to some earlier day.
  const isUnderWay = toAt > now;
  const owed = priceOfUsage(usage, isUnderWay ? { fromAt, toAt: now } : charge);
  const isFair = isUnderWay ? amountMinor >= 0 && amountMinor <= owed : amountMinor === owed;
  return isFair ? [] : [`${usage.name} ${fromAt} to ${toAt}: ${amountMinor}, owed ${owed}`];
};

/** A month at most is not charged yet. */
const openHoursMax = 32 * 24;

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

/** The least that a unit can cost, in millionths. */
const leastOf = ({ tiers, usageType }: ResolvedUsage): number =>
  usageType === 'CAPACITY'
    ? 0
    : Math.min(...tiers.flatMap(({ blocks }) => blocks.map(({ price, size }) => millionths(price) / Number(size))));

/**
 * Where requests were dated back, periods were charged that are none any more, and usage is never given back: not less than
 * the least it can cost is all that can be said. What was charged ahead of its end counts as far as it had come.
 */
const shortfall = (usage: ResolvedUsage, spans: readonly OpenSpan[], charges: readonly Charge[], now: Instant) => {
  const charged = charges.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const owed = spans.reduce((sum, span) => {
    // The last month may not be charged yet.
    const recent = epochMs(now) - openHoursMax * hourMs;
    const isClosed = epochMs(span.toAt) <= recent;
    const ends = charges.map(({ toAt }) => toAt).filter((end) => span.fromAt < end && end <= span.toAt && end <= now);
    const toAt = isClosed ? span.toAt : ends.reduce((last, end) => (end > last ? end : last), span.fromAt);
    return sum + (usedBetween(unitOf(usage), span.fromAt, toAt) * leastOf(usage)) / 10_000;
  }, 0);
  return charged >= owed - 1 - charges.length ? [] : [`${usage.name}: ${charged} in all, owed ${owed} at least`];
};

export const usageFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const items = customer.charges().filter((item) => item.type === 'USAGE' && item.subscriptionId === subscriptionId);
  const chargeOf = ({ usagePeriod, amountMinor }: InvoiceItem): readonly Charge[] =>
    usagePeriod === null ? [] : [{ ...usagePeriod, amountMinor }];
  return [...pricesOf(customer, subscriptionId)].flatMap(([price, { usage }]) => {
    const charges = items
      .filter((item) => nameOf(item.usageName, item.phaseName, item.catalogEffectiveDate) === price)
      .flatMap(chargeOf);
    const spans = pricedSpans(customer, subscriptionId, price);
    if (customer.isDatedBack()) return shortfall(usage, spans, charges, customer.now());
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
