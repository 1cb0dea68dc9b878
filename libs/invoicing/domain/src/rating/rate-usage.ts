import { type Decimal, compare, divide, isZero, larger, multiply, subtract, sum, zero } from '@billstream/kernel';
import type { ResolvedBlock, ResolvedUsage } from '@billstream/subscriptions-contracts';

/** Quantities of a period by unit: sums for CONSUMABLE, peaks for CAPACITY. A unit that is absent is zero. */
export type Quantities = Readonly<Record<string, Decimal>>;

/** What one tier charged for one unit. Consumable: `quantity` counts blocks. Capacity: it is the level, and the price is the tier's. */
export type TierCharge = {
  /** From 1. */
  readonly tier: number;
  readonly unit: string;
  readonly price: Decimal;
  readonly blockSize: Decimal | null;
  readonly quantity: Decimal;
  readonly amount: Decimal | null;
};

export type RatedUsage = { readonly amount: Decimal; readonly tiers: readonly TierCharge[] };

type TierBlock = { readonly tier: number; readonly block: ResolvedBlock };

const started = (quantity: Decimal, size: Decimal): Decimal => divide(larger(quantity, zero), size, 0, 'CEIL');

const charge = ({ tier, block }: TierBlock, blocks: Decimal): TierCharge => ({
  tier,
  unit: block.unit,
  price: block.price,
  blockSize: block.size,
  quantity: blocks,
  amount: multiply(blocks, block.price),
});

const blocksOf = (usage: ResolvedUsage, unit: string): readonly TierBlock[] =>
  usage.tiers.flatMap(({ blocks }, index) =>
    blocks.filter((block) => block.unit === unit).map((block) => ({ tier: index + 1, block })),
  );

/**
 * Fills the tiers in order, started blocks counting whole. What is beyond the last tier's blocks is not charged, and the
 * first tier is listed even when nothing was used (Kill Bill 3.3).
 */
const throughAllTiers = (tiers: readonly TierBlock[], quantity: Decimal): readonly TierCharge[] => {
  const charges: TierCharge[] = [];
  let left = quantity;
  for (const one of tiers) {
    const { size, max } = one.block;
    const blocks = started(left, size);
    if (max === null || compare(blocks, max) <= 0) return [...charges, charge(one, blocks)];
    charges.push(charge(one, max));
    left = subtract(left, multiply(max, size));
  }
  return charges;
};

/** Prices everything at the tier that is reached; beyond the last tier, at the last. */
const atTopTier = (tiers: readonly TierBlock[], quantity: Decimal): readonly TierCharge[] => {
  let left = quantity;
  let reached: TierBlock | undefined;
  for (const one of tiers) {
    const { size, max } = one.block;
    reached = one;
    if (max !== null && compare(started(left, size), max) <= 0) break;
    if (max !== null) left = subtract(left, multiply(max, size));
  }
  return reached === undefined ? [] : [charge(reached, started(quantity, reached.block.size))];
};

const rateConsumable = (usage: ResolvedUsage, quantities: Quantities): RatedUsage => {
  const walk = usage.tierBlockPolicy === 'TOP_TIER' ? atTopTier : throughAllTiers;
  const tiers = unitsOf(usage).flatMap((unit) => walk(blocksOf(usage, unit), quantities[unit] ?? zero));
  return { amount: sum(tiers.map(({ amount }) => amount ?? zero)), tiers };
};

/** The first tier whose limits hold for all units; its whole price however short the period, nothing when nothing was used. */
const rateCapacity = (usage: ResolvedUsage, quantities: Quantities): RatedUsage | 'beyond-all-tiers' => {
  const quantityOf = (unit: string): Decimal => quantities[unit] ?? zero;
  const index = usage.tiers.findIndex(({ limits }) =>
    limits.every(({ unit, max }) => max === null || compare(quantityOf(unit), max) <= 0),
  );
  const tier = usage.tiers[index];
  if (tier === undefined) return 'beyond-all-tiers';
  const price = tier.recurringPrice ?? zero;
  const tiers = tier.limits.map(({ unit }) => ({
    tier: index + 1,
    unit,
    price,
    blockSize: null,
    quantity: quantityOf(unit),
    amount: null,
  }));
  return { amount: tiers.every(({ quantity }) => isZero(quantity)) ? zero : price, tiers };
};

/** The units a section counts, each once, in the order of the catalog. */
export const unitsOf = ({ tiers }: ResolvedUsage): readonly string[] => [
  ...new Set(tiers.flatMap(({ blocks, limits }) => [...blocks, ...limits].map(({ unit }) => unit))),
];

const isSamePrice = (a: Decimal | null, b: Decimal | null): boolean =>
  a === null || b === null ? a === b : compare(a, b) === 0;

/** Whether two sections charge the same for whatever is used. */
export const isSameTariff = (a: ResolvedUsage, b: ResolvedUsage): boolean =>
  a === b ||
  (a.usageType === b.usageType &&
    a.tierBlockPolicy === b.tierBlockPolicy &&
    a.tiers.length === b.tiers.length &&
    a.tiers.every((tier, place) => isSameTier(tier, b.tiers[place])));

type Tier = ResolvedUsage['tiers'][number];

const isSameTier = (a: Tier, b: Tier | undefined): boolean =>
  b !== undefined &&
  isSamePrice(a.recurringPrice, b.recurringPrice) &&
  a.blocks.length === b.blocks.length &&
  a.blocks.every(({ unit, size, max, price }, place) => {
    const other = b.blocks[place];
    if (other?.unit !== unit) return false;
    return isSamePrice(size, other.size) && isSamePrice(max, other.max) && isSamePrice(price, other.price);
  }) &&
  a.limits.length === b.limits.length &&
  a.limits.every(({ unit, max }, place) => {
    const other = b.limits[place];
    return other?.unit === unit && isSamePrice(max, other.max);
  });

/**
 * The price of a period's usage, not yet rounded (Kill Bill 3.3). A capacity level above every tier is a catalog that
 * cannot answer; the invoice must not guess.
 */
export const rateUsage = (usage: ResolvedUsage, quantities: Quantities): RatedUsage | 'beyond-all-tiers' =>
  usage.usageType === 'CAPACITY' ? rateCapacity(usage, quantities) : rateConsumable(usage, quantities);
