import { type Instant, decimal, parseInstant } from '@billstream/kernel';
import type {
  Catalog,
  CatalogPhase,
  CatalogPlan,
  CatalogProduct,
  CatalogRules,
  CatalogTier,
  CatalogUsage,
  CatalogVersion,
  Prices,
} from '@billstream/subscriptions-domain';

/*
 * Two versions of a catalog with what the default one lacks: phases that are discounted, end or cost once, charging in
 * arrear, weeks, quarters and years, add-ons, other alignments, tiers, blocks and peaks of usage.
 */

const instant = (text: string): Instant => {
  const parsed = parseInstant(text);
  if (parsed === null) throw new RangeError(text);
  return parsed;
};

const usd = (price: string): Prices => ({ USD: decimal(price) });

/** Of each tier: units a block, how many blocks (-1 is no limit), and the price of one. */
type Blocks = readonly (readonly [size: string, max: string, price: string])[];

const consumable = (name: string, unit: string, blocks: Blocks): CatalogUsage => ({
  ...{
    name,
    usageType: 'CONSUMABLE',
    billingMode: 'IN_ARREAR',
    billingPeriod: 'MONTHLY',
    tierBlockPolicy: 'ALL_TIERS',
  },
  tiers: blocks.map(([size, max, price]): CatalogTier => ({
    limits: [],
    blocks: [{ unit, size: decimal(size), max: decimal(max), prices: usd(price) }],
    fixedPrice: null,
    recurringPrice: null,
  })),
});

/** Of each tier: the highest level, and its price. */
const capacity = (
  name: string,
  unit: string,
  levels: readonly (readonly [max: string, price: string])[],
): CatalogUsage => ({
  ...{ name, usageType: 'CAPACITY', billingMode: 'IN_ARREAR', billingPeriod: 'MONTHLY', tierBlockPolicy: 'ALL_TIERS' },
  tiers: levels.map(([max, price]): CatalogTier => ({
    limits: [{ unit, max: decimal(max), min: null }],
    blocks: [],
    fixedPrice: null,
    recurringPrice: usd(price),
  })),
});

type PhaseFacts = Partial<Omit<CatalogPhase, 'recurring'>> & {
  readonly every?: NonNullable<CatalogPhase['recurring']>['billingPeriod'];
  readonly price?: string;
};

const phase = (type: CatalogPhase['type'], { every = 'MONTHLY', price, ...facts }: PhaseFacts): CatalogPhase => ({
  type,
  prettyName: null,
  duration: { unit: 'UNLIMITED', number: -1 },
  fixed: null,
  recurring: price === undefined ? null : { billingPeriod: every, prices: usd(price) },
  usages: [],
  ...facts,
});

const plan = (
  name: string,
  product: string,
  phases: readonly CatalogPhase[],
  facts: Partial<CatalogPlan> = {},
): CatalogPlan => ({
  name,
  prettyName: null,
  product,
  recurringBillingMode: 'IN_ADVANCE',
  effectiveDateForExistingSubscriptions: null,
  plansAllowedInBundle: -1,
  phases,
  ...facts,
});

const trial = phase('TRIAL', { duration: { unit: 'DAYS', number: 14 }, fixed: { prices: usd('0') } });
const hours = (name: string, price: string): CatalogUsage => consumable(name, 'host', [['1', '-1', price]]);

export const widePlans = ['basic', 'basic-arrear', 'pro-quarterly', 'pro-annual', 'term'] as const;
export const wideAddOns = ['extra', 'extra-weekly', 'extra-metered'] as const;

/** What changes from version to version: these prices, and from when on they hold for those who subscribed before. */
type Terms = { readonly basic: string; readonly hour: string; readonly extra: string; readonly from: Instant | null };

const plansOf = ({ basic, hour, extra, from }: Terms): readonly CatalogPlan[] => {
  const moved = { effectiveDateForExistingSubscriptions: from };
  return [
    plan(
      'basic',
      'Basic',
      [
        trial,
        phase('DISCOUNT', {
          duration: { unit: 'MONTHS', number: 2 },
          price: '9.99',
          usages: [hours('basic-host', hour)],
        }),
        phase('EVERGREEN', {
          price: basic,
          usages: [
            hours('basic-host', hour),
            consumable('basic-analytics', 'analytics', [
              ['10', '20', '0.5'],
              ['100', '-1', '3'],
            ]),
          ],
        }),
      ],
      moved,
    ),
    plan(
      'basic-arrear',
      'Basic',
      [
        phase('EVERGREEN', {
          price: '30',
          usages: [
            hours('arrear-host', '0.013'),
            // May be said, and is never charged (Kill Bill 3.1).
            { ...hours('advance-host', '1'), billingMode: 'IN_ADVANCE' },
          ],
        }),
      ],
      { recurringBillingMode: 'IN_ARREAR' },
    ),
    plan('pro-quarterly', 'Pro', [
      trial,
      phase('EVERGREEN', { every: 'QUARTERLY', price: '91', usages: [hours('quarterly-host', '0.02')] }),
    ]),
    plan('pro-annual', 'Pro', [phase('EVERGREEN', { every: 'ANNUAL', price: '365' })]),
    plan('term', 'Term', [
      phase('FIXEDTERM', { duration: { unit: 'MONTHS', number: 3 }, fixed: { prices: usd('5') }, price: '40' }),
    ]),
    plan('extra', 'Extra', [trial, phase('EVERGREEN', { price: extra })], moved),
    plan('extra-weekly', 'Extra', [phase('EVERGREEN', { every: 'WEEKLY', price: '7' })], {
      recurringBillingMode: 'IN_ARREAR',
    }),
    plan('extra-metered', 'Extra', [
      phase('EVERGREEN', {
        usages: [
          capacity('extra-seats', 'seats', [
            ['3', '10'],
            ['7', '20'],
            ['100', '45'],
          ]),
        ],
      }),
    ]),
  ];
};

const rules: CatalogRules = {
  changePolicy: [
    { when: { toProduct: 'Term' }, result: 'END_OF_TERM' },
    { when: {}, result: 'IMMEDIATE' },
  ],
  changeAlignment: [
    { when: { toProduct: 'Pro' }, result: 'CHANGE_OF_PLAN' },
    // A term that was over before somebody changed to it would be dated back.
    { when: { toProduct: 'Term' }, result: 'CHANGE_OF_PLAN' },
    { when: { fromProductCategory: 'ADD_ON' }, result: 'START_OF_BUNDLE' },
    { when: {}, result: 'START_OF_SUBSCRIPTION' },
  ],
  cancelPolicy: [{ when: {}, result: 'END_OF_TERM' }],
  createAlignment: [
    { when: { billingPeriod: 'MONTHLY' }, result: 'START_OF_SUBSCRIPTION' },
    { when: {}, result: 'START_OF_BUNDLE' },
  ],
  billingAlignment: [
    { when: { productCategory: 'ADD_ON' }, result: 'BUNDLE' },
    { when: { product: 'Pro' }, result: 'SUBSCRIPTION' },
    { when: {}, result: 'ACCOUNT' },
  ],
  priceList: [],
};

const product = (name: string, category: CatalogProduct['category'], available: readonly string[] = []) => ({
  ...{ name, prettyName: null, category, included: [], available, limits: [] },
});

const version = (effectiveDate: Instant, terms: Terms): CatalogVersion => {
  const plans = plansOf(terms);
  return {
    catalogName: 'Wide',
    effectiveDate,
    recurringBillingMode: 'IN_ADVANCE',
    currencies: ['USD'],
    units: ['host', 'analytics', 'seats'].map((name) => ({ name, prettyName: null })),
    products: [...['Basic', 'Pro', 'Term'].map((name) => product(name, 'BASE', ['Extra'])), product('Extra', 'ADD_ON')],
    rules,
    plans,
    priceLists: [{ name: 'DEFAULT', plans: plans.map(({ name }) => name) }],
  };
};

export const wideCatalog: Catalog = [
  version(instant('2020-01-01T00:00:00.000Z'), { basic: '31', hour: '0.01', extra: '12', from: null }),
  version(instant('2024-02-20T00:00:00.000Z'), {
    ...{ basic: '37.5', hour: '0.012', extra: '14' },
    from: instant('2024-03-17T12:00:00.000Z'),
  }),
  version(instant('2024-04-05T00:00:00.000Z'), {
    ...{ basic: '35', hour: '0.011', extra: '13' },
    from: instant('2024-04-25T00:00:00.000Z'),
  }),
];
