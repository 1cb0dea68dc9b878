import type { Instant } from '@billstream/kernel';
import type { ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';
import { type Customer, usedBetween } from './billed-customer';

/* What usage costs by arithmetic of its own, and when which price was in force. Amounts are minor units. */

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

export type Span = { readonly fromAt: Instant; readonly toAt: Instant };

export const unitOf = ({ tiers: [first] }: ResolvedUsage): string =>
  first?.blocks[0]?.unit ?? first?.limits[0]?.unit ?? '';

export const priceOfUsage = (usage: ResolvedUsage, { fromAt, toAt }: Span): number => {
  const unit = unitOf(usage);
  const used = usedBetween(unit, fromAt, toAt);
  const price =
    usage.usageType === 'CAPACITY' ? priceOfLevel(usage.tiers, used) : priceOfBlocks(usage.tiers, unit, used);
  return Math.round(price / 10_000);
};

/** A usage price of a phase in one catalog version: another version is another price. */
export type Priced = { readonly usage: ResolvedUsage; readonly phase: ResolvedPhase };

export const nameOf = (usageName: string | null, phaseName: string | null, version: Instant | null): string =>
  `${usageName ?? ''} of ${phaseName ?? ''} of ${version ?? ''}`;

/** Prices of usage in arrear: none other is charged (Kill Bill 3.1). */
export const pricesOf = (customer: Customer, subscriptionId: string): ReadonlyMap<string, Priced> =>
  new Map(
    customer
      .phases(subscriptionId)
      .flatMap((phase) =>
        phase.usages
          .filter(({ billingMode }) => billingMode === 'IN_ARREAR')
          .map((usage) => [nameOf(usage.name, phase.phaseName, phase.catalogEffectiveDate), { usage, phase }]),
      ),
  );

export type OpenSpan = Span & { readonly isQuiet: boolean };

const joined = (spans: readonly OpenSpan[]): readonly OpenSpan[] =>
  spans.reduce<readonly OpenSpan[]>((all, next) => {
    const last = all.at(-1);
    return last?.toAt === next.fromAt ? [...all.slice(0, -1), { ...next, fromAt: last.fromAt }] : [...all, next];
  }, []);

/** When a usage price was in force until now; `isQuiet`: a newer version of it went on, whose bill date charges both. */
export const pricedSpans = (customer: Customer, subscriptionId: string, price: string): readonly OpenSpan[] => {
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

/** A month at most is not charged yet. */
export const openHoursMax = 32 * 24;

/** The least and the most that a unit can cost in whole blocks, in minor units. */
export const unitPricesOf = ({ tiers }: ResolvedUsage): readonly [least: number, most: number] => {
  const each = tiers.flatMap(({ blocks }) =>
    blocks.map(({ price, size }) => millionths(price) / Number(size) / 10_000),
  );
  return [Math.min(...each), Math.max(...each)];
};

/** The most that the units cost which a count's last block holds beyond what was used, in minor units. */
export const unfilledBlockOf = ({ tiers }: ResolvedUsage): number =>
  Math.max(
    ...tiers.flatMap(({ blocks }) =>
      blocks.map(({ price, size }) => (millionths(price) * (1 - 1 / Number(size))) / 10_000),
    ),
  );
