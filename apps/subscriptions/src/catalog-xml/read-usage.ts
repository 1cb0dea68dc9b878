import {
  type CatalogBlock,
  type CatalogTier,
  type CatalogUsage,
  type Prices,
  billingModes,
  tierBlockPolicies,
  usageTypes,
} from '@billstream/subscriptions-domain';
import { limitsIn, name255, needed, numberIn, oneOf, periodIn, pricesIn } from './read-parts';
import { type XmlElement, child, childText, listIn } from '@billstream/xml';

const blockFrom = (element: XmlElement): CatalogBlock => ({
  unit: needed(childText(element, 'unit'), `${element.path}/unit`),
  size: numberIn(childText(element, 'size'), `${element.path}/size`),
  max: numberIn(childText(element, 'max') ?? '-1', `${element.path}/max`),
  prices: pricesIn(child(element, 'prices')),
});

const optionalPrices = (element: XmlElement, name: string): Prices | null => {
  const found = child(element, name);
  return found === null ? null : pricesIn(found);
};

const tierFrom = (element: XmlElement): CatalogTier => ({
  limits: limitsIn(element),
  blocks: [...listIn(element, 'blocks', 'tieredBlock'), ...listIn(element, 'blocks', 'block')].map(blockFrom),
  fixedPrice: optionalPrices(element, 'fixedPrice'),
  recurringPrice: optionalPrices(element, 'recurringPrice'),
});

const untieredNames = ['limits', 'blocks', 'fixedPrice', 'recurringPrice'];

/** Limits, blocks and prices beside the tiers, as sections that are paid in advance have them. */
const untieredOf = (element: XmlElement): Pick<CatalogUsage, 'untiered'> =>
  element.children.some(({ name }) => untieredNames.includes(name)) ? { untiered: tierFrom(element) } : {};

export const usageFrom = (element: XmlElement): CatalogUsage => {
  const { attributes, path } = element;
  return {
    name: name255(attributes['name'], `${path}/@name`),
    usageType: oneOf(usageTypes, attributes['usageType'], `${path}/@usageType`),
    billingMode: oneOf(billingModes, attributes['billingMode'], `${path}/@billingMode`),
    billingPeriod: periodIn(element),
    tierBlockPolicy: oneOf(tierBlockPolicies, attributes['tierBlockPolicy'] ?? 'ALL_TIERS', `${path}/@tierBlockPolicy`),
    tiers: listIn(element, 'tiers', 'tier').map(tierFrom),
    ...untieredOf(element),
  };
};
