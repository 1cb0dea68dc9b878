import { parseInstant } from '@billstream/kernel';
import {
  type CatalogDuration,
  type CatalogError,
  type CatalogPhase,
  type CatalogPlan,
  type CatalogProduct,
  type CatalogVersion,
  billingModes,
  durationUnits,
  phaseTypes,
  productCategories,
} from '@billstream/subscriptions-domain';
import { Unreadable, attempt, limitsIn, name255, needed, oneOf, periodIn, pricesIn } from './read-parts';
import { readRules } from './read-rules';
import { usageFrom } from './read-usage';
import { type XmlElement, child, childText, listIn, parseXml } from '@billstream/xml';

const durationFrom = (phase: XmlElement): CatalogDuration => {
  const duration = child(phase, 'duration');
  const path = duration?.path ?? `${phase.path}/duration`;
  const unit = oneOf(durationUnits, duration === null ? null : childText(duration, 'unit'), `${path}/unit`);
  const number = duration === null ? null : childText(duration, 'number');
  if (unit === 'UNLIMITED') return { unit, number: -1 };
  if (number === null || !/^\d{1,5}$/.test(number))
    throw new Unreadable(`${path}/number`, `${number ?? 'nothing'} is not a whole number`);
  return { unit, number: Number(number) };
};

const phaseFrom = (element: XmlElement): CatalogPhase => {
  const [fixed, recurring] = [child(element, 'fixed'), child(element, 'recurring')];
  return {
    type: oneOf(phaseTypes, element.attributes['type'], `${element.path}/@type`),
    prettyName: element.attributes['prettyName'] ?? null,
    duration: durationFrom(element),
    fixed: fixed === null ? null : { prices: pricesIn(child(fixed, 'fixedPrice')) },
    recurring:
      recurring === null
        ? null
        : { billingPeriod: periodIn(recurring), prices: pricesIn(child(recurring, 'recurringPrice')) },
    usages: listIn(element, 'usages', 'usage').map(usageFrom),
  };
};

const billingModeOf = (plan: XmlElement, defaultMode: string | null, phases: readonly CatalogPhase[]) => {
  const stated = childText(plan, 'recurringBillingMode') ?? defaultMode;
  const mode = stated ?? (phases.at(-1)?.recurring === null ? 'IN_ADVANCE' : null);
  return oneOf(billingModes, mode, `${plan.path}/recurringBillingMode`);
};

const planFrom = (element: XmlElement, defaultMode: string | null): CatalogPlan => {
  const { path } = element;
  const final = child(element, 'finalPhase');
  if (final === null) throw new Unreadable(`${path}/finalPhase`, 'is missing');
  const phases = [...listIn(element, 'initialPhases', 'phase'), final].map(phaseFrom);
  const existing =
    childText(element, 'effectiveDateForExistingSubscriptions') ??
    childText(element, 'effectiveDateForExistingSubscriptons');
  const allowed = childText(element, 'plansAllowedInBundle') ?? '-1';
  if (!/^-?\d{1,6}$/.test(allowed))
    throw new Unreadable(`${path}/plansAllowedInBundle`, `${allowed} is not a whole number`);
  return {
    name: name255(element.attributes['name'], `${path}/@name`),
    prettyName: element.attributes['prettyName'] ?? null,
    product: needed(childText(element, 'product'), `${path}/product`),
    recurringBillingMode: billingModeOf(element, defaultMode, phases),
    effectiveDateForExistingSubscriptions:
      existing === null ? null : instantIn(existing, `${path}/effectiveDateForExistingSubscriptions`),
    phases,
    plansAllowedInBundle: Math.max(-1, Number(allowed)),
  };
};

const instantIn = (text: string | null, path: string) => {
  const instant = text === null ? null : parseInstant(/T/.test(text) ? text : `${text}T00:00:00Z`);
  if (instant === null) throw new Unreadable(path, `${text ?? 'nothing'} is not an instant`);
  return instant;
};

const productFrom = (element: XmlElement): CatalogProduct => {
  const addOns = (wrapper: string): readonly string[] =>
    listIn(element, wrapper, 'addonProduct').map(({ text }) => text);
  return {
    name: name255(element.attributes['name'], `${element.path}/@name`),
    prettyName: element.attributes['prettyName'] ?? null,
    category: oneOf(productCategories, childText(element, 'category'), `${element.path}/category`),
    included: addOns('included'),
    available: addOns('available'),
    limits: limitsIn(element),
  };
};

const priceListsIn = (root: XmlElement): readonly XmlElement[] =>
  (child(root, 'priceLists')?.children ?? [])
    .filter(({ name }) => name === 'defaultPriceList' || name === 'childPriceList')
    .toSorted((a, b) => Number(b.name === 'defaultPriceList') - Number(a.name === 'defaultPriceList'));

const versionFrom = (root: XmlElement, errors: CatalogError[]): CatalogVersion | null => {
  const mode = childText(root, 'recurringBillingMode');
  const each = <T>(elements: readonly XmlElement[], read: (element: XmlElement) => T): readonly T[] =>
    elements.flatMap((element) => attempt(errors, () => [read(element)]) ?? []);
  const head = attempt(errors, () => ({
    catalogName: name255(childText(root, 'catalogName'), '/catalog/catalogName'),
    effectiveDate: instantIn(childText(root, 'effectiveDate'), '/catalog/effectiveDate'),
    recurringBillingMode: mode === null ? null : oneOf(billingModes, mode, '/catalog/recurringBillingMode'),
  }));
  const units = each(listIn(root, 'units', 'unit'), ({ attributes, path }) => ({
    name: name255(attributes['name'], `${path}/@name`),
    prettyName: attributes['prettyName'] ?? null,
  }));
  const products = each(listIn(root, 'products', 'product'), productFrom);
  const rules = readRules(child(root, 'rules'), errors);
  const plans = each(listIn(root, 'plans', 'plan'), (plan) => planFrom(plan, mode));
  const priceLists = each(priceListsIn(root), (list) => ({
    name: name255(list.attributes['name'], `${list.path}/@name`),
    plans: listIn(list, 'plans', 'plan').map(({ text }) => text),
  }));
  if (head === null || errors.length > 0) return null;
  const currencies = listIn(root, 'currencies', 'currency').map(({ text }) => text);
  return { ...head, currencies, units, products, rules, plans, priceLists };
};

/**
 * Kill Bill's catalog XML as a version, or everything that keeps it from being read, by the path of the element; whether
 * it makes sense is asked elsewhere.
 */
export const readCatalog = (
  text: string,
): { readonly version: CatalogVersion } | { readonly errors: readonly CatalogError[] } => {
  const parsed = parseXml(text);
  if ('error' in parsed) return { errors: [{ pointer: '/', message: parsed.error }] };
  const { root } = parsed;
  if (root.name !== 'catalog')
    return { errors: [{ pointer: `/${root.name}`, message: `the root element is ${root.name}, not catalog` }] };
  const errors: CatalogError[] = [];
  const version = versionFrom(root, errors);
  return version === null ? { errors } : { version };
};
