import {
  type Currency,
  type Decimal,
  add,
  compare,
  decimal,
  divide,
  isStatable,
  isZero,
  money,
  multiply,
  settle,
  subtract,
  toDecimal,
  toNumber,
  zero,
} from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import type { ClosedUsage } from '@billstream/metering-contracts';
import { type Quantities, type RatedUsage, type TierCharge, rateUsage, unitsOf } from './rate-usage';

/** AGGREGATE: one item a period and section. DETAIL: one item a tier and unit, with its blocks and their price. */
export type UsageDetailMode = 'AGGREGATE' | 'DETAIL';

/** What a period of one section still has to be charged. */
export type UsageCharge = {
  readonly amountMinor: number;
  readonly rate: Decimal | null;
  readonly quantity: Decimal | null;
  /** The tiers that priced it; all of them in AGGREGATE, one in DETAIL. */
  readonly tiers: readonly TierCharge[];
  readonly total: Decimal;
};

type Period = { readonly usage: ResolvedUsage; readonly quantities: Quantities; readonly billedMinor: number };

export type ChargeRules = {
  readonly mode?: UsageDetailMode;
  /** Whether less than was charged before is given back. */
  readonly mayFall?: boolean;
};

const detailed = (rated: RatedUsage, currency: Currency): readonly UsageCharge[] =>
  rated.tiers.map((tier) => ({
    amountMinor: settle(tier.amount ?? rated.amount, currency).minor,
    rate: tier.price,
    quantity: tier.quantity,
    tiers: [tier],
    total: tier.amount ?? rated.amount,
  }));

const isChargedByTier = ({ usageType }: ResolvedUsage, mode: UsageDetailMode = 'AGGREGATE'): boolean =>
  mode === 'DETAIL' && usageType === 'CONSUMABLE';

const whole = ({ tiers, amount }: RatedUsage, currency: Currency): UsageCharge => ({
  amountMinor: settle(amount, currency).minor,
  rate: null,
  quantity: null,
  tiers,
  total: amount,
});

const one = decimal(1);

/** How many blocks of a price an amount was charged for; null where another number of them costs the same. */
const blocksCharged = (amountMinor: number, price: Decimal, currency: Currency): Decimal | null => {
  if (isZero(price)) return null;
  const blocks = divide(toDecimal(money(amountMinor, currency)), price, 0);
  const costs = (count: Decimal): boolean => settle(multiply(count, price), currency).minor === amountMinor;
  return costs(blocks) && !costs(add(blocks, one)) && !costs(subtract(blocks, one)) ? blocks : null;
};

/** A tier with what came on top of the blocks that were charged before. */
const grownBy = ({ price, ...tier }: TierCharge, before: Decimal, amountMinor: number): UsageCharge => {
  const quantity = subtract(tier.quantity, before);
  const total = multiply(quantity, price);
  return { amountMinor, rate: price, quantity, tiers: [{ ...tier, price, quantity, amount: total }], total };
};

/**
 * What came on top, by tier: the first one also when nothing did, the others when something did (Kill Bill 3.3). Tiers are
 * filled in order, so the amount that was charged says how far they were. Null where it does not: with several units, with
 * a price so low, or nothing, that different numbers of blocks cost the same, or where less is owed than was charged.
 */
const onTop = (
  rated: RatedUsage,
  { usage, billedMinor }: Period,
  currency: Currency,
): readonly UsageCharge[] | null => {
  if (billedMinor < 0 || usage.tierBlockPolicy !== 'ALL_TIERS' || unitsOf(usage).length !== 1) return null;
  let left = billedMinor;
  const charges: UsageCharge[] = [];
  for (const tier of rated.tiers) {
    const { minor } = settle(tier.amount ?? zero, currency);
    const taken = Math.min(left, minor);
    left -= taken;
    const before = left > 0 ? tier.quantity : blocksCharged(taken, tier.price, currency);
    if (before === null) return null;
    if (charges.length === 0 || compare(tier.quantity, before) > 0) charges.push(grownBy(tier, before, minor - taken));
  }
  return left > 0 ? null : charges;
};

/**
 * Prices a period and takes off what was charged for it before: money is compared, not units (Kill Bill 3.4). A period
 * charged for the first time gives its item even at zero; one charged before gives another only for what came on top.
 * The whole amount falling below what was charged is `charged-more-before`, unless it may fall: usage is never repaired.
 */
export const usageCharges = (
  { usage, quantities, billedMinor }: Period,
  first: boolean,
  currency: Currency,
  { mode, mayFall = false }: ChargeRules = {},
): readonly UsageCharge[] | 'beyond-all-tiers' | 'charged-more-before' => {
  const rated = rateUsage(usage, quantities);
  if (rated === 'beyond-all-tiers') return rated;
  // Quantities have no bound of their own; a price that no invoice can state is as good as none.
  if (!isStatable(rated.amount, currency)) return 'beyond-all-tiers';
  // What is owed is rounded as it was when it was charged first: else half a minor unit is taken back and charged for ever.
  const isByTier = isChargedByTier(usage, mode);
  const owed = isByTier ? detailed(rated, currency) : [whole(rated, currency)];
  if (first && billedMinor === 0) return owed;
  const dueMinor = owed.reduce((sum, { amountMinor }) => sum + amountMinor, -billedMinor);
  if (dueMinor < 0 && !mayFall) return 'charged-more-before';
  if (dueMinor === 0 && !first) return [];
  const byTier = isByTier ? onTop(rated, { usage, quantities, billedMinor }, currency) : null;
  return byTier ?? [{ ...whole(rated, currency), amountMinor: dueMinor }];
};

const tierJson = ({ tier, unit, price, blockSize, quantity, amount }: TierCharge): object => ({
  tier,
  tierUnit: unit,
  tierPrice: toNumber(price),
  ...(blockSize === null ? {} : { tierBlockSize: toNumber(blockSize) }),
  quantity: toNumber(quantity),
  ...(amount === null ? {} : { amount: toNumber(amount) }),
});

/** The reports themselves are on the item: there may be very many. */
const lineageJson = ({ quantity, metered, free, ...rest }: Omit<ClosedUsage, 'trackingIds'>): object => ({
  ...rest,
  quantity: toNumber(quantity),
  metered: toNumber(metered),
  free: toNumber(free),
});

/** Kill Bill's `itemDetails` of a usage item, JSON as text: its tiers and amount, and beside them where the quantities come from. */
export const usageDetails = ({ tiers, total }: UsageCharge, closed: readonly ClosedUsage[]): string =>
  JSON.stringify({
    tierDetails: tiers.map(tierJson),
    amount: toNumber(total),
    usage: closed.map(({ trackingIds, ...one }) => ({ ...lineageJson(one), reports: trackingIds?.length ?? 0 })),
  });

/** Quantities to charge, by unit. */
export const quantitiesOf = (closed: readonly ClosedUsage[]): Quantities =>
  Object.fromEntries(closed.map(({ unit, quantity }) => [unit, decimal(quantity)]));
