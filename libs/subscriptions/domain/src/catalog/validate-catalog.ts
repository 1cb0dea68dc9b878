import { isNegative } from '@billstream/kernel';
import {
  type Catalog,
  type CatalogPhase,
  type CatalogPlan,
  type CatalogRules,
  type CatalogUsage,
  type CatalogVersion,
  type Prices,
  phaseName,
} from './catalog';

const repeated = (names: readonly string[], what: string): readonly string[] => [
  ...new Set(
    names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `${what} ${name} is defined more than once`),
  ),
];

const priceErrors = (prices: Prices, { currencies }: CatalogVersion, where: string): readonly string[] =>
  Object.entries(prices).flatMap(([currency, price]) => [
    ...(currencies.includes(currency) ? [] : [`${where}: currency ${currency} is not among the catalog's currencies`]),
    ...(isNegative(price) ? [`${where}: the price ${price} ${currency} is negative`] : []),
  ]);

const usageErrors = (usage: CatalogUsage, version: CatalogVersion, where: string): readonly string[] => {
  const units = new Set(version.units.map(({ name }) => name));
  const at = `${where}, usage ${usage.name}`;
  const used = usage.tiers.flatMap(({ blocks, limits }) => [...blocks, ...limits].map(({ unit }) => unit));
  const unitsOfBlocks = new Set(usage.tiers.flatMap(({ blocks }) => blocks.map(({ unit }) => unit)));
  return [
    ...(usage.tiers.length === 0 ? [`${at}: there is no tier`] : []),
    ...[...new Set(used)]
      .filter((unit) => !units.has(unit))
      .map((unit) => `${at}: unit ${unit} is not among the catalog's units`),
    ...(usage.usageType === 'CONSUMABLE'
      ? usage.tiers.flatMap(({ blocks }, index) =>
          [...unitsOfBlocks]
            .filter((unit) => !blocks.some((block) => block.unit === unit))
            .map((unit) => `${at}: tier ${index + 1} has no block for unit ${unit}`),
        )
      : []),
    ...usage.tiers.flatMap(({ blocks, recurringPrice, fixedPrice }) =>
      [
        ...blocks.map(({ prices }) => prices),
        ...[recurringPrice, fixedPrice].filter((prices) => prices !== null),
      ].flatMap((prices) => priceErrors(prices, version, at)),
    ),
  ];
};

/** A hundred years: beyond it the end of a phase would soon be no date any more. */
const longest = { DAYS: 36_500, WEEKS: 5_200, MONTHS: 1_200, YEARS: 100 } as const;

const shapeErrors = (phase: CatalogPhase, isFinal: boolean, where: string): readonly string[] => {
  const { type, duration } = phase;
  const refused = isFinal ? ['TRIAL', 'DISCOUNT'] : ['EVERGREEN'];
  return [
    ...(refused.includes(type) ? [`${where}: ${isFinal ? 'a final' : 'an initial'} phase may not be ${type}`] : []),
    ...((type === 'EVERGREEN') === (duration.unit === 'UNLIMITED')
      ? []
      : [`${where}: EVERGREEN goes with the duration UNLIMITED, and with no other`]),
    ...(duration.unit !== 'UNLIMITED' && duration.number < 1
      ? [`${where}: the duration ${duration.number} ${duration.unit} is too short`]
      : []),
    ...(duration.unit !== 'UNLIMITED' && duration.number > longest[duration.unit]
      ? [`${where}: the duration ${duration.number} ${duration.unit} is too long`]
      : []),
    ...(phase.fixed === null && phase.recurring === null && phase.usages.length === 0
      ? [`${where}: neither fixed, recurring nor usage is defined`]
      : []),
  ];
};

const phaseErrors = (plan: CatalogPlan, phase: CatalogPhase, version: CatalogVersion): readonly string[] => {
  const where = `phase ${phaseName(plan.name, phase.type)}`;
  const { fixed, recurring } = phase;
  const priced = recurring !== null && Object.keys(recurring.prices).length > 0;
  return [
    ...shapeErrors(phase, phase === plan.phases.at(-1), where),
    ...(recurring?.billingPeriod === 'NO_BILLING_PERIOD' && priced
      ? [`${where}: a recurring price needs a billing period`]
      : []),
    ...(fixed === null ? [] : priceErrors(fixed.prices, version, `${where}, fixed price`)),
    ...(recurring === null ? [] : priceErrors(recurring.prices, version, `${where}, recurring price`)),
    ...phase.usages.flatMap((usage) => usageErrors(usage, version, where)),
  ];
};

const planErrors = (plan: CatalogPlan, version: CatalogVersion): readonly string[] => {
  const { effectiveDateForExistingSubscriptions: existing } = plan;
  return [
    ...(version.products.some(({ name }) => name === plan.product)
      ? []
      : [`plan ${plan.name}: product ${plan.product} is unknown`]),
    ...(existing !== null && existing < version.effectiveDate
      ? [`plan ${plan.name}: effectiveDateForExistingSubscriptions is before the version's effective date`]
      : []),
    ...repeated(
      plan.phases.map(({ type }) => phaseName(plan.name, type)),
      'phase',
    ),
    ...plan.phases.flatMap((phase) => phaseErrors(plan, phase, version)),
  ];
};

const ruleNames = [
  'changePolicy',
  'changeAlignment',
  'cancelPolicy',
  'createAlignment',
  'billingAlignment',
  'priceList',
] as const satisfies readonly (keyof CatalogRules)[];

const ruleErrors = ({ rules }: CatalogVersion): readonly string[] => [
  ...ruleNames.flatMap((name) =>
    repeated(
      rules[name].map(({ when }) => JSON.stringify(Object.entries(when).toSorted())),
      `rules, ${name}: the case`,
    ),
  ),
  ...(['changePolicy', 'cancelPolicy'] as const)
    .filter((name) => !rules[name].some(({ when }) => Object.keys(when).length === 0))
    .map((name) => `rules, ${name}: a last case without conditions is missing`),
  ...(rules.cancelPolicy.some(({ result }) => result === 'START_OF_TERM')
    ? ['rules, cancelPolicy: START_OF_TERM is not allowed']
    : []),
];

const productErrors = (version: CatalogVersion): readonly string[] => {
  const names = new Set(version.products.map(({ name }) => name));
  return version.products.flatMap(({ name, included, available }) =>
    [...included, ...available]
      .filter((addOn) => !names.has(addOn))
      .map((addOn) => `product ${name}: add-on product ${addOn} is unknown`),
  );
};

const priceListErrors = (version: CatalogVersion): readonly string[] => {
  const plans = new Set(version.plans.map(({ name }) => name));
  return version.priceLists.flatMap((list) =>
    list.plans.filter((plan) => !plans.has(plan)).map((plan) => `price list ${list.name}: plan ${plan} is unknown`),
  );
};

/** What is wrong with one version by itself; each sentence names the element. */
export const versionErrors = (version: CatalogVersion): readonly string[] => [
  ...(version.catalogName === '' ? ['catalogName is missing'] : []),
  ...repeated(version.currencies, 'currency'),
  ...repeated(
    version.units.map(({ name }) => name),
    'unit',
  ),
  ...repeated(
    version.products.map(({ name }) => name),
    'product',
  ),
  ...repeated(
    version.plans.map(({ name }) => name),
    'plan',
  ),
  ...repeated(
    version.priceLists.map(({ name }) => name),
    'price list',
  ),
  ...productErrors(version),
  ...version.plans.flatMap((plan) => planErrors(plan, version)),
  ...priceListErrors(version),
  ...ruleErrors(version),
];

const typesOf = (plan: CatalogPlan): string => plan.phases.map(({ type }) => type).join(', ');

/** What is wrong with a version beside those already there (Kill Bill's version checks). */
export const additionErrors = (catalog: Catalog, version: CatalogVersion): readonly string[] => [
  ...versionErrors(version),
  ...catalog.flatMap((known) => [
    ...(known.catalogName === version.catalogName
      ? []
      : [`catalogName ${version.catalogName} differs from ${known.catalogName} of the earlier versions`]),
    ...(known.effectiveDate === version.effectiveDate
      ? [`effectiveDate ${version.effectiveDate} is that of an earlier version`]
      : []),
    ...version.plans.flatMap((plan) => {
      const earlier = known.plans.find(({ name }) => name === plan.name);
      return earlier === undefined || typesOf(earlier) === typesOf(plan)
        ? []
        : [
            `plan ${plan.name}: phases ${typesOf(plan)} differ from ${typesOf(earlier)} of the version of ${known.effectiveDate}`,
          ];
    }),
  ]),
];
