import { type Currency, type Decimal, zero } from '@billstream/kernel';
import type { ResolvedBlock, ResolvedPhase, ResolvedUsage } from '@billstream/subscriptions-contracts';
import {
  type CatalogBlock,
  type CatalogPhase,
  type CatalogTier,
  type CatalogUsage,
  type CatalogVersion,
  type Prices,
  phaseName,
} from './catalog';
import { productOf } from './catalog-index';
import type { FoundPlan } from './find-plan';
import { billingAlignmentOf } from './plan-rules';

/** The catalog prices it, but not in this currency (Kill Bill 2010). */
export type NoPrice = { readonly code: 'no-price-in-currency'; readonly detail: string };

/** Thrown and caught within this file alone, so that each price need not be asked for on its own. */
class PriceMissing extends Error {}

const priceIn = (prices: Prices, currency: Currency, what: string): Decimal => {
  if (Object.keys(prices).length === 0) return zero;
  const price = prices[currency];
  if (price === undefined) throw new PriceMissing(`There is no price in ${currency} for ${what}`);
  return price;
};

const unlimitedToNull = (max: Decimal | null): Decimal | null => (max === null || max.startsWith('-') ? null : max);

const blockIn = (block: CatalogBlock, currency: Currency, usage: string): ResolvedBlock => ({
  unit: block.unit,
  size: block.size,
  max: unlimitedToNull(block.max),
  price: priceIn(block.prices, currency, `unit ${block.unit} of usage ${usage}`),
});

const tierIn = (tier: CatalogTier, currency: Currency, usage: string): ResolvedUsage['tiers'][number] => {
  const prices = tier.recurringPrice ?? tier.fixedPrice;
  return {
    blocks: tier.blocks.map((block) => blockIn(block, currency, usage)),
    limits: tier.limits.map(({ unit, max }) => ({ unit, max: unlimitedToNull(max) })),
    recurringPrice: prices === null ? null : priceIn(prices, currency, `usage ${usage}`),
  };
};

const usageIn = (usage: CatalogUsage, currency: Currency): ResolvedUsage => ({
  name: usage.name,
  usageType: usage.usageType,
  billingMode: usage.billingMode,
  billingPeriod: usage.billingPeriod,
  tierBlockPolicy: usage.tierBlockPolicy,
  tiers: usage.tiers.map((tier) => tierIn(tier, currency, usage.name)),
});

const durationOf = ({ duration: { unit, number } }: CatalogPhase): ResolvedPhase['duration'] =>
  unit === 'UNLIMITED' ? null : { unit, number };

const recurringIn = ({ recurring }: CatalogPhase, currency: Currency, name: string): ResolvedPhase['recurring'] =>
  recurring === null || recurring.billingPeriod === 'NO_BILLING_PERIOD'
    ? null
    : {
        price: priceIn(recurring.prices, currency, `the recurring charge of ${name}`),
        billingPeriod: recurring.billingPeriod,
      };

const phaseIn = (
  version: CatalogVersion,
  { plan, facts }: FoundPlan,
  phase: CatalogPhase,
  currency: Currency,
): ResolvedPhase => {
  const name = phaseName(plan.name, phase.type);
  return {
    planName: plan.name,
    prettyPlanName: plan.prettyName,
    productName: facts.productName,
    prettyProductName: productOf(version, facts.productName)?.prettyName ?? null,
    productCategory: facts.productCategory,
    priceList: facts.priceList,
    phaseName: name,
    prettyPhaseName: phase.prettyName,
    phaseType: phase.type,
    duration: durationOf(phase),
    fixedPrice: phase.fixed === null ? null : priceIn(phase.fixed.prices, currency, `the fixed charge of ${name}`),
    recurring: recurringIn(phase, currency, name),
    recurringBillingMode: plan.recurringBillingMode,
    usages: phase.usages.map((usage) => usageIn(usage, currency)),
    billingAlignment: billingAlignmentOf(version.rules, facts, phase.type),
    catalogEffectiveDate: version.effectiveDate,
  };
};

/** All phases of the plan with their prices in one currency; refused when a price exists, but not in that currency. */
export const resolvePlan = (
  version: CatalogVersion,
  found: FoundPlan,
  currency: Currency | null,
): { readonly phases: readonly ResolvedPhase[] } | { readonly rejected: NoPrice } => {
  if (currency === null)
    return {
      rejected: {
        code: 'no-price-in-currency',
        detail: `The account has no currency, so ${found.plan.name} has no price`,
      },
    };
  try {
    return { phases: found.plan.phases.map((phase) => phaseIn(version, found, phase, currency)) };
  } catch (error) {
    if (error instanceof PriceMissing) return { rejected: { code: 'no-price-in-currency', detail: error.message } };
    throw error;
  }
};
