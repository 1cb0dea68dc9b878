export {
  accountBlockingAt,
  accountChangesDecider,
  accountChangesSchema,
  accountChangesStream,
} from './account/account-changes';
export type {
  AccountBlocked,
  AccountChange,
  AccountChangeCommand,
  AccountChangeEvent,
  AccountChanges,
  PlannedCreation,
} from './account/account-changes';
export {
  subscriberAccountDecider,
  subscriberAccountSchema,
  subscriberAccountStream,
} from './account/subscriber-account';
export type { RecordAccount, SubscriberAccountEvent } from './account/subscriber-account';
export { blockingAt } from './bundle/blocking';
export { baseOf, evolve as evolveBundle, subscriptionOf } from './bundle/bundle';
export type {
  BlockingState,
  Bundle,
  BundleEvent,
  BundleState,
  Cancellation,
  PlanStep,
  SourceType,
  Subscription,
} from './bundle/bundle';
export type {
  BundleCommand,
  BundleRejection,
  CancelSubscription,
  ChangePlan,
  ChangeSpecifier,
  EndDate,
  FollowCatalog,
  HandOverBundle,
  ReceiveBundle,
  StartSubscriptions,
  SubscriberAccount,
  SubscriptionSpec,
} from './bundle/bundle.commands';
export { bundleDecider, nextPlanned } from './bundle/bundle.decider';
export { bundleSchema, bundleStream } from './bundle/bundle.schema';
export { bundleKeyStream, keyClaimDecider, keyClaimSchema, subscriptionKeyStream, unusedKey } from './bundle/key-claim';
export type { ClaimKey, KeyClaimEvent, KeyClaimRejection } from './bundle/key-claim';
export { billingEnd, entitlementEnd, hasEnded, isLive } from './bundle/lifetime';
export { phaseAt, planStateAt } from './bundle/plan-state';
export type { PlanState, SubscriptionStatus } from './bundle/plan-state';
export { isHandedOverBy, transferredId } from './bundle/transfer-bundle';
export { plannedPhases, timelineOf } from './bundle/timeline';
export { billingPeriodLength, billingPeriods, parseBillingPeriod } from './catalog/billing-period';
export {
  billingAlignments,
  billingModes,
  billingPeriodOf,
  billingPolicies,
  changeAlignments,
  conditionNames,
  createAlignments,
  durationUnits,
  finalPhase,
  phaseName,
  phaseTypes,
  productCategories,
  tierBlockPolicies,
  usageTypes,
  versionAt,
} from './catalog/catalog';
export type {
  BillingPolicy,
  Catalog,
  CatalogBlock,
  CatalogDuration,
  CatalogLimit,
  CatalogPhase,
  CatalogPlan,
  CatalogProduct,
  CatalogRules,
  CatalogTier,
  CatalogUsage,
  CatalogVersion,
  Condition,
  ConditionName,
  PriceList,
  Prices,
  RuleCase,
} from './catalog/catalog';
export {
  billingRulesOf,
  catalogDecider,
  catalogOf,
  catalogSchema,
  catalogStream,
  documentsOf,
  evolveCatalog,
  noCatalog,
} from './catalog/catalog.decider';
export type {
  BillingRulesRevision,
  CatalogCommand,
  CatalogEvent,
  CatalogRejection,
  TenantCatalog,
} from './catalog/catalog.decider';
export { defaultCatalog } from './catalog/default-catalog';
export { billingRuleLists, billingRuleNames, billingRulesErrors, catalogRulesOf } from './catalog/billing-rules';
export type { BillingRuleList, BillingRules } from './catalog/billing-rules';
export type { CatalogError } from './catalog/catalog-error';
export { indexOf, priceListsOf, productOf } from './catalog/catalog-index';
export type { CatalogIndex } from './catalog/catalog-index';
export { findPlan } from './catalog/find-plan';
export type { FoundPlan, PlanNotFound, PlanSpecifier } from './catalog/find-plan';
export type { PriceOverride } from './catalog/price-override';
export type { SimplePlan } from './catalog/simple-plan';
export { resolvePlan } from './catalog/resolve-plan';
export { additionErrors, ruleNames, versionErrors } from './catalog/validate-catalog';
export { publication } from './publication';
