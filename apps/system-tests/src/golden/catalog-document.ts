import { type XmlContent, type XmlElement, xmlText } from './xml-text';

type Prices = Readonly<Record<string, string>>;
type Limit = { readonly unit: string; readonly max?: string; readonly min?: string };
type Block = { readonly unit: string; readonly size: string; readonly max?: string; readonly prices: Prices };
type Tier = {
  readonly limits?: readonly Limit[];
  readonly blocks?: readonly Block[];
  readonly recurringPrice?: Prices;
};
export type GoldenUsage = {
  readonly name: string;
  readonly billingMode: string;
  readonly usageType: string;
  readonly tierBlockPolicy?: string;
  readonly billingPeriod: string;
  readonly tiers: readonly Tier[];
};
type Phase = {
  readonly name: string;
  readonly type: string;
  readonly duration: { readonly unit: string; readonly number?: number };
  readonly fixed?: { readonly type?: string; readonly price: Prices };
  readonly recurring?: { readonly billingPeriod: string; readonly price: Prices };
  readonly usages?: readonly GoldenUsage[];
};
type Plan = {
  readonly name: string;
  readonly product: string;
  readonly billingMode: string;
  readonly effectiveDateForExistingSubscriptions?: string;
  readonly plansAllowedInBundle?: number;
  readonly phases: readonly Phase[];
};
type Product = {
  readonly name: string;
  readonly category: string;
  readonly included?: readonly string[];
  readonly available?: readonly string[];
  readonly limits?: readonly Limit[];
};
type Rule = {
  readonly when: Readonly<Record<string, string>>;
  readonly policy?: string;
  readonly alignment?: string;
  readonly toPriceList?: string;
};
export type CatalogVersion = {
  /** The file that it was in Kill Bill. */
  readonly source: string;
  readonly effectiveDate: string;
  readonly catalogName: string;
  /** Of plans that do not say otherwise. */
  readonly billingMode: string;
  readonly currencies: readonly string[];
  readonly units: readonly string[];
  readonly products: readonly Product[];
  readonly plans: readonly Plan[];
  /** The default list first. */
  readonly priceLists: readonly { readonly name: string; readonly plans: readonly string[] }[];
  readonly rules: Readonly<Record<string, readonly Rule[]>>;
};
export type GoldenCatalog = { readonly name: string; readonly versions: readonly CatalogVersion[] };

/** Without an offset an instant of the cases is UTC; a reader of XML could take it for another zone's. */
const withOffset = (instant: string): string => (/(Z|[+-]\d\d:\d\d)$/.test(instant) ? instant : `${instant}Z`);

/** A list in an element of its own, which an empty list does not get. */
const listed = (list: string, entry: string, entries: readonly XmlContent[] | undefined): XmlElement =>
  entries === undefined || entries.length === 0 ? {} : { [list]: { [entry]: entries } };

/** No currency at all is Kill Bill's way to say zero in all of them: an empty element. */
const pricesOf = (prices: Prices): XmlElement | string => {
  const entries = Object.entries(prices).map(([currency, value]) => ({ currency, value }));
  return entries.length === 0 ? '' : { price: entries };
};

const usageElement = (usage: GoldenUsage): XmlElement => ({
  '@name': usage.name,
  '@billingMode': usage.billingMode,
  '@usageType': usage.usageType,
  ...(usage.tierBlockPolicy === undefined ? {} : { '@tierBlockPolicy': usage.tierBlockPolicy }),
  billingPeriod: usage.billingPeriod,
  tiers: {
    tier: usage.tiers.map(({ limits, blocks, recurringPrice }) => ({
      ...listed('limits', 'limit', limits),
      ...listed(
        'blocks',
        'tieredBlock',
        blocks?.map(({ unit, size, prices, max }) => ({
          unit,
          size,
          prices: pricesOf(prices),
          ...(max === undefined ? {} : { max }),
        })),
      ),
      ...(recurringPrice === undefined ? {} : { recurringPrice: pricesOf(recurringPrice) }),
    })),
  },
});

const phaseElement = ({ type, duration, fixed, recurring, usages }: Phase): XmlElement => ({
  '@type': type,
  duration: { unit: duration.unit, ...(duration.number === undefined ? {} : { number: duration.number }) },
  ...(fixed === undefined
    ? {}
    : {
        fixed: { ...(fixed.type === undefined ? {} : { '@type': fixed.type }), fixedPrice: pricesOf(fixed.price) },
      }),
  ...(recurring === undefined
    ? {}
    : { recurring: { billingPeriod: recurring.billingPeriod, recurringPrice: pricesOf(recurring.price) } }),
  ...listed('usages', 'usage', usages?.map(usageElement)),
});

const planElement = (plan: Plan, defaultMode: string): XmlElement => ({
  '@name': plan.name,
  ...(plan.effectiveDateForExistingSubscriptions === undefined
    ? {}
    : { effectiveDateForExistingSubscriptions: withOffset(plan.effectiveDateForExistingSubscriptions) }),
  product: plan.product,
  ...(plan.billingMode === defaultMode ? {} : { recurringBillingMode: plan.billingMode }),
  ...listed('initialPhases', 'phase', plan.phases.slice(0, -1).map(phaseElement)),
  finalPhase: plan.phases.slice(-1).map(phaseElement),
  ...(plan.plansAllowedInBundle === undefined ? {} : { plansAllowedInBundle: plan.plansAllowedInBundle }),
});

const productElement = ({ name, category, included, available, limits }: Product): XmlElement => ({
  '@name': name,
  category,
  ...listed('included', 'addonProduct', included),
  ...listed('available', 'addonProduct', available),
  ...listed('limits', 'limit', limits),
});

/** The kinds of rules, and the conditions within one, in the order that Kill Bill's schema asks for. */
const ruleKinds = [
  'changePolicy',
  'changeAlignment',
  'cancelPolicy',
  'createAlignment',
  'billingAlignment',
  'priceList',
];
const conditions = [
  ...['phaseType', 'fromProduct', 'fromProductCategory', 'fromBillingPeriod', 'fromPriceList'],
  ...['toProduct', 'toProductCategory', 'toBillingPeriod', 'toPriceList'],
  ...['product', 'productCategory', 'billingPeriod', 'priceList'],
];

const ruleElement = ({ when, policy, alignment, toPriceList }: Rule): XmlElement => ({
  ...Object.fromEntries(conditions.flatMap((name) => (when[name] === undefined ? [] : [[name, when[name]]]))),
  ...(policy === undefined ? {} : { policy }),
  ...(alignment === undefined ? {} : { alignment }),
  ...(toPriceList === undefined ? {} : { toPriceList }),
});

const rulesElement = (rules: CatalogVersion['rules']): XmlElement =>
  Object.assign(
    {},
    ...ruleKinds.map((kind) => listed(kind, `${kind}Case`, rules[kind]?.map(ruleElement))),
  ) as XmlElement;

/** One version of a golden catalog as Kill Bill's catalog XML. */
export const catalogDocument = (version: CatalogVersion): string => {
  const [defaultList, ...children] = version.priceLists.map(({ name, plans }) => ({
    '@name': name,
    plans: { plan: plans },
  }));
  const document = {
    catalog: {
      effectiveDate: withOffset(version.effectiveDate),
      catalogName: version.catalogName,
      recurringBillingMode: version.billingMode,
      currencies: { currency: version.currencies },
      ...listed(
        'units',
        'unit',
        version.units.map((name) => ({ '@name': name })),
      ),
      products: { product: version.products.map(productElement) },
      rules: rulesElement(version.rules),
      plans: { plan: version.plans.map((plan) => planElement(plan, version.billingMode)) },
      priceLists: { defaultPriceList: defaultList, ...(children.length === 0 ? {} : { childPriceList: children }) },
    },
  };
  return xmlText(document);
};
