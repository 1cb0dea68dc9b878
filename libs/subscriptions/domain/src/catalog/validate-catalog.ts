import { compare, zero } from '@billstream/kernel';
import {
  type Catalog,
  type CatalogPhase,
  type CatalogPlan,
  type CatalogVersion,
  productCategories,
  phaseTypes,
} from './catalog';
import { parseBillingPeriod } from './billing-period';
import { type CatalogError, type Known, catalogError, priceErrors, repeated } from './catalog-error';
import { usageErrors } from './validate-usage';

const namesOf = (named: readonly { readonly name: string }[]): ReadonlySet<string> =>
  new Set(named.map(({ name }) => name));

const knownIn = (version: CatalogVersion): Known => ({
  currencies: new Set(version.currencies),
  units: namesOf(version.units),
  products: namesOf(version.products),
  plans: namesOf(version.plans),
  priceLists: namesOf(version.priceLists),
});

/** A hundred years: beyond it the end of a phase would soon be no date any more. */
const longest = { DAYS: 36_500, WEEKS: 5_200, MONTHS: 1_200, YEARS: 100 } as const;

const durationErrors = ({ type, duration }: CatalogPhase, pointer: string): readonly CatalogError[] => {
  const at = `${pointer}/duration`;
  const { unit, number } = duration;
  const errors = [
    ...((type === 'EVERGREEN') === (unit === 'UNLIMITED')
      ? []
      : [catalogError(at, 'EVERGREEN goes with the duration UNLIMITED, and with no other')]),
  ];
  if (unit === 'UNLIMITED') return errors;
  if (number < 1) return [...errors, catalogError(`${at}/number`, `${number} ${unit} is too short`)];
  return number > longest[unit] ? [...errors, catalogError(`${at}/number`, `${number} ${unit} is too long`)] : errors;
};

const chargeErrors = ({ fixed, recurring, usages }: CatalogPhase, known: Known, pointer: string) => [
  ...(fixed === null && recurring === null && usages.length === 0
    ? [catalogError(pointer, 'neither fixed, recurring nor usage is defined')]
    : []),
  ...(recurring?.billingPeriod === 'NO_BILLING_PERIOD' && Object.keys(recurring.prices).length > 0
    ? [catalogError(`${pointer}/recurring/billingPeriod`, 'a recurring price needs a billing period')]
    : []),
  ...(fixed === null ? [] : priceErrors(fixed.prices, known, `${pointer}/fixed/prices`)),
  ...(recurring === null ? [] : priceErrors(recurring.prices, known, `${pointer}/recurring/prices`)),
  ...usages.flatMap((usage, index) => usageErrors(usage, known, `${pointer}/usages/${index}`)),
];

const phaseErrors = (phase: CatalogPhase, isFinal: boolean, known: Known, pointer: string): readonly CatalogError[] => {
  const refused = isFinal ? ['TRIAL', 'DISCOUNT'] : ['EVERGREEN'];
  return [
    ...(refused.includes(phase.type)
      ? [catalogError(`${pointer}/type`, `${isFinal ? 'a final' : 'an initial'} phase may not be ${phase.type}`)]
      : []),
    ...durationErrors(phase, pointer),
    ...chargeErrors(phase, known, pointer),
  ];
};

const planErrors = (plan: CatalogPlan, version: CatalogVersion, known: Known, at: string): readonly CatalogError[] => {
  const existing = plan.effectiveDateForExistingSubscriptions;
  return [
    ...(known.products.has(plan.product) ? [] : [catalogError(`${at}/product`, `product ${plan.product} is unknown`)]),
    ...(existing !== null && existing < version.effectiveDate
      ? [
          catalogError(
            `${at}/effectiveDateForExistingSubscriptions`,
            `${existing} is before the version's effective date ${version.effectiveDate}`,
          ),
        ]
      : []),
    ...(plan.phases.length === 0 ? [catalogError(`${at}/phases`, 'a plan has at least one phase')] : []),
    ...repeated(
      plan.phases.map(({ type }) => type),
      `${at}/phases`,
      'a phase of the type',
    ),
    ...plan.phases.flatMap((phase, index) =>
      phaseErrors(phase, index === plan.phases.length - 1, known, `${at}/phases/${index}`),
    ),
  ];
};

export const ruleNames = [
  'changePolicy',
  'changeAlignment',
  'cancelPolicy',
  'createAlignment',
  'billingAlignment',
  'priceList',
] as const;

const isOneOf = (allowed: readonly string[], text: string): boolean => allowed.includes(text);

/** A condition that names nothing there is would never hold, whatever its author meant. */
const isKnownValue = (name: string, value: string, known: Known): boolean => {
  if (name === 'phaseType') return isOneOf(phaseTypes, value);
  if (/productCategory$/i.test(name)) return isOneOf(productCategories, value);
  if (/billingPeriod$/i.test(name)) return parseBillingPeriod(value) !== null;
  if (/priceList$/i.test(name)) return known.priceLists.has(value);
  return known.products.has(value);
};

const ruleErrors = ({ rules }: CatalogVersion, known: Known): readonly CatalogError[] => [
  ...ruleNames.flatMap((kind) => [
    ...repeated(
      rules[kind].map(({ when }) => JSON.stringify(Object.entries(when).toSorted())),
      `/rules/${kind}`,
      'the case',
    ),
    ...rules[kind].flatMap(({ when }, index) =>
      Object.entries(when)
        .filter(([name, value]) => !isKnownValue(name, value, known))
        .map(([name, value]) => catalogError(`/rules/${kind}/${index}/when/${name}`, `${value} is unknown`)),
    ),
  ]),
  ...(['changePolicy', 'cancelPolicy'] as const)
    .filter((kind) => !rules[kind].some(({ when }) => Object.keys(when).length === 0))
    .map((kind) => catalogError(`/rules/${kind}`, 'a last case without conditions is missing')),
  ...rules.cancelPolicy.flatMap(({ result }, index) =>
    result === 'START_OF_TERM'
      ? [catalogError(`/rules/cancelPolicy/${index}/policy`, 'START_OF_TERM is not allowed')]
      : [],
  ),
  ...rules.priceList.flatMap(({ result }, index) =>
    known.priceLists.has(result)
      ? []
      : [catalogError(`/rules/priceList/${index}/toPriceList`, `price list ${result} is unknown`)],
  ),
];

const productErrors = ({ products }: CatalogVersion, known: Known): readonly CatalogError[] =>
  products.flatMap((product, index) =>
    (['included', 'available'] as const).flatMap((kind) =>
      product[kind].flatMap((addOn, place) =>
        known.products.has(addOn)
          ? []
          : [catalogError(`/products/${index}/${kind}/${place}`, `add-on product ${addOn} is unknown`)],
      ),
    ),
  );

const limitErrors = ({ products }: CatalogVersion): readonly CatalogError[] =>
  products.flatMap(({ limits }, index) =>
    limits.flatMap(({ max, min }, place) =>
      max !== null && min !== null && compare(max, zero) >= 0 && compare(max, min) < 0
        ? [catalogError(`/products/${index}/limits/${place}`, `max ${max} is below min ${min}`)]
        : [],
    ),
  );

const priceListErrors = ({ priceLists }: CatalogVersion, known: Known): readonly CatalogError[] => [
  ...(priceLists.length === 0 ? [catalogError('/priceLists', 'a default price list is missing')] : []),
  ...priceLists.flatMap((list, index) =>
    list.plans.flatMap((plan, place) =>
      known.plans.has(plan) ? [] : [catalogError(`/priceLists/${index}/plans/${place}`, `plan ${plan} is unknown`)],
    ),
  ),
];

const nameErrors = (version: CatalogVersion): readonly CatalogError[] => [
  ...(version.catalogName === '' ? [catalogError('/catalogName', 'a name is missing')] : []),
  ...repeated(version.currencies, '/currencies', 'currency'),
  ...(['units', 'products', 'plans', 'priceLists'] as const).flatMap((kind) =>
    repeated(
      version[kind].map(({ name }) => name),
      `/${kind}`,
      { units: 'unit', products: 'product', plans: 'plan', priceLists: 'price list' }[kind],
    ),
  ),
];

/** What is wrong with one version by itself. */
export const versionErrors = (version: CatalogVersion): readonly CatalogError[] => {
  const known = knownIn(version);
  return [
    ...nameErrors(version),
    ...productErrors(version, known),
    ...limitErrors(version),
    ...version.plans.flatMap((plan, index) => planErrors(plan, version, known, `/plans/${index}`)),
    ...priceListErrors(version, known),
    ...ruleErrors(version, known),
  ];
};

const typesOf = (plan: CatalogPlan): string => plan.phases.map(({ type }) => type).join(', ');

const planAdditionErrors = (earlier: CatalogPlan, plan: CatalogPlan, since: string, at: string) => [
  ...(typesOf(earlier) === typesOf(plan)
    ? []
    : [
        catalogError(
          `${at}/phases`,
          `phases ${typesOf(plan)} of plan ${plan.name} differ from ${typesOf(earlier)} of the version of ${since}`,
        ),
      ]),
  ...(earlier.product === plan.product
    ? []
    : [
        catalogError(
          `${at}/product`,
          `plan ${plan.name} is of product ${earlier.product} in the version of ${since}, and stays of it`,
        ),
      ]),
];

const beside = (known: CatalogVersion, version: CatalogVersion): readonly CatalogError[] => {
  const earlier = new Map(known.plans.map((plan) => [plan.name, plan]));
  return [
    ...(known.catalogName === version.catalogName
      ? []
      : [catalogError('/catalogName', `${version.catalogName} differs from ${known.catalogName} of earlier versions`)]),
    ...(known.effectiveDate === version.effectiveDate
      ? [catalogError('/effectiveDate', `${version.effectiveDate} is that of an earlier version`)]
      : []),
    ...version.plans.flatMap((plan, index) => {
      const before = earlier.get(plan.name);
      return before === undefined ? [] : planAdditionErrors(before, plan, known.effectiveDate, `/plans/${index}`);
    }),
  ];
};

/** What is wrong with a version beside those already there (Kill Bill's version checks, and #2037). */
export const additionErrors = (catalog: Catalog, version: CatalogVersion): readonly CatalogError[] => [
  ...versionErrors(version),
  ...catalog.flatMap((known) => beside(known, version)),
];
