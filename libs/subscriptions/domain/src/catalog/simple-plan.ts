import type { Decimal, DurationUnit, Instant } from '@billstream/kernel';
import type { BillingPeriod, ProductCategory } from '@billstream/subscriptions-contracts';
import type { Catalog, CatalogPhase, CatalogPlan, CatalogProduct, CatalogVersion, Prices } from './catalog';
import { finalPhase } from './catalog';

export type SimplePlan = {
  readonly planId: string;
  readonly productName: string;
  readonly productCategory: ProductCategory;
  readonly currency: string;
  readonly amount: Decimal;
  readonly billingPeriod: BillingPeriod;
  /** Null or a number below one: no trial. */
  readonly trial: { readonly unit: DurationUnit; readonly number: number } | null;
  readonly availableBaseProducts: readonly string[];
};

const empty = (at: Instant): CatalogVersion => ({
  catalogName: 'SimpleCatalog',
  effectiveDate: at,
  recurringBillingMode: 'IN_ADVANCE',
  currencies: [],
  units: [],
  products: [],
  rules: {
    changePolicy: [{ when: {}, result: 'IMMEDIATE' }],
    changeAlignment: [{ when: {}, result: 'START_OF_BUNDLE' }],
    cancelPolicy: [{ when: {}, result: 'IMMEDIATE' }],
    createAlignment: [{ when: {}, result: 'START_OF_BUNDLE' }],
    billingAlignment: [{ when: {}, result: 'ACCOUNT' }],
    priceList: [],
  },
  plans: [],
  priceLists: [{ name: 'DEFAULT', plans: [] }],
});

const planOf = ({ planId, productName, currency, amount, billingPeriod, trial }: SimplePlan): CatalogPlan => {
  const final: CatalogPhase = {
    type: 'EVERGREEN',
    prettyName: null,
    duration: { unit: 'UNLIMITED', number: -1 },
    fixed: null,
    recurring: { billingPeriod, prices: { [currency]: amount } },
    usages: [],
  };
  const free: CatalogPhase = {
    ...final,
    type: 'TRIAL',
    duration: trial ?? final.duration,
    fixed: { prices: {} },
    recurring: null,
  };
  return {
    name: planId,
    prettyName: null,
    product: productName,
    recurringBillingMode: 'IN_ADVANCE',
    effectiveDateForExistingSubscriptions: null,
    phases: trial === null ? [final] : [free, final],
    plansAllowedInBundle: -1,
  };
};

/** The plan that is there with one more currency; null when it differs in anything else. */
const withPrice = (plan: CatalogPlan, wanted: CatalogPlan, currency: string): CatalogPlan | null => {
  const [known, added] = [finalPhase(plan), finalPhase(wanted)];
  if (known.recurring === null || added.recurring === null) return null;
  const same = plan.product === wanted.product && known.recurring.billingPeriod === added.recurring.billingPeriod;
  const trial = JSON.stringify(plan.phases[0]?.duration) === JSON.stringify(wanted.phases[0]?.duration);
  const price = known.recurring.prices[currency];
  if (!same || !trial || (price !== undefined && price !== added.recurring.prices[currency])) return null;
  const prices: Prices = { ...known.recurring.prices, ...added.recurring.prices };
  return { ...plan, phases: [...plan.phases.slice(0, -1), { ...known, recurring: { ...known.recurring, prices } }] };
};

const productsWith = (
  products: readonly CatalogProduct[],
  { productName, productCategory, availableBaseProducts }: SimplePlan,
): readonly CatalogProduct[] => {
  const added: CatalogProduct = {
    name: productName,
    prettyName: null,
    category: productCategory,
    included: [],
    available: [],
    limits: [],
  };
  const all = products.some(({ name }) => name === productName) ? products : [...products, added];
  return all.map((product) =>
    availableBaseProducts.includes(product.name) && !product.available.includes(productName)
      ? { ...product, available: [...product.available, productName] }
      : product,
  );
};

/** The latest version with the plan in it, or a first one (Kill Bill's CatalogUpdater edits in place). */
export const withSimplePlan = (
  catalog: Catalog,
  simple: SimplePlan,
  now: Instant,
): { readonly version: CatalogVersion } | { readonly error: string } => {
  const version = catalog.at(-1) ?? empty(now);
  const wanted = planOf(simple);
  const known = version.plans.find(({ name }) => name === simple.planId);
  const plan = known === undefined ? wanted : withPrice(known, wanted, simple.currency);
  if (plan === null) return { error: `plan ${simple.planId} exists already, and is not the same` };
  const product = version.products.find(({ name }) => name === simple.productName);
  if (product !== undefined && product.category !== simple.productCategory)
    return { error: `product ${simple.productName} is a ${product.category}` };
  const [list, ...others] = version.priceLists;
  const listed = list === undefined ? { name: 'DEFAULT', plans: [] } : list;
  return {
    version: {
      ...version,
      currencies: version.currencies.includes(simple.currency)
        ? version.currencies
        : [...version.currencies, simple.currency],
      products: productsWith(version.products, simple),
      plans: known === undefined ? [...version.plans, plan] : version.plans.map((one) => (one === known ? plan : one)),
      priceLists: [
        { ...listed, plans: listed.plans.includes(plan.name) ? listed.plans : [...listed.plans, plan.name] },
        ...others,
      ],
    },
  };
};
