export { containing, exactly, isStructured, structured } from './account-search';
export type { SearchCondition } from './account-search';
export { accountsReadModel } from './accounts.projection';
export { accountById, accountByKey, accountsPage, childrenOf, searchAccounts } from './accounts.query';
export type { AccountPage, AccountView, PageRequest } from './accounts.query';
export { balancesReadModel } from './balances.projection';
export { tenantValuesReadModel } from './tenant-values.projection';
export type { TenantValueKind } from './tenant-values.projection';
export { tenantsReadModel } from './tenants.projection';
export {
  allTenantValues,
  clockDistanceOf,
  tenantById,
  tenantByApiKey,
  tenantSettings,
  tenantValues,
} from './tenants.query';
export type { TenantEntry, TenantView } from './tenants.query';
