import { toNumber } from '@billstream/kernel';
import {
  type Catalog,
  type CatalogPhase,
  type CatalogPlan,
  type CatalogProduct,
  type CatalogTier,
  type CatalogUsage,
  type CatalogVersion,
  type Prices,
  billingPeriodOf,
  finalPhase,
  priceListsOf,
} from '@billstream/subscriptions-domain';

/** How Kill Bill shows a catalog (its CatalogJson): rules are not part of it, figures of limits and blocks are text. */
const pricesJson = (prices: Prices, currencies: readonly string[]) =>
  Object.keys(prices).length === 0
    ? currencies.map((currency) => ({ currency, value: 0 }))
    : Object.entries(prices).map(([currency, value]) => ({ currency, value: toNumber(value) }));

const tierJson = ({ limits, blocks, fixedPrice, recurringPrice }: CatalogTier, currencies: readonly string[]) => ({
  limits: limits.map(({ unit, max, min }) => ({ unit, max, min })),
  fixedPrice: fixedPrice === null ? [] : pricesJson(fixedPrice, currencies),
  recurringPrice: recurringPrice === null ? [] : pricesJson(recurringPrice, currencies),
  blocks: blocks.map(({ unit, size, max, prices }) => ({ unit, size, max, prices: pricesJson(prices, currencies) })),
});

const usageJson = ({ billingPeriod, tiers }: CatalogUsage, currencies: readonly string[]) => ({
  billingPeriod,
  tiers: tiers.map((tier) => tierJson(tier, currencies)),
});

export const phaseJson = (
  { type, recurring, fixed, duration, usages }: CatalogPhase,
  currencies: readonly string[],
) => ({
  type,
  prices: recurring === null ? [] : pricesJson(recurring.prices, currencies),
  fixedPrices: fixed === null ? [] : pricesJson(fixed.prices, currencies),
  duration,
  usages: usages.map((usage) => usageJson(usage, currencies)),
});

export const planJson = (plan: CatalogPlan, currencies: readonly string[]) => ({
  name: plan.name,
  prettyName: plan.prettyName ?? plan.name,
  recurringBillingMode: plan.recurringBillingMode,
  billingPeriod: billingPeriodOf(plan),
  phases: plan.phases.map((phase) => phaseJson(phase, currencies)),
});

export const productJson = (
  { name, prettyName, category, included, available }: CatalogProduct,
  { plans, currencies }: Pick<CatalogVersion, 'plans' | 'currencies'>,
) => ({
  type: category,
  name,
  prettyName: prettyName ?? name,
  plans: plans.filter(({ product }) => product === name).map((plan) => planJson(plan, currencies)),
  included,
  available,
});

export const catalogJson = ({
  catalogName,
  effectiveDate,
  currencies,
  units,
  products,
  plans,
  priceLists,
}: CatalogVersion) => ({
  name: catalogName,
  effectiveDate,
  currencies,
  units: units.map(({ name, prettyName }) => ({ name, prettyName: prettyName ?? name })),
  products: products.map((product) => productJson(product, { plans, currencies })),
  priceLists,
});

const planDetails = (version: CatalogVersion, plan: CatalogPlan, lists: readonly string[]) => {
  const { recurring } = finalPhase(plan);
  return lists.map((priceList) => ({
    product: plan.product,
    plan: plan.name,
    priceList,
    finalPhaseBillingPeriod: billingPeriodOf(plan),
    finalPhaseRecurringPrice: recurring === null ? [] : pricesJson(recurring.prices, version.currencies),
  }));
};

/** Each plan of a base product, once for every price list that holds it. */
export const basePlansJson = (version: CatalogVersion) =>
  version.plans
    .filter(({ product }) => version.products.some(({ name, category }) => name === product && category === 'BASE'))
    .flatMap((plan) =>
      planDetails(
        version,
        plan,
        priceListsOf(version, plan.name).map(({ name }) => name),
      ),
    );

/** The plans of add-ons that can be ordered beside a base product. */
export const addOnPlansJson = (version: CatalogVersion, baseProduct: string, priceList: string | null) => {
  const available = version.products.find(({ name }) => name === baseProduct)?.available ?? [];
  return version.plans
    .filter(({ product }) => available.includes(product))
    .flatMap((plan) =>
      planDetails(
        version,
        plan,
        priceListsOf(version, plan.name)
          .map(({ name }) => name)
          .filter((name) => priceList === null || name === priceList),
      ),
    );
};

export const versionsJson = (catalog: Catalog) => catalog.map(({ effectiveDate }) => effectiveDate);
