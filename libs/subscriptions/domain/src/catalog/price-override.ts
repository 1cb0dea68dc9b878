import type { Decimal } from '@billstream/kernel';
import type { ResolvedBlock, ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';

/** Prices agreed with one subscriber, for the phase of that name, or of that type when it has no name. */
export type PriceOverride = {
  readonly phaseName: string | null;
  readonly phaseType: string | null;
  readonly fixedPrice: Decimal | null;
  readonly recurringPrice: Decimal | null;
  readonly usages: readonly {
    readonly name: string;
    readonly blocks: readonly { readonly unit: string; readonly size: Decimal; readonly price: Decimal }[];
  }[];
};

type BlockPrice = PriceOverride['usages'][number]['blocks'][number];

const blockWith = (block: ResolvedBlock, prices: readonly BlockPrice[]): ResolvedBlock => {
  const agreed = prices.find(({ unit, size }) => unit === block.unit && size === block.size);
  return agreed === undefined ? block : { ...block, price: agreed.price };
};

const usageWith = (usage: ResolvedUsage, { usages }: PriceOverride): ResolvedUsage => {
  const prices = usages.filter(({ name }) => name === usage.name).flatMap(({ blocks }) => blocks);
  return {
    ...usage,
    tiers: usage.tiers.map((tier) => ({ ...tier, blocks: tier.blocks.map((block) => blockWith(block, prices)) })),
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

/** An override changes prices that the plan has; it never adds one where the plan has none. */
export const overridePrices = (
  phases: readonly ResolvedPhase[],
  overrides: readonly PriceOverride[],
): readonly ResolvedPhase[] =>
  phases.map((phase) =>
    phaseWith(
      phase,
      overrides.find(
        ({ phaseName, phaseType }) =>
          phaseName === phase.phaseName || (phaseName === null && phaseType === phase.phaseType),
      ),
    ),
  );
