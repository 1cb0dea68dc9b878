import type { BillingPeriod } from '@billstream/subscriptions-contracts';
import { type CatalogPlan, type CatalogProduct, type CatalogVersion, type PriceList, billingPeriodOf } from './catalog';

/** The names of one version, for looking up instead of searching. Of two of a name the first counts. */
export type CatalogIndex = {
  readonly plans: ReadonlyMap<string, CatalogPlan>;
  readonly products: ReadonlyMap<string, CatalogProduct>;
  readonly priceLists: ReadonlyMap<string, PriceList>;
  /** The lists that hold a plan, in the order of the catalog. */
  readonly listsOfPlan: ReadonlyMap<string, readonly PriceList[]>;
  plansOf(list: PriceList, product: string, period: BillingPeriod): readonly CatalogPlan[];
};

const byName = <Named extends { readonly name: string }>(all: readonly Named[]): ReadonlyMap<string, Named> =>
  new Map(all.toReversed().map((one) => [one.name, one]));

const grouped = <Item>(items: readonly (readonly [string, Item])[]): ReadonlyMap<string, readonly Item[]> => {
  const groups = new Map<string, Item[]>();
  for (const [key, item] of items) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else if (!group.includes(item)) group.push(item);
  }
  return groups;
};

const keyOf = (list: string, product: string, period: BillingPeriod): string => JSON.stringify([list, product, period]);

const built = ({ plans, products, priceLists }: CatalogVersion): CatalogIndex => {
  const known = byName(plans);
  const offered = grouped(
    priceLists.flatMap((list) =>
      list.plans.flatMap((name): readonly (readonly [string, CatalogPlan])[] => {
        const plan = known.get(name);
        return plan === undefined ? [] : [[keyOf(list.name, plan.product, billingPeriodOf(plan)), plan]];
      }),
    ),
  );
  return {
    plans: known,
    products: byName(products),
    priceLists: byName(priceLists),
    listsOfPlan: grouped(priceLists.flatMap((list) => list.plans.map((name) => [name, list] as const))),
    plansOf: ({ name }, product, period) => offered.get(keyOf(name, product, period)) ?? [],
  };
};

/** A version never changes, so its index is made once and lives as long as the version does. */
const indexes = new WeakMap<CatalogVersion, CatalogIndex>();

export const indexOf = (version: CatalogVersion): CatalogIndex => {
  const known = indexes.get(version);
  if (known !== undefined) return known;
  const index = built(version);
  indexes.set(version, index);
  return index;
};

export const productOf = (version: CatalogVersion, name: string): CatalogProduct | null =>
  indexOf(version).products.get(name) ?? null;

export const priceListsOf = (version: CatalogVersion, planName: string): readonly PriceList[] =>
  indexOf(version).listsOfPlan.get(planName) ?? [];
