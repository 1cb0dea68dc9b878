export { accountBlockingStates, accountChangeDue } from './account-changes.tables';
export { auditReadModel } from './audit.projection';
export {
  bundleById,
  bundleIdsOf,
  bundleOfSubscription,
  bundleOfSubscriptionKey,
  bundlesAfter,
  bundlesByKey,
  bundlesOfAccount,
  pageOfAccountBundles,
  pageOfBundles,
  searchBundles,
  subscriptionIsKnown,
} from './bundles.queries';
export type { PageOfBundles } from './bundles.queries';
export { bundlesReadModel, phaseDue } from './bundles.read-model';
export { catalogChanged } from './due-catalogs';
export { catalogOfTenant, catalogsReadModel } from './catalogs.read-model';
export type { CatalogAtRevision } from './catalogs.read-model';
export {
  subscriberAccountById,
  subscriberAccountsByIds,
  subscriberAccountsReadModel,
} from './subscriber-accounts.read-model';
