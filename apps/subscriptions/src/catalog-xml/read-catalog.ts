import { type Decimal, parseDecimal, parseInstant } from '@billstream/kernel';
import type { BillingPeriod } from '@billstream/subscriptions-contracts';
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
  type Prices,
  billingModes,
  durationUnits,
  parseBillingPeriod,
  phaseName,
  phaseTypes,
  productCategories,
  tierBlockPolicies,
  usageTypes,
} from '@billstream/subscriptions-domain';
import { type XmlElement, child, childText, listIn, parseXml } from '@billstream/xml';
import { readRules } from './read-rules';

/** Thrown and caught within this folder: what a document says cannot be read, with the element's name. */
export class Unreadable extends Error {}

export const oneOf = <T extends string>(allowed: readonly T[], text: string | null | undefined, where: string): T => {
  const found = allowed.find((one) => one === text);
  if (found === undefined) throw new Unreadable(`${where}: ${text ?? 'nothing'} is not one of ${allowed.join(', ')}`);
  return found;
};

const periodIn = (element: XmlElement, where: string): BillingPeriod => {
  const text = childText(element, 'billingPeriod');
  const period = text === null ? null : parseBillingPeriod(text);
  if (period === null) throw new Unreadable(`${where}, billingPeriod: ${text ?? 'nothing'} is not a billing period`);
  return period;
};

const numberIn = (text: string | null, where: string): Decimal => {
  const number = text === null ? null : parseDecimal(text);
  if (number === null) throw new Unreadable(`${where}: ${text ?? 'nothing'} is not a number`);
  return number;
};

const needed = (text: string | null | undefined, where: string): string => {
  if (text === null || text === undefined || text === '') throw new Unreadable(`${where} is missing`);
  return text;
};

/** Every `price` in the element; none at all is a price of zero. */
const pricesIn = (element: XmlElement | null, where: string): Prices => {
  const prices = (element?.children ?? []).filter(({ name }) => name === 'price');
  const entries = prices.map((price): [string, Decimal] => [
    needed(childText(price, 'currency'), `${where}, currency`),
    numberIn(childText(price, 'value'), `${where}, value`),
  ]);
  const twice = entries.find(([currency], index) => entries.findIndex(([other]) => other === currency) !== index);
  if (twice !== undefined) throw new Unreadable(`${where}: more than one price in ${twice[0]}`);
  return Object.fromEntries(entries);
};

const limitFrom = (element: XmlElement, where: string): CatalogLimit => {
  const [max, min] = [childText(element, 'max'), childText(element, 'min')];
  return {
    unit: needed(childText(element, 'unit'), `${where}, limit unit`),
    max: max === null ? null : numberIn(max, `${where}, limit max`),
    min: min === null ? null : numberIn(min, `${where}, limit min`),
  };
};

const blockFrom = (element: XmlElement, where: string): CatalogBlock => ({
  unit: needed(childText(element, 'unit'), `${where}, block unit`),
  size: numberIn(childText(element, 'size'), `${where}, block size`),
  max: numberIn(childText(element, 'max') ?? '-1', `${where}, block max`),
  prices: pricesIn(child(element, 'prices'), `${where}, block prices`),
});

const optionalPrices = (element: XmlElement, name: string, where: string): Prices | null => {
  const found = child(element, name);
  return found === null ? null : pricesIn(found, `${where}, ${name}`);
};

const tierFrom = (element: XmlElement, where: string): CatalogTier => ({
  limits: listIn(element, 'limits', 'limit').map((limit) => limitFrom(limit, where)),
  blocks: [...listIn(element, 'blocks', 'tieredBlock'), ...listIn(element, 'blocks', 'block')].map((block) =>
    blockFrom(block, where),
  ),
  fixedPrice: optionalPrices(element, 'fixedPrice', where),
  recurringPrice: optionalPrices(element, 'recurringPrice', where),
});

const usageFrom = (element: XmlElement, phase: string): CatalogUsage => {
  const { attributes } = element;
  const name = needed(attributes['name'], `${phase}, usage name`);
  const where = `${phase}, usage ${name}`;
  return {
    name,
    usageType: oneOf(usageTypes, attributes['usageType'], `${where}, usageType`),
    billingMode: oneOf(billingModes, attributes['billingMode'], `${where}, billingMode`),
    billingPeriod: periodIn(element, where),
    tierBlockPolicy: oneOf(
      tierBlockPolicies,
      attributes['tierBlockPolicy'] ?? 'ALL_TIERS',
      `${where}, tierBlockPolicy`,
    ),
    tiers: listIn(element, 'tiers', 'tier').map((tier, index) => tierFrom(tier, `${where}, tier ${index + 1}`)),
  };
};

const durationFrom = (element: XmlElement, where: string): CatalogDuration => {
  const duration = child(element, 'duration');
  const unit = oneOf(durationUnits, duration === null ? null : childText(duration, 'unit'), `${where}, duration unit`);
  const number = duration === null ? null : childText(duration, 'number');
  if (unit === 'UNLIMITED') return { unit, number: -1 };
  if (number === null || !/^\d{1,4}$/.test(number))
    throw new Unreadable(`${where}, duration number: ${number ?? 'nothing'} is not a whole number`);
  return { unit, number: Number(number) };
};

const phaseFrom = (element: XmlElement, plan: string): CatalogPhase => {
  const type = oneOf(phaseTypes, element.attributes['type'], `plan ${plan}, phase type`);
  const where = `phase ${phaseName(plan, type)}`;
  const [fixed, recurring] = [child(element, 'fixed'), child(element, 'recurring')];
  return {
    type,
    prettyName: element.attributes['prettyName'] ?? null,
    duration: durationFrom(element, where),
    fixed: fixed === null ? null : { prices: pricesIn(child(fixed, 'fixedPrice'), `${where}, fixedPrice`) },
    recurring:
      recurring === null
        ? null
        : {
            billingPeriod: periodIn(recurring, where),
            prices: pricesIn(child(recurring, 'recurringPrice'), `${where}, recurringPrice`),
          },
    usages: listIn(element, 'usages', 'usage').map((usage) => usageFrom(usage, where)),
  };
};

const planFrom = (element: XmlElement, defaultMode: string | null): CatalogPlan => {
  const name = needed(element.attributes['name'], 'plans, plan name');
  const where = `plan ${name}`;
  const final = child(element, 'finalPhase');
  if (final === null) throw new Unreadable(`${where}: finalPhase is missing`);
  const phases = [...listIn(element, 'initialPhases', 'phase'), final].map((phase) => phaseFrom(phase, name));
  const existing =
    childText(element, 'effectiveDateForExistingSubscriptions') ??
    childText(element, 'effectiveDateForExistingSubscriptons');
  const mode =
    childText(element, 'recurringBillingMode') ??
    defaultMode ??
    (phases.at(-1)?.recurring === null ? 'IN_ADVANCE' : null);
  const allowed = childText(element, 'plansAllowedInBundle') ?? '-1';
  if (!/^-?\d{1,6}$/.test(allowed))
    throw new Unreadable(`${where}, plansAllowedInBundle: ${allowed} is not a whole number`);
  return {
    name,
    prettyName: element.attributes['prettyName'] ?? null,
    product: needed(childText(element, 'product'), `${where}, product`),
    recurringBillingMode: oneOf(billingModes, mode, `${where}, recurringBillingMode`),
    effectiveDateForExistingSubscriptions:
      existing === null ? null : instantIn(existing, `${where}, effectiveDateForExistingSubscriptions`),
    phases,
    plansAllowedInBundle: Number(allowed),
  };
};

const instantIn = (text: string | null, where: string) => {
  const instant = text === null ? null : parseInstant(/T/.test(text) ? text : `${text}T00:00:00Z`);
  if (instant === null) throw new Unreadable(`${where}: ${text ?? 'nothing'} is not an instant`);
  return instant;
};

const productFrom = (element: XmlElement): CatalogProduct => {
  const name = needed(element.attributes['name'], 'products, product name');
  const addOns = (wrapper: string): readonly string[] =>
    listIn(element, wrapper, 'addonProduct').map(({ text }) => text);
  return {
    name,
    prettyName: element.attributes['prettyName'] ?? null,
    category: oneOf(productCategories, childText(element, 'category'), `product ${name}, category`),
    included: addOns('included'),
    available: addOns('available'),
    limits: listIn(element, 'limits', 'limit').map((limit) => limitFrom(limit, `product ${name}`)),
  };
};

const priceListsIn = (root: XmlElement): CatalogVersion['priceLists'] => {
  const lists = (child(root, 'priceLists')?.children ?? []).filter(
    ({ name }) => name === 'defaultPriceList' || name === 'childPriceList',
  );
  return lists
    .toSorted((a, b) => Number(b.name === 'defaultPriceList') - Number(a.name === 'defaultPriceList'))
    .map((list) => ({
      name: needed(list.attributes['name'], 'priceLists, name'),
      plans: listIn(list, 'plans', 'plan').map(({ text }) => text),
    }));
};

const versionFrom = (root: XmlElement): CatalogVersion => {
  if (root.name !== 'catalog') throw new Unreadable(`the root element is ${root.name}, not catalog`);
  const mode = childText(root, 'recurringBillingMode');
  return {
    catalogName: needed(childText(root, 'catalogName'), 'catalogName'),
    effectiveDate: instantIn(childText(root, 'effectiveDate'), 'effectiveDate'),
    recurringBillingMode: mode === null ? null : oneOf(billingModes, mode, 'recurringBillingMode'),
    currencies: listIn(root, 'currencies', 'currency').map(({ text }) => text),
    units: listIn(root, 'units', 'unit').map(({ attributes }) => ({
      name: needed(attributes['name'], 'units, unit name'),
      prettyName: attributes['prettyName'] ?? null,
    })),
    products: listIn(root, 'products', 'product').map(productFrom),
    rules: readRules(child(root, 'rules')),
    plans: listIn(root, 'plans', 'plan').map((plan) => planFrom(plan, mode)),
    priceLists: priceListsIn(root),
  };
};

/** Kill Bill's catalog XML as a version, or what keeps it from being read; whether it makes sense is asked elsewhere. */
export const readCatalog = (text: string): { readonly version: CatalogVersion } | { readonly error: string } => {
  const parsed = parseXml(text);
  if ('error' in parsed) return parsed;
  try {
    return { version: versionFrom(parsed.root) };
  } catch (error) {
    if (error instanceof Unreadable) return { error: error.message };
    throw error;
  }
};
