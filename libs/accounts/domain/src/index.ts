export { accountSchema, noTerms } from './account/account';
export type { Account, AccountEvent, AccountState, AccountTerms } from './account/account';
export { account, defaultTimeZone, externalKeyMax } from './account/account.decider';
export type { AccountCommand, AccountRejection, ImmutableField } from './account/account.decider';
export { emptyProfile, profile, profileSchema } from './account/profile';
export type { Profile, ProfileCommand, ProfileEvent } from './account/profile';
export { figures, figuresSchema } from './account/figures';
export type { Balance, Figures, FiguresCommand, FiguresEvent } from './account/figures';
export { accountKeySchema, keyClaim, tenantKeySchema } from './key-claim';
export type { ClaimKey, KeyClaim, KeyClaimed, KeyTaken } from './key-claim';
export { tenant, tenantSchema } from './tenant/tenant';
export type { Tenant, TenantCommand, TenantEvent, TenantRejection, TenantState } from './tenant/tenant';
export { perTenantConfigKey, tenantConfig, tenantConfigSchema } from './tenant/tenant-config';
export type { TenantConfigCommand, TenantConfigEvent, TenantConfigState, TenantSettings } from './tenant/tenant-config';
export { accountsPublication } from './publication';
export {
  accountKeyStream,
  accountStream,
  accountsStreams,
  figuresStream,
  profileStream,
  tenantConfigStream,
  tenantKeyStream,
  tenantStream,
} from './streams';
