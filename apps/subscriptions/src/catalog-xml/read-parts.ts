import { type Decimal, parseDecimal } from '@billstream/kernel';
import type { BillingPeriod } from '@billstream/subscriptions-contracts';
import {
  type CatalogError,
  type CatalogLimit,
  type Prices,
  parseBillingPeriod,
} from '@billstream/subscriptions-domain';
import { type XmlElement, childText, listIn } from '@billstream/xml';

/** Thrown and caught within this folder: what an element says cannot be read. */
export class Unreadable extends Error {
  constructor(
    readonly path: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** Keeps what cannot be read apart, so that one upload shows the mistakes of all elements. */
export const attempt = <T>(errors: CatalogError[], read: () => T): T | null => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    errors.push({ pointer: error.path, message: error.message });
    return null;
  }
};

export const oneOf = <T extends string>(allowed: readonly T[], text: string | null | undefined, path: string): T => {
  const found = allowed.find((one) => one === text);
  if (found === undefined) throw new Unreadable(path, `${text ?? 'nothing'} is not one of ${allowed.join(', ')}`);
  return found;
};

export const periodIn = (element: XmlElement): BillingPeriod => {
  const text = childText(element, 'billingPeriod');
  const period = text === null ? null : parseBillingPeriod(text);
  if (period === null)
    throw new Unreadable(`${element.path}/billingPeriod`, `${text ?? 'nothing'} is not a billing period`);
  return period;
};

export const numberIn = (text: string | null, path: string): Decimal => {
  const number = text === null ? null : parseDecimal(text);
  if (number === null) throw new Unreadable(path, `${text ?? 'nothing'} is not a number`);
  return number;
};

export const needed = (text: string | null | undefined, path: string): string => {
  if (text === null || text === undefined || text === '') throw new Unreadable(path, 'is missing');
  return text;
};

const nameLengthMax = 255;

export const name255 = (text: string | null | undefined, path: string): string => {
  const name = needed(text, path);
  if (name.length > nameLengthMax) throw new Unreadable(path, `is longer than ${nameLengthMax} characters`);
  return name;
};

/** Every `price` in the element; none at all is a price of zero. */
export const pricesIn = (element: XmlElement | null): Prices => {
  const prices = (element?.children ?? []).filter(({ name }) => name === 'price');
  const entries = prices.map((price): readonly [string, Decimal] => [
    needed(childText(price, 'currency'), `${price.path}/currency`),
    numberIn(childText(price, 'value'), `${price.path}/value`),
  ]);
  const twice = entries.findIndex(([currency], index) => entries.findIndex(([other]) => other === currency) !== index);
  if (twice >= 0)
    throw new Unreadable(prices[twice]?.path ?? '', `there is more than one price in ${String(entries[twice]?.[0])}`);
  return Object.fromEntries(entries);
};

const limitFrom = (element: XmlElement): CatalogLimit => {
  const [max, min] = [childText(element, 'max'), childText(element, 'min')];
  return {
    unit: needed(childText(element, 'unit'), `${element.path}/unit`),
    max: max === null ? null : numberIn(max, `${element.path}/max`),
    min: min === null ? null : numberIn(min, `${element.path}/min`),
  };
};

export const limitsIn = (element: XmlElement): readonly CatalogLimit[] =>
  listIn(element, 'limits', 'limit').map(limitFrom);
