import { isNegative } from '@billstream/kernel';
import type { Prices } from './catalog';

/** What is wrong, and where: an RFC 6901 pointer into the catalog's JSON document, and a sentence without it. */
export type CatalogError = { readonly pointer: string; readonly message: string };

export const catalogError = (pointer: string, message: string): CatalogError => ({ pointer, message });

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

export const repeated = (names: readonly string[], pointer: string, what: string): readonly CatalogError[] => {
  const seen = new Set<string>();
  return names.flatMap((name, index) => {
    if (seen.has(name)) return [catalogError(`${pointer}/${index}`, `${what} ${name} is defined more than once`)];
    seen.add(name);
    return [];
  });
};

/** What names can be looked up in: made once a version, because each plan asks. */
export type Known = {
  readonly currencies: ReadonlySet<string>;
  readonly units: ReadonlySet<string>;
  readonly products: ReadonlySet<string>;
  readonly plans: ReadonlySet<string>;
  readonly priceLists: ReadonlySet<string>;
};

export const priceErrors = (prices: Prices, { currencies }: Known, pointer: string): readonly CatalogError[] =>
  Object.entries(prices).flatMap(([currency, price]) => {
    const at = `${pointer}/${escaped(currency)}`;
    return [
      ...(currencies.has(currency)
        ? []
        : [catalogError(at, `currency ${currency} is not among the catalog's currencies`)]),
      ...(isNegative(price) ? [catalogError(at, `the price ${price} ${currency} is negative`)] : []),
    ];
  });
