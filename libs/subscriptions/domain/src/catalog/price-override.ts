import type { Decimal } from '@billstream/kernel';
import type { ResolvedBlock, ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';

export type BlockPrice = {
  readonly unit: string;
  readonly size: Decimal;
  readonly price: Decimal;
  /** Tells tiers apart that price the same unit in blocks of the same size; null or absent: not stated; -1: no limit. */
  readonly max?: Decimal | null;
};

/** Prices agreed with one subscriber, for the phase of that name, or of that type when it has no name. */
export type PriceOverride = {
  readonly phaseName: string | null;
  readonly phaseType: string | null;
  readonly fixedPrice: Decimal | null;
  readonly recurringPrice: Decimal | null;
  readonly usages: readonly {
    readonly name: string;
    readonly blocks: readonly BlockPrice[];
    /** Of capacity tiers, in their order; null leaves a tier as it is. */
    readonly tierPrices?: readonly (Decimal | null)[];
  }[];
};

export type BadOverride = { readonly code: 'price-override-invalid'; readonly detail: string };

const isFor = (agreed: BlockPrice, { unit, size, max }: ResolvedBlock): boolean => {
  if (agreed.unit !== unit || agreed.size !== size) return false;
  if (agreed.max === undefined || agreed.max === null) return true;
  return max === null ? agreed.max.startsWith('-') : agreed.max === max;
};

const blockWith = (block: ResolvedBlock, prices: readonly BlockPrice[]): ResolvedBlock => {
  const agreed = prices.find((price) => isFor(price, block));
  return agreed === undefined ? block : { ...block, price: agreed.price };
};

const usageWith = (usage: ResolvedUsage, { usages }: PriceOverride): ResolvedUsage => {
  const agreed = usages.filter(({ name }) => name === usage.name);
  const prices = agreed.flatMap(({ blocks }) => blocks);
  const tierPrices = agreed.find((one) => one.tierPrices !== undefined)?.tierPrices ?? [];
  return {
    ...usage,
    tiers: usage.tiers.map((tier, index) => ({
      ...tier,
      blocks: tier.blocks.map((block) => blockWith(block, prices)),
      recurringPrice: tier.recurringPrice === null ? null : (tierPrices[index] ?? tier.recurringPrice),
    })),
  };
};

const phaseWith = (phase: ResolvedPhase, override: PriceOverride | undefined): ResolvedPhase => {
  if (override === undefined) return phase;
  const { fixedPrice, recurringPrice } = override;
  return {
    ...phase,
    fixedPrice: phase.fixedPrice === null ? null : (fixedPrice ?? phase.fixedPrice),
    recurring: phase.recurring === null ? null : { ...phase.recurring, price: recurringPrice ?? phase.recurring.price },
    usages: phase.usages.map((usage) => usageWith(usage, override)),
  };
};

const concerns = ({ phaseName, phaseType }: PriceOverride, phase: ResolvedPhase): boolean =>
  phaseName === phase.phaseName || (phaseName === null && phaseType === phase.phaseType);

/** An override changes prices that the plan has; it never adds one where the plan has none. */
export const overridePrices = (
  phases: readonly ResolvedPhase[],
  overrides: readonly PriceOverride[],
): readonly ResolvedPhase[] =>
  phases.map((phase) =>
    phaseWith(
      phase,
      overrides.find((override) => concerns(override, phase)),
    ),
  );

const usageRefusal = ({ usages }: PriceOverride, phase: ResolvedPhase): string | null => {
  for (const { name, blocks } of usages) {
    const usage = phase.usages.find((one) => one.name === name);
    if (usage === undefined) return `phase ${phase.phaseName} has no usage ${name}`;
    const known = usage.tiers.flatMap((tier) => tier.blocks);
    const odd = blocks.find((price) => !known.some((block) => isFor(price, block)));
    if (odd !== undefined) return `usage ${name} has no block of ${odd.size} ${odd.unit}`;
  }
  return null;
};

/** A price agreed for what the plan does not have would silently never be charged (Kill Bill 2081). */
export const overrideRefusal = (
  phases: readonly ResolvedPhase[],
  overrides: readonly PriceOverride[],
): BadOverride | null => {
  for (const override of overrides) {
    const phase = phases.find((one) => concerns(override, one));
    const detail =
      phase === undefined
        ? `the plan has no phase ${override.phaseName ?? override.phaseType ?? 'without a name'}`
        : usageRefusal(override, phase);
    if (detail !== null) return { code: 'price-override-invalid', detail: `Invalid price override: ${detail}` };
  }
  return null;
};
