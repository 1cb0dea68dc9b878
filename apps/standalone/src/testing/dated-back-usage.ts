import { type Instant, epochMs } from '@billstream/kernel';
import { type Customer, usedBetween } from './billed-customer';
import {
  type Priced,
  type Span,
  nameOf,
  openHoursMax,
  pricedSpans,
  priceOfUsage,
  pricesOf,
  unfilledBlockOf,
  unitOf,
  unitPricesOf,
} from './usage-prices';
import { hourMs } from './wishes';

/*
 * What the usage of a customer should have been charged who dated requests back. Periods were charged that are none any
 * more, and usage is never given back nor charged again at another price (Kill Bill 3.4): what a charge holds stays with the
 * price it was charged at, though another has been in force since before its end. So no price can be asked what it should
 * have been charged in all, only each stretch of charges that lie across each other:
 * - one that is alone costs exactly what its hours cost at its price;
 * - several that lie across each other cost for each hour no less than it costs at the cheapest of the prices that may have
 *   charged it, its own and those of the charges that hold it, and no more than at the dearest of these, once;
 * - every hour that was used while a price of this name was in force lies in one of them, but for the last month.
 */

/** What was charged from an instant to another at a price; `untilAt`: up to when it was counted. No price: it cost nothing. */
type Count = Span & { readonly untilAt: Instant; readonly price: string | null; readonly amountMinor: number };

const countsOf = (customer: Customer, subscriptionId: string, usageName: string): readonly Count[] => [
  ...customer.charges().flatMap((item): readonly Count[] => {
    const { usagePeriod: period, amountMinor, phaseName, catalogEffectiveDate } = item;
    if (item.subscriptionId !== subscriptionId || item.usageName !== usageName || period === null) return [];
    const { fromAt, toAt, countedUntil: untilAt = toAt } = period;
    return [{ fromAt, toAt, untilAt, price: nameOf(usageName, phaseName, catalogEffectiveDate), amountMinor }];
  }),
  ...customer.events.flatMap((event): readonly Count[] =>
    event.type !== 'NextInvoiceScheduled'
      ? []
      : (event.data.unused ?? [])
          .filter((one) => one.subscriptionId === subscriptionId && one.usageName === usageName)
          .map(({ fromAt, toAt, countedUntil: untilAt = toAt }) => ({
            ...{ fromAt, toAt, untilAt, price: null, amountMinor: 0 },
          })),
  ),
];

/** Charges in stretches that do not touch each other's hours. */
const stretchesOf = (counts: readonly Count[]): readonly (readonly Count[])[] => {
  const stretches: { readonly counts: Count[]; toAt: Instant }[] = [];
  for (const one of [...counts].sort((a, b) => epochMs(a.fromAt) - epochMs(b.fromAt))) {
    const last = stretches.at(-1);
    if (last === undefined || one.fromAt >= last.toAt) stretches.push({ counts: [one], toAt: one.toAt });
    else {
      last.counts.push(one);
      if (one.toAt > last.toAt) last.toAt = one.toAt;
    }
  }
  return stretches.map((stretch) => stretch.counts);
};

type InForce = Span & { readonly price: string };
/** All that is known of the prices of one name. */
type Known = {
  readonly name: string;
  readonly prices: ReadonlyMap<string, Priced>;
  readonly inForce: readonly InForce[];
};

const wordsOf = (counts: readonly Count[]): string =>
  counts.map(({ fromAt, toAt, amountMinor }) => `${fromAt} to ${toAt}: ${amountMinor}`).join(', ');

const aloneFaults = (counts: readonly Count[], { usage }: Priced): readonly string[] => {
  const fromAt = counts[0]?.fromAt;
  if (fromAt === undefined) return [];
  const toAt = counts.reduce((last, { untilAt }) => (untilAt > last ? untilAt : last), fromAt);
  const owed = priceOfUsage(usage, { fromAt, toAt });
  const charged = counts.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  return charged === owed ? [] : [`${usage.name} ${wordsOf(counts)}, owed ${owed}`];
};

const holds = (fromAt: Instant, toAt: Instant, at: Instant): boolean => fromAt <= at && at < toAt;

const acrossFaults = (counts: readonly Count[], { name, prices, inForce }: Known): readonly string[] => {
  const bounds = [
    ...counts.flatMap(({ fromAt, untilAt }) => [fromAt, untilAt]),
    ...inForce.flatMap((one) => [one.fromAt, one.toAt]),
  ];
  const cuts = [...new Set(bounds)].sort();
  let [least, most] = [0, 0];
  for (const [index, fromAt] of cuts.entries()) {
    const toAt = cuts[index + 1] ?? fromAt;
    const holding = counts.filter((one) => holds(one.fromAt, one.untilAt, fromAt));
    if (holding.length === 0) continue;
    const own = inForce.filter((one) => holds(one.fromAt, one.toAt, fromAt));
    const mayCharge = [...holding, ...own].flatMap(({ price }) => prices.get(price ?? '') ?? []);
    const unitPrices = mayCharge.map(({ usage }) => ({
      used: usedBetween(unitOf(usage), fromAt, toAt),
      unit: unitPricesOf(usage),
    }));
    if (own.length > 0) least += Math.min(...unitPrices.map(({ used, unit }) => used * unit[0]));
    most += Math.max(0, ...unitPrices.map(({ used, unit }) => used * unit[1]));
  }
  const charged = counts.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const priced = counts.flatMap(({ price }) => prices.get(price ?? '') ?? []);
  // Each count rounds once, and begins a block that it may not fill.
  const rounding = counts.length / 2;
  most += priced.reduce((sum, { usage }) => sum + unfilledBlockOf(usage), 0);
  return charged >= least - rounding && charged <= most + rounding
    ? []
    : [`${name} ${wordsOf(counts)}, owed ${least} to ${most}`];
};

const stretchFaults = (counts: readonly Count[], known: Known): readonly string[] => {
  const priced = counts.filter(({ price }) => price !== null);
  const own = known.prices.get(priced[0]?.price ?? '');
  const isAlone = new Set(priced.map(({ fromAt, toAt, price }) => `${fromAt} ${toAt} ${price ?? ''}`)).size === 1;
  const isMetered = [...known.prices.values()].every(({ usage }) => usage.usageType === 'CONSUMABLE');
  return [
    ...(own !== undefined && isAlone ? aloneFaults(priced, own) : []),
    // A level costs its whole price for each part of a period, however short: there is no price of an hour.
    ...(isMetered ? acrossFaults(counts, known) : []),
  ];
};

/** Hours that were used and lie in no charge, but for the last month. */
const gapFaults = (counts: readonly Count[], { name, prices, inForce }: Known, now: Instant): readonly string[] =>
  inForce.flatMap(({ fromAt, toAt, price }) => {
    const usage = prices.get(price)?.usage;
    const until = epochMs(now) - openHoursMax * hourMs;
    if (usage === undefined) return [];
    const bounds = [fromAt, toAt, ...counts.flatMap((one) => [one.fromAt, one.untilAt])].filter(
      (at) => fromAt <= at && at <= toAt,
    );
    const cuts = [...new Set(bounds)].sort();
    return cuts.flatMap((cut, index) => {
      const next = cuts[index + 1] ?? cut;
      const isOpen = epochMs(next) > until;
      const isHeld = counts.some((one) => holds(one.fromAt, one.untilAt, cut));
      return isOpen || isHeld || usedBetween(unitOf(usage), cut, next) === 0
        ? []
        : [`${name}: nothing from ${cut} to ${next}, owed 1 at least`];
    });
  });

export const datedBackFaults = (customer: Customer, subscriptionId: string): readonly string[] => {
  const prices = pricesOf(customer, subscriptionId);
  return [...new Set([...prices.values()].map(({ usage }) => usage.name))].flatMap((name) => {
    const own = new Map([...prices].filter(([, { usage }]) => usage.name === name));
    const inForce = [...own.keys()].flatMap((price) =>
      pricedSpans(customer, subscriptionId, price).map(({ fromAt, toAt }) => ({ fromAt, toAt, price })),
    );
    const known = { name, prices: own, inForce };
    const counts = countsOf(customer, subscriptionId, name);
    return [
      ...stretchesOf(counts).flatMap((stretch) => stretchFaults(stretch, known)),
      ...gapFaults(counts, known, customer.now()),
    ];
  });
};
