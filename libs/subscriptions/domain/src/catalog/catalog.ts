import type { Decimal, DurationUnit, Instant } from '@billstream/kernel';
import type {
  BillingAlignment,
  BillingMode,
  BillingPeriod,
  PhaseType,
  ProductCategory,
} from '@billstream/subscriptions-contracts';

export const productCategories = ['BASE', 'ADD_ON', 'STANDALONE'] as const satisfies readonly ProductCategory[];
export const phaseTypes = ['TRIAL', 'DISCOUNT', 'FIXEDTERM', 'EVERGREEN'] as const satisfies readonly PhaseType[];
export const billingModes = ['IN_ADVANCE', 'IN_ARREAR'] as const satisfies readonly BillingMode[];
export const billingAlignments = ['ACCOUNT', 'BUNDLE', 'SUBSCRIPTION'] as const satisfies readonly BillingAlignment[];
export const billingPolicies = ['IMMEDIATE', 'END_OF_TERM', 'START_OF_TERM', 'ILLEGAL'] as const;
export const createAlignments = ['START_OF_SUBSCRIPTION', 'START_OF_BUNDLE'] as const;
export const changeAlignments = [
  'START_OF_SUBSCRIPTION',
  'START_OF_BUNDLE',
  'CHANGE_OF_PLAN',
  'CHANGE_OF_PRICELIST',
] as const;
export const durationUnits = ['DAYS', 'WEEKS', 'MONTHS', 'YEARS', 'UNLIMITED'] as const;
export const usageTypes = ['CONSUMABLE', 'CAPACITY'] as const;
export const tierBlockPolicies = ['ALL_TIERS', 'TOP_TIER'] as const;

export type BillingPolicy = (typeof billingPolicies)[number];
export type CreateAlignment = (typeof createAlignments)[number];
export type ChangeAlignment = (typeof changeAlignments)[number];

/** Price by currency. No entry at all is a price of zero in every currency (Kill Bill's empty price element). */
export type Prices = Readonly<Record<string, Decimal>>;

export type CatalogDuration = {
  readonly unit: DurationUnit | 'UNLIMITED';
  /** -1 with UNLIMITED. */ readonly number: number;
};

/** `max` counts blocks or units; -1 is no limit. */
export type CatalogBlock = {
  readonly unit: string;
  readonly size: Decimal;
  readonly max: Decimal;
  readonly prices: Prices;
};
export type CatalogLimit = { readonly unit: string; readonly max: Decimal | null; readonly min: Decimal | null };
export type CatalogTier = {
  readonly limits: readonly CatalogLimit[];
  readonly blocks: readonly CatalogBlock[];
  readonly fixedPrice: Prices | null;
  readonly recurringPrice: Prices | null;
};
export type CatalogUsage = {
  readonly name: string;
  readonly usageType: (typeof usageTypes)[number];
  readonly billingMode: BillingMode;
  readonly billingPeriod: BillingPeriod;
  readonly tierBlockPolicy: (typeof tierBlockPolicies)[number];
  readonly tiers: readonly CatalogTier[];
  /** What a section paid in advance states without tiers. Read and kept, never billed (Kill Bill). */
  readonly untiered?: CatalogTier;
};

/** The name of a phase is its plan's and its type: see `phaseName`. */
export type CatalogPhase = {
  readonly type: PhaseType;
  readonly prettyName: string | null;
  readonly duration: CatalogDuration;
  readonly fixed: { readonly prices: Prices } | null;
  readonly recurring: { readonly billingPeriod: BillingPeriod; readonly prices: Prices } | null;
  readonly usages: readonly CatalogUsage[];
};

export type CatalogPlan = {
  readonly name: string;
  readonly prettyName: string | null;
  readonly product: string;
  readonly recurringBillingMode: BillingMode;
  readonly effectiveDateForExistingSubscriptions: Instant | null;
  /** In order; the last one is the final phase. Never empty. */
  readonly phases: readonly CatalogPhase[];
  /** How many of it one bundle may hold; -1 is no limit. */
  readonly plansAllowedInBundle: number;
};

export type CatalogProduct = {
  readonly name: string;
  readonly prettyName: string | null;
  readonly category: ProductCategory;
  /** Add-on products that come with it for free, and cannot be ordered beside it. */
  readonly included: readonly string[];
  /** Add-on products that can be ordered beside it. */
  readonly available: readonly string[];
  readonly limits: readonly CatalogLimit[];
};

export const conditionNames = [
  'phaseType',
  'product',
  'productCategory',
  'billingPeriod',
  'priceList',
  'fromProduct',
  'fromProductCategory',
  'fromBillingPeriod',
  'fromPriceList',
  'toProduct',
  'toProductCategory',
  'toBillingPeriod',
  'toPriceList',
] as const;
export type ConditionName = (typeof conditionNames)[number];
/** What a case states, or what is known where rules are asked. An absent name matches everything. */
export type Condition = { readonly [Name in ConditionName]?: string };
export type RuleCase<Result extends string> = { readonly when: Condition; readonly result: Result };

export type CatalogRules = {
  readonly changePolicy: readonly RuleCase<BillingPolicy>[];
  readonly changeAlignment: readonly RuleCase<ChangeAlignment>[];
  readonly cancelPolicy: readonly RuleCase<BillingPolicy>[];
  /** Kill Bill asks `cancelPolicy` without a phase, so that cases with one never match; an organization's rules know it. */
  readonly cancelsByPhase?: true;
  readonly createAlignment: readonly RuleCase<CreateAlignment>[];
  readonly billingAlignment: readonly RuleCase<BillingAlignment>[];
  readonly priceList: readonly RuleCase<string>[];
};

export type PriceList = { readonly name: string; readonly plans: readonly string[] };

/** A catalog as uploaded, in force from `effectiveDate` until the next version's. */
export type CatalogVersion = {
  readonly catalogName: string;
  readonly effectiveDate: Instant;
  readonly recurringBillingMode: BillingMode | null;
  readonly currencies: readonly string[];
  readonly units: readonly { readonly name: string; readonly prettyName: string | null }[];
  readonly products: readonly CatalogProduct[];
  readonly rules: CatalogRules;
  readonly plans: readonly CatalogPlan[];
  /** The first one is the default list. */
  readonly priceLists: readonly PriceList[];
  /**
   * Plans that carry a date for existing subscriptions move them at the next bill date on or after it, which prorates
   * nothing. A setting of the tenant, not of the document; absent: to the instant.
   */
  readonly alignsExistingSubscriptions?: true;
};

/** All versions of a tenant, by effective date. */
export type Catalog = readonly CatalogVersion[];

export const phaseName = (plan: string, type: PhaseType): string => `${plan}-${type.toLowerCase()}`;

/** Newest version not later than the instant; the first one when the instant is before all (Kill Bill #760). */
export const versionAt = (catalog: Catalog, at: Instant): CatalogVersion | null => {
  let [from, to] = [0, catalog.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((catalog[middle]?.effectiveDate ?? at) <= at) from = middle + 1;
    else to = middle;
  }
  return catalog[Math.max(0, from - 1)] ?? null;
};

export const finalPhase = (plan: CatalogPlan): CatalogPhase => {
  const phase = plan.phases.at(-1);
  if (phase === undefined) throw new RangeError(`plan ${plan.name} has no phase`);
  return phase;
};

/** The billing period a plan is found by: that of its final phase. */
export const billingPeriodOf = (plan: CatalogPlan): BillingPeriod =>
  finalPhase(plan).recurring?.billingPeriod ?? 'NO_BILLING_PERIOD';
