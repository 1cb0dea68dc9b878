export { accountAfter, accountSchema, noTerms } from './account/account';
export type { Account, AccountEvent, AccountState, AccountTerms } from './account/account';
export { account, defaultTimeZone, externalKeyMax } from './account/account.decider';
export type { AccountCommand, AccountRejection, FamilyCurrencies, ImmutableField } from './account/account.decider';
export { emptyProfile, profile, profileSchema } from './account/profile';
export type { Profile, ProfileCommand, ProfileEvent } from './account/profile';
export { accountEmails, accountEmailsSchema } from './account/account-emails';
export type { AccountEmailsCommand, AccountEmailsEvent, AccountEmailsState } from './account/account-emails';
export { figures, figuresSchema } from './account/figures';
export type { Balance, Figures, FiguresCommand, FiguresEvent } from './account/figures';
export { accountKeySchema, keyClaim, tenantKeySchema } from './key-claim';
export type { ClaimKey, KeyClaim, KeyClaimed, KeyTaken } from './key-claim';
export { tenant, tenantSchema } from './tenant/tenant';
export type { Tenant, TenantCommand, TenantEvent, TenantRejection, TenantState } from './tenant/tenant';
export { perTenantConfigKey, pushCallbackKey, tenantConfig, tenantConfigSchema } from './tenant/tenant-config';
export type { TenantConfigCommand, TenantConfigEvent, TenantConfigState, TenantSettings } from './tenant/tenant-config';
export { controlTagOf, controlTags, objectTypes, parkTagId, parkTagName } from './tag/control-tags';
export type { ObjectType, TagDefinition } from './tag/control-tags';
export { tagDefinitions, tagDefinitionsSchema } from './tag/tag-definitions';
export type {
  TagDefinitionRejection,
  TagDefinitionsCommand,
  TagDefinitionsEvent,
  TagDefinitionsState,
} from './tag/tag-definitions';
export { objectTags, objectTagsSchema } from './tag/object-tags';
export type {
  ObjectTagsCommand,
  ObjectTagsEvent,
  ObjectTagsRejection,
  ObjectTagsState,
  TaggedObject,
  Tagging,
} from './tag/object-tags';
export { everyPermission, expandPermissions, parsePermission, permissions } from './security/permissions';
export { role, roleSchema } from './security/role';
export type { Role, RoleCommand, RoleEvent, RoleRejection, RoleState } from './security/role';
export { user, userSchema } from './security/user';
export type { User, UserCommand, UserEvent, UserRejection, UserState } from './security/user';
export { objectFields, objectFieldsSchema } from './field/object-fields';
export type {
  CustomField,
  ObjectFieldsCommand,
  ObjectFieldsEvent,
  ObjectFieldsRejection,
  ObjectFieldsState,
} from './field/object-fields';
export { knownObjects, knownObjectsSchema } from './object/known-objects';
export type { KnownObject, KnownObjectsEvent, KnownObjectsState, RecordObjects } from './object/known-objects';
export { blockingNews, blockingNewsSchema } from './notification/blocking-news';
export type { BlockingNewsEvent, BlockingNewsState, RecordBlockingState } from './notification/blocking-news';
export { heardNews } from './notification/heard-news';
export { ownNews, ownNewsStreams } from './notification/own-news';
export { pushNotification, pushNotificationSchema } from './notification/push-notification';
export type {
  NotificationBody,
  PushNotificationCommand,
  PushNotificationEvent,
  PushNotificationRejection,
  PushNotificationState,
} from './notification/push-notification';
export { subscriptionNews, subscriptionNewsSchema } from './notification/subscription-news';
export type { RecordTimeline, SubscriptionNewsEvent, SubscriptionNewsState } from './notification/subscription-news';
export { accountsPublication } from './publication';
export {
  accountEmailsStream,
  accountKeyStream,
  accountStream,
  accountsStreams,
  blockingNewsStream,
  figuresStream,
  knownObjectsStream,
  objectFieldsStream,
  objectTagsStream,
  profileStream,
  pushNotificationStream,
  roleStream,
  subscriptionNewsStream,
  tagDefinitionsStream,
  tenantConfigStream,
  tenantKeyStream,
  tenantStream,
  userStream,
} from './streams';
