export { containing, exactly, isStructured, structured } from './account-search';
export type { SearchCondition } from './account-search';
export { accountsReadModel } from './accounts.projection';
export {
  accountById,
  accountByKey,
  accountsPage,
  childrenOf,
  currenciesPaidFor,
  searchAccounts,
} from './accounts.query';
export type { AccountPage, AccountView } from './accounts.query';
export { accountEmailsReadModel, emailsOfAccount } from './account-emails.projection';
export type { AccountEmailView } from './account-emails.projection';
export { auditReadModel } from './audit.projection';
export { balancesReadModel } from './balances.projection';
export { tenantValuesReadModel } from './tenant-values.projection';
export type { TenantValueKind } from './tenant-values.projection';
export { tenantsReadModel } from './tenants.projection';
export {
  allTenantValues,
  tenantById,
  tenantByApiKey,
  tenantClockOf,
  tenantSettings,
  tenantValues,
} from './tenants.query';
export type { TenantEntry, TenantView } from './tenants.query';
export { customFieldsReadModel } from './custom-fields.projection';
export {
  customFieldsOfAccount,
  customFieldsOfObject,
  customFieldsPage,
  findCustomFields,
  searchCustomFields,
} from './custom-fields.query';
export type { CustomFieldView } from './custom-fields.query';
export { knownObjectsReadModel, ownerOf } from './known-objects.projection';
export {
  pushCallbackOf,
  pushNotificationsReadModel,
  sendNotification,
  waitingNotification,
} from './push-notifications.projection';
export { allRoles, roleByName, securityReadModel, userByName } from './security.projection';
export type { RoleView, UserView } from './security.projection';
export type { PageRequest, Slice } from './slice';
export { tagsReadModel } from './tags.projection';
export {
  isTagDefinitionUsed,
  searchTags,
  tagDefinitionsByIds,
  tagDefinitionsOf,
  tagsOfAccount,
  tagsOfObject,
  tagsPage,
} from './tags.query';
export type { TagView } from './tags.query';
