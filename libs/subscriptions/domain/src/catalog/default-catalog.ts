import { type Decimal, type Instant, decimal, instantOfMs } from '@billstream/kernel';
import type { CatalogPlan, CatalogProduct, CatalogUsage, CatalogVersion } from './catalog';

const usd = (price: string): { readonly USD: Decimal } => ({ USD: decimal(price) });
const unlimited = decimal(-1);

const perUse = (plan: string, unit: string, size: string, price: string): CatalogUsage => ({
  name: `${plan}-${unit}`,
  usageType: 'CONSUMABLE',
  billingMode: 'IN_ARREAR',
  billingPeriod: 'MONTHLY',
  tierBlockPolicy: 'ALL_TIERS',
  tiers: [
    {
      limits: [],
      blocks: [{ unit, size: decimal(size), max: unlimited, prices: usd(price) }],
      fixedPrice: null,
      recurringPrice: null,
    },
  ],
});

type Offer = {
  readonly name: string;
  readonly product: string;
  readonly monthly: string;
  readonly hostHour: string;
  readonly analyticsBlock: string;
};

const planOf = ({ name, product, monthly, hostHour, analyticsBlock }: Offer): CatalogPlan => {
  const usages = [perUse(name, 'host', '1', hostHour), perUse(name, 'analytics', analyticsBlock, '2')];
  return {
    name,
    prettyName: null,
    product,
    recurringBillingMode: 'IN_ADVANCE',
    effectiveDateForExistingSubscriptions: null,
    plansAllowedInBundle: -1,
    phases: [
      {
        type: 'TRIAL',
        prettyName: null,
        duration: { unit: 'DAYS', number: 30 },
        fixed: { prices: {} },
        recurring: null,
        usages: [],
      },
      {
        type: 'EVERGREEN',
        prettyName: null,
        duration: { unit: 'UNLIMITED', number: -1 },
        fixed: null,
        recurring: { billingPeriod: 'MONTHLY', prices: usd(monthly) },
        usages,
      },
    ],
  };
};

const offers: readonly Offer[] = [
  { name: 'standard-monthly', product: 'Standard', monthly: '20', hostHour: '0.01', analyticsBlock: '100' },
  { name: 'standard-pro', product: 'Pro', monthly: '50', hostHour: '0.017', analyticsBlock: '200' },
];

const since: Instant = instantOfMs(0);

/** What a tenant sells that uses the platform's catalog and has uploaded none: two plans, each after a free month. */
export const defaultCatalog: CatalogVersion = {
  catalogName: 'Billstream',
  effectiveDate: since,
  recurringBillingMode: 'IN_ADVANCE',
  currencies: ['USD'],
  units: [
    { name: 'host', prettyName: null },
    { name: 'analytics', prettyName: null },
  ],
  products: offers.map(({ product }): CatalogProduct => ({
    name: product,
    prettyName: null,
    category: 'BASE',
    included: [],
    available: [],
    limits: [],
  })),
  rules: {
    changePolicy: [{ when: {}, result: 'IMMEDIATE' }],
    changeAlignment: [{ when: {}, result: 'START_OF_SUBSCRIPTION' }],
    cancelPolicy: [{ when: {}, result: 'END_OF_TERM' }],
    createAlignment: [{ when: {}, result: 'START_OF_BUNDLE' }],
    billingAlignment: [{ when: {}, result: 'ACCOUNT' }],
    priceList: [],
  },
  plans: offers.map(planOf),
  priceLists: [{ name: 'DEFAULT', plans: offers.map(({ name }) => name) }],
};
