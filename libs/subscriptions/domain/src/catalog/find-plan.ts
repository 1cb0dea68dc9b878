import type { BillingPeriod } from '@billstream/subscriptions-contracts';
import { type CatalogPlan, type CatalogVersion, billingPeriodOf } from './catalog';
import { indexOf, priceListsOf, productOf } from './catalog-index';
import type { PlanFacts } from './plan-rules';

export type PlanSpecifier =
  | { readonly planName: string }
  | { readonly productName: string; readonly billingPeriod: BillingPeriod; readonly priceList: string };

export type PlanNotFound = {
  readonly code: 'plan-unknown' | 'product-unknown' | 'price-list-unknown' | 'no-plan-matches' | 'several-plans-match';
  readonly detail: string;
};

export type FoundPlan = { readonly plan: CatalogPlan; readonly facts: PlanFacts };

const found = (version: CatalogVersion, plan: CatalogPlan, priceList: string): FoundPlan => {
  const product = productOf(version, plan.product);
  if (product === null)
    throw new RangeError(`plan ${plan.name} is of the product ${plan.product}, which the catalog does not have`);
  return {
    plan,
    facts: {
      productName: product.name,
      productCategory: product.category,
      billingPeriod: billingPeriodOf(plan),
      priceList,
    },
  };
};

const byName = (version: CatalogVersion, planName: string): FoundPlan | { readonly rejected: PlanNotFound } => {
  const plan = indexOf(version).plans.get(planName);
  if (plan === undefined)
    return { rejected: { code: 'plan-unknown', detail: `Could not find a plan called ${planName}` } };
  return found(version, plan, priceListsOf(version, planName)[0]?.name ?? version.priceLists[0]?.name ?? 'DEFAULT');
};

/** By name, or by product, period and price list: the named list is searched first, then the default one (Kill Bill). */
export const findPlan = (
  version: CatalogVersion,
  specifier: PlanSpecifier,
): FoundPlan | { readonly rejected: PlanNotFound } => {
  if ('planName' in specifier) return byName(version, specifier.planName);
  const { productName, billingPeriod, priceList } = specifier;
  if (productOf(version, productName) === null)
    return { rejected: { code: 'product-unknown', detail: `Could not find any product named ${productName}` } };
  const named = indexOf(version).priceLists.get(priceList);
  if (named === undefined)
    return { rejected: { code: 'price-list-unknown', detail: `Could not find any price list named ${priceList}` } };
  for (const list of [named, ...version.priceLists.slice(0, 1)]) {
    const plans = indexOf(version).plansOf(list, productName, billingPeriod);
    const [plan] = plans;
    if (plans.length > 1)
      return {
        rejected: {
          code: 'several-plans-match',
          detail: `Several plans of ${productName} are ${billingPeriod} in ${list.name}: ${plans.map(({ name }) => name).join(', ')}`,
        },
      };
    if (plan !== undefined) return found(version, plan, list.name);
  }
  return {
    rejected: {
      code: 'no-plan-matches',
      detail: `Could not find a plan for product ${productName}, period ${billingPeriod}, price list ${priceList}`,
    },
  };
};
