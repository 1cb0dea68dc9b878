import { type Currency, type Decimal, decimal, settle, toNumber, isStatable } from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import type { ClosedUsage } from '@billstream/metering-contracts';
import { type Quantities, type RatedUsage, type TierCharge, rateUsage } from './rate-usage';

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

const whole = ({ tiers, amount }: RatedUsage, currency: Currency): UsageCharge => ({
  amountMinor: settle(amount, currency).minor,
  rate: null,
  quantity: null,
  tiers,
  total: amount,
});

/**
 * Prices a period and takes off what was charged for it before: money is compared, not units (Kill Bill 3.4). A period
 * charged for the first time gives its item even at zero; one charged before gives another only for what came on top.
 * The whole amount falling below what was charged is `charged-more-before`, unless it may fall: usage is never repaired.
 */
export const usageCharges = (
  { usage, quantities, billedMinor }: Period,
  first: boolean,
  currency: Currency,
  { mode = 'AGGREGATE', mayFall = false }: ChargeRules = {},
): readonly UsageCharge[] | 'beyond-all-tiers' | 'charged-more-before' => {
  const rated = rateUsage(usage, quantities);
  if (rated === 'beyond-all-tiers') return rated;
  // Quantities have no bound of their own; a price that no invoice can state is as good as none.
  if (!isStatable(rated.amount, currency)) return 'beyond-all-tiers';
  // What is owed is rounded as it was when it was charged first: else half a minor unit is taken back and charged for ever.
  const owed =
    mode === 'DETAIL' && usage.usageType === 'CONSUMABLE' ? detailed(rated, currency) : [whole(rated, currency)];
  if (first && billedMinor === 0) return owed;
  const due = owed.reduce((sum, { amountMinor }) => sum + amountMinor, -billedMinor);
  if (due < 0 && !mayFall) return 'charged-more-before';
  if (due === 0 && !first) return [];
  return [{ ...whole(rated, currency), amountMinor: due }];
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
