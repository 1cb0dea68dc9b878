import type { CatalogVersion } from '@billstream/subscriptions-domain';

/** Lists of the model by the element that each of their entries is in a document. */
const itemNames: Readonly<Record<string, string>> = {
  currencies: 'currency',
  units: 'unit',
  products: 'product',
  plans: 'plan',
  included: 'addonProduct',
  available: 'addonProduct',
  limits: 'limit',
  usages: 'usage',
  tiers: 'tier',
  blocks: 'tieredBlock',
  changePolicy: 'changePolicyCase',
  changeAlignment: 'changeAlignmentCase',
  cancelPolicy: 'cancelPolicyCase',
  createAlignment: 'createAlignmentCase',
  billingAlignment: 'billingAlignmentCase',
  priceList: 'priceListCase',
};

const isPlace = (segment: string | undefined): segment is string => segment !== undefined && /^\d+$/.test(segment);

const phasePath = (version: CatalogVersion, plan: number, place: string): string => {
  const count = version.plans[plan]?.phases.length ?? 0;
  return Number(place) === count - 1 ? 'finalPhase' : `initialPhases/phase[${Number(place) + 1}]`;
};

const priceListPath = (place: string): string =>
  place === '0' ? 'priceLists/defaultPriceList' : `priceLists/childPriceList[${place}]`;

const priceFields = ['prices', 'recurringPrice', 'fixedPrice'];

/** Prices of a phase are in an element that says which they are; those of tiers and blocks have their own name. */
const pricesPath = (parent: string | undefined, segment: string, currency: string | undefined): string => {
  const ofPhase = parent === 'fixed' || parent === 'recurring';
  const element = ofPhase ? `${parent}Price` : segment;
  return currency === undefined ? element : `${element}/price[currency='${currency}']`;
};

/** What people know by its name is named; other elements are counted. */
const itemPath = (version: CatalogVersion, kind: string, place: string, isTop: boolean): string => {
  const named = isTop && (kind === 'plans' || kind === 'products' || kind === 'units') ? version[kind] : [];
  const name = named[Number(place)]?.name ?? null;
  return `${kind}/${itemNames[kind] ?? ''}[${name === null ? Number(place) + 1 : `@name='${name}'`}]`;
};

const silent = ['when', 'untiered'];

/** The step of one segment of the pointer, and whether it took the next one with it. */
const stepOf = (version: CatalogVersion, segments: readonly string[], at: number): readonly [string, boolean] => {
  const [segment = '', next] = segments.slice(at, at + 2);
  if (priceFields.includes(segment)) return [pricesPath(segments[at - 1], segment, next), true];
  if (isPlace(next)) {
    if (segment === 'phases') return [phasePath(version, Number(segments[1]), next), true];
    if (segment === 'priceLists') return [priceListPath(next), true];
    return [itemPath(version, segment, next, at === 0), true];
  }
  return [segment === 'type' ? '@type' : segment, false];
};

/** Where in a document the part of the model is that a pointer names: `/plans/0/phases/1` is its final phase. */
export const xmlPathOf = (version: CatalogVersion, pointer: string): string => {
  const segments = pointer.split('/').slice(1);
  const path: string[] = [];
  for (let at = 0; at < segments.length; at += 1) {
    const [step, tookNext] = stepOf(version, segments, at);
    if (!silent.includes(step)) path.push(step);
    if (tookNext) at += 1;
  }
  return ['/catalog', ...path].join('/');
};
