export {
  bundleById,
  bundleIdsOf,
  bundleOfSubscription,
  bundleOfSubscriptionKey,
  bundlesAfter,
  bundlesByKey,
  bundlesOfAccount,
  pageOfBundles,
  searchBundles,
} from './bundles.queries';
export type { PageOfBundles } from './bundles.queries';
export { bundlesReadModel, catalogChanged, phaseDue } from './bundles.read-model';
export { catalogOfTenant, catalogsReadModel } from './catalogs.read-model';
export type { CatalogAtRevision } from './catalogs.read-model';
export {
  subscriberAccountById,
  subscriberAccountsByIds,
  subscriberAccountsReadModel,
} from './subscriber-accounts.read-model';
