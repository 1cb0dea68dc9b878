import type { Decimal } from '@billstream/kernel';
import {
  type CatalogBlock,
  type CatalogDuration,
  type CatalogLimit,
  type CatalogPhase,
  type CatalogPlan,
  type CatalogProduct,
  type CatalogTier,
  type CatalogUsage,
  type CatalogVersion,
  type PriceList,
  type Prices,
  billingModes,
  billingPeriods,
  durationUnits,
  phaseTypes,
  productCategories,
  ruleNames,
  tierBlockPolicies,
  usageTypes,
} from '@billstream/subscriptions-domain';
import { rulesShape } from './rules-document';
import {
  type Shape,
  decimalNumber,
  instant,
  listOf,
  needed,
  objectOf,
  oneOf,
  optional,
  price,
  readAs,
  recordOf,
  text,
  wholeNumber,
} from './shape';

const unlimited = '-1' as Decimal;

const prices: Shape<Prices> = recordOf(price, /^[A-Z]{3}$/);

const limit: Shape<CatalogLimit> = objectOf<CatalogLimit>({
  unit: needed(text),
  max: optional(decimalNumber, null),
  min: optional(decimalNumber, null),
});

const block: Shape<CatalogBlock> = objectOf<CatalogBlock>({
  unit: needed(text),
  size: needed(decimalNumber),
  max: optional(decimalNumber, unlimited),
  prices: optional(prices, {}),
});

const tier: Shape<CatalogTier> = objectOf<CatalogTier>({
  limits: optional(listOf(limit, 100), []),
  blocks: optional(listOf(block, 100), []),
  fixedPrice: optional(prices, null),
  recurringPrice: optional(prices, null),
});

type UsageFields = Omit<CatalogUsage, 'untiered'> & { readonly untiered: CatalogTier | null };

const usageFields: Shape<UsageFields> = objectOf<UsageFields>({
  name: needed(text),
  usageType: needed(oneOf(usageTypes)),
  billingMode: needed(oneOf(billingModes)),
  billingPeriod: needed(oneOf(billingPeriods)),
  tierBlockPolicy: optional(oneOf(tierBlockPolicies), 'ALL_TIERS'),
  tiers: optional(listOf(tier, 1_000), []),
  untiered: optional(tier, null),
});

const usage: Shape<CatalogUsage> = {
  schema: usageFields.schema,
  read: (value, pointer, errors) => {
    const read = usageFields.read(value, pointer, errors);
    if (read === undefined) return undefined;
    const { untiered, ...others } = read;
    return untiered === null ? others : { ...others, untiered };
  },
};

const durationFields = objectOf<{ unit: CatalogDuration['unit']; number: number }>({
  unit: needed(oneOf(durationUnits)),
  number: optional(wholeNumber(-1, 36_500), -1),
});

/** UNLIMITED has no number, whatever was written beside it. */
const duration: Shape<CatalogDuration> = {
  schema: durationFields.schema,
  read: (value, pointer, errors) => {
    const read = durationFields.read(value, pointer, errors);
    return read?.unit === 'UNLIMITED' ? { unit: 'UNLIMITED', number: -1 } : read;
  },
};

const phase: Shape<CatalogPhase> = objectOf<CatalogPhase>({
  type: needed(oneOf(phaseTypes)),
  prettyName: optional(text, null),
  duration: optional(duration, { unit: 'UNLIMITED', number: -1 }),
  fixed: optional(objectOf<NonNullable<CatalogPhase['fixed']>>({ prices: optional(prices, {}) }), null),
  recurring: optional(
    objectOf<NonNullable<CatalogPhase['recurring']>>({
      billingPeriod: needed(oneOf(billingPeriods)),
      prices: optional(prices, {}),
    }),
    null,
  ),
  usages: optional(listOf(usage, 100), []),
});

const plan: Shape<CatalogPlan> = objectOf<CatalogPlan>({
  name: needed(text),
  prettyName: optional(text, null),
  product: needed(text),
  recurringBillingMode: optional(oneOf(billingModes), 'IN_ADVANCE'),
  effectiveDateForExistingSubscriptions: optional(instant, null),
  phases: needed(listOf(phase, 10)),
  plansAllowedInBundle: optional(wholeNumber(-1, 999_999), -1),
});

const product: Shape<CatalogProduct> = objectOf<CatalogProduct>({
  name: needed(text),
  prettyName: optional(text, null),
  category: needed(oneOf(productCategories)),
  included: optional(listOf(text), []),
  available: optional(listOf(text), []),
  limits: optional(listOf(limit, 100), []),
});

const priceList: Shape<PriceList> = objectOf<PriceList>({ name: needed(text), plans: needed(listOf(text)) });

type Unit = CatalogVersion['units'][number];
type Document = Omit<CatalogVersion, 'alignsExistingSubscriptions'>;

/** One catalog version as JSON: everything the XML can say, with defaults for what is seldom said. See docs/catalog.md. */
export const catalogShape: Shape<Document> = objectOf<Document>(
  {
    catalogName: needed(text),
    effectiveDate: needed(instant),
    recurringBillingMode: optional(oneOf(billingModes), null),
    currencies: needed(listOf(text, 200)),
    units: optional(listOf(objectOf<Unit>({ name: needed(text), prettyName: optional(text, null) })), []),
    products: needed(listOf(product)),
    rules: needed(rulesShape),
    plans: needed(listOf(plan)),
    priceLists: needed(listOf(priceList, 1_000)),
  },
  'One version of a catalog, in force from its effective date until the next one',
);

export const readCatalogDocument = (value: unknown) => readAs(catalogShape, value);

/** Leaves out what is null, and lists that are empty where they may be. */
const compact = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, one]) => one !== null && !(optionalLists.has(name) && Array.isArray(one) && one.length === 0))
      .map(([name, one]) => [name, compact(one)]),
  );
};
const optionalLists = new Set(['limits', 'blocks', 'usages', 'units', 'included', 'available']);

const ruleResults = {
  changePolicy: 'policy',
  changeAlignment: 'alignment',
  cancelPolicy: 'policy',
  createAlignment: 'alignment',
  billingAlignment: 'alignment',
  priceList: 'toPriceList',
} as const;

/** A version as the document that gives it when read. */
export const writeCatalogDocument = (version: CatalogVersion): unknown => {
  const { catalogName, effectiveDate, recurringBillingMode, currencies, units, products, plans, priceLists } = version;
  const rules = Object.fromEntries(
    ruleNames.map((kind) => [
      kind,
      version.rules[kind].map(({ when, result }) => ({ when, [ruleResults[kind]]: result })),
    ]),
  );
  const parts = {
    catalogName,
    effectiveDate,
    recurringBillingMode,
    currencies,
    units,
    products,
    rules,
    plans,
    priceLists,
  };
  return compact(parts);
};
