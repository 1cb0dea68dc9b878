import { type AccountTime, type Instant, parseCurrency, parseInstant } from '@billstream/kernel';
import type { Catalog, CatalogPhase, CatalogPlan, CatalogProduct, CatalogRules } from '../catalog/catalog';
import { defaultCatalog } from '../catalog/default-catalog';
import type { ChangePlan, StartSubscriptions, SubscriberAccount, SubscriptionSpec } from './bundle.commands';

/** Builders for the specs of this folder: a small catalog with two bases, two add-ons and a term that ends. */
export const at = (text: string): Instant => {
  const instant = parseInstant(text.includes('T') ? text : `${text}T00:00:00Z`);
  if (instant === null) throw new RangeError(`not an instant: ${text}`);
  return instant;
};

export const utc: AccountTime = { timeZone: 'Etc/UTC', referenceTime: at('2024-01-01') };
export const account: SubscriberAccount = {
  accountId: 'account-1',
  currency: parseCurrency('USD'),
  time: utc,
  billCycleDayLocal: 1,
};

const template = defaultCatalog.plans[0];
const [trial, evergreen] = template?.phases ?? [];

export const phase = (type: 'trial' | 'evergreen' | 'term'): CatalogPhase => {
  if (trial === undefined || evergreen === undefined) throw new RangeError('the default catalog has two phases a plan');
  if (type === 'trial') return trial;
  return type === 'evergreen'
    ? evergreen
    : { ...evergreen, type: 'FIXEDTERM', duration: { unit: 'MONTHS', number: 3 } };
};

export const plan = (name: string, product: string, phases: readonly CatalogPhase[]): CatalogPlan => {
  if (template === undefined) throw new RangeError('the default catalog has a plan');
  return { ...template, name, product, phases };
};

const product = (
  name: string,
  category: CatalogProduct['category'],
  available: readonly string[],
  included: readonly string[],
): CatalogProduct => ({
  name,
  prettyName: null,
  category,
  available,
  included,
  limits: [],
});

export const catalogWith = (rules: Partial<CatalogRules> = {}): Catalog => [
  {
    ...defaultCatalog,
    products: [
      product('Small', 'BASE', ['Scope', 'Laser'], []),
      product('Large', 'BASE', ['Laser'], ['Scope']),
      product('Scope', 'ADD_ON', [], []),
      product('Laser', 'ADD_ON', [], []),
      product('Alone', 'STANDALONE', [], []),
    ],
    plans: [
      plan('small', 'Small', [phase('trial'), phase('evergreen')]),
      plan('large', 'Large', [phase('trial'), phase('evergreen')]),
      plan('small-term', 'Small', [phase('term')]),
      plan('scope', 'Scope', [phase('trial'), phase('evergreen')]),
      plan('laser', 'Laser', [phase('evergreen')]),
      plan('alone', 'Alone', [phase('evergreen')]),
    ],
    priceLists: [{ name: 'DEFAULT', plans: ['small', 'large', 'small-term', 'scope', 'laser', 'alone'] }],
    rules: { ...defaultCatalog.rules, ...rules },
  },
];

export const spec = (
  subscriptionId: string,
  planName: string,
  more: Partial<SubscriptionSpec> = {},
): SubscriptionSpec => ({
  subscriptionId,
  externalKey: null,
  plan: { planName },
  startIn: null,
  quantity: 1,
  billCycleDayLocal: null,
  priceOverrides: [],
  ...more,
});

export const start = (
  subscriptions: readonly SubscriptionSpec[],
  now: Instant,
  more: Partial<StartSubscriptions> = {},
) => ({
  type: 'StartSubscriptions' as const,
  data: {
    bundleId: 'bundle-1',
    externalKey: 'key-1',
    account,
    catalog: catalogWith(),
    now,
    entitlementAt: null,
    billingAt: null,
    migrated: false,
    subscriptions,
    ...more,
  },
});

export const change = (subscriptionId: string, planName: string, now: Instant, more: Partial<ChangePlan> = {}) => ({
  type: 'ChangePlan' as const,
  data: {
    subscriptionId,
    changeId: `change-${now}`,
    plan: { planName },
    startIn: null,
    billCycleDayLocal: null,
    priceOverrides: [],
    requestedAt: null,
    policy: null,
    account,
    catalog: catalogWith(),
    now,
    ...more,
  },
});

type EndDate =
  { readonly at: Instant } | { readonly policy: 'IMMEDIATE' | 'END_OF_TERM' | 'START_OF_TERM' | 'BY_CATALOG' };

export const cancel = (
  subscriptionId: string,
  now: Instant,
  entitlement: EndDate,
  billing: EndDate = { policy: 'BY_CATALOG' },
) => ({
  type: 'CancelSubscription' as const,
  data: { subscriptionId, cancellationId: `cancel-${now}`, entitlement, billing, account, catalog: catalogWith(), now },
});
