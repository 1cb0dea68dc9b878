import {
  type CatalogLimit,
  type CatalogPhase,
  type CatalogPlan,
  type CatalogProduct,
  type CatalogRules,
  type CatalogTier,
  type CatalogUsage,
  type CatalogVersion,
  type Prices,
  type RuleCase,
  conditionNames,
} from '@billstream/subscriptions-domain';
import { optionalXmlElement as optional, xmlDocument, xmlElement as element } from '@billstream/xml';

const list = (wrapper: string, items: readonly string[]): string | null =>
  items.length === 0 ? null : element(wrapper, items);

const prices = (name: string, values: Prices): string =>
  element(
    name,
    Object.entries(values).map(([currency, value]) =>
      element('price', [element('currency', currency), element('value', value)]),
    ),
  );

const limit = ({ unit, max, min }: CatalogLimit): string =>
  element('limit', [element('unit', unit), optional('max', max), optional('min', min)]);

const product = ({ name, prettyName, category, included, available, limits }: CatalogProduct): string =>
  element(
    'product',
    [
      element('category', category),
      list(
        'included',
        included.map((addOn) => element('addonProduct', addOn)),
      ),
      list(
        'available',
        available.map((addOn) => element('addonProduct', addOn)),
      ),
      list('limits', limits.map(limit)),
    ],
    { name, prettyName },
  );

const cases = (kind: string, resultName: string, all: readonly RuleCase<string>[]): string | null =>
  list(
    kind,
    all.map(({ when, result }) =>
      element(`${kind}Case`, [
        ...conditionNames.map((name) => optional(name, when[name] ?? null)),
        element(resultName, result),
      ]),
    ),
  );

const rules = (all: CatalogRules): string =>
  element('rules', [
    cases('changePolicy', 'policy', all.changePolicy),
    cases('changeAlignment', 'alignment', all.changeAlignment),
    cases('cancelPolicy', 'policy', all.cancelPolicy),
    cases('createAlignment', 'alignment', all.createAlignment),
    cases('billingAlignment', 'alignment', all.billingAlignment),
    cases('priceList', 'toPriceList', all.priceList),
  ]);

const tierParts = ({ limits, blocks, fixedPrice, recurringPrice }: CatalogTier): readonly (string | null)[] => [
  list('limits', limits.map(limit)),
  list(
    'blocks',
    blocks.map(({ unit, size, max, prices: values }) =>
      element('tieredBlock', [
        element('unit', unit),
        element('size', size),
        prices('prices', values),
        element('max', max),
      ]),
    ),
  ),
  fixedPrice === null ? null : prices('fixedPrice', fixedPrice),
  recurringPrice === null ? null : prices('recurringPrice', recurringPrice),
];

const usage = (one: CatalogUsage): string => {
  const { name, usageType, billingMode, tierBlockPolicy, billingPeriod, tiers, untiered } = one;
  const content = [
    element('billingPeriod', billingPeriod),
    ...(untiered === undefined ? [] : tierParts(untiered)),
    list(
      'tiers',
      tiers.map((tier) => element('tier', tierParts(tier))),
    ),
  ];
  return element('usage', content, { name, billingMode, usageType, tierBlockPolicy });
};

const phase = (name: string, { type, prettyName, duration, fixed, recurring, usages }: CatalogPhase): string =>
  element(
    name,
    [
      element('duration', [
        element('unit', duration.unit),
        duration.unit === 'UNLIMITED' ? null : element('number', String(duration.number)),
      ]),
      fixed === null ? null : element('fixed', [prices('fixedPrice', fixed.prices)]),
      recurring === null
        ? null
        : element('recurring', [
            element('billingPeriod', recurring.billingPeriod),
            prices('recurringPrice', recurring.prices),
          ]),
      list('usages', usages.map(usage)),
    ],
    { type, prettyName },
  );

const plan = (one: CatalogPlan): string => {
  const final = one.phases.at(-1);
  return element(
    'plan',
    [
      optional('effectiveDateForExistingSubscriptions', one.effectiveDateForExistingSubscriptions),
      element('product', one.product),
      element('recurringBillingMode', one.recurringBillingMode),
      list(
        'initialPhases',
        one.phases.slice(0, -1).map((initial) => phase('phase', initial)),
      ),
      final === undefined ? null : phase('finalPhase', final),
      one.plansAllowedInBundle < 0 ? null : element('plansAllowedInBundle', String(one.plansAllowedInBundle)),
    ],
    { name: one.name, prettyName: one.prettyName },
  );
};

/** A version as Kill Bill's catalog XML; reading it again gives the same version. */
export const writeCatalog = (version: CatalogVersion): string =>
  xmlDocument(
    element('catalog', [
      element('effectiveDate', version.effectiveDate),
      element('catalogName', version.catalogName),
      optional('recurringBillingMode', version.recurringBillingMode),
      element(
        'currencies',
        version.currencies.map((currency) => element('currency', currency)),
      ),
      list(
        'units',
        version.units.map(({ name, prettyName }) => element('unit', [], { name, prettyName })),
      ),
      element('products', version.products.map(product)),
      rules(version.rules),
      element('plans', version.plans.map(plan)),
      element(
        'priceLists',
        version.priceLists.map(({ name, plans }, index) =>
          element(
            index === 0 ? 'defaultPriceList' : 'childPriceList',
            [
              element(
                'plans',
                plans.map((one) => element('plan', one)),
              ),
            ],
            { name },
          ),
        ),
      ),
    ]),
  );
