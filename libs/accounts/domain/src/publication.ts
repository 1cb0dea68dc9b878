import type { AccountFacts, AccountsEvent } from '@billstream/accounts-contracts';
import type { Publication, RecordedEvent } from '@billstream/event-sourcing';
import { type Account, accountSchema } from './account/account';
import { controlTagOf, parkTagId } from './tag/control-tags';
import { objectTagsSchema } from './tag/object-tags';
import { tenantConfigSchema } from './tenant/tenant-config';
import { tenantSchema } from './tenant/tenant';

/** What other contexts hear of accounts. Profiles, figures and claims are private; a tenant's secret never leaves. */
export const accountsPublication: Publication = (recorded) =>
  publicEvents(recorded).map((event) => ({
    ...event,
    key: 'accountId' in event.data ? event.data.accountId : event.data.tenantId,
  }));

const publicEvents = (recorded: RecordedEvent): readonly AccountsEvent[] => {
  if (recorded.stream.startsWith('account-')) return ofAccount(recorded);
  if (recorded.stream.startsWith('tenant-')) return ofTenant(recorded);
  if (recorded.stream.startsWith('objectTags-')) return ofTags(recorded);
  return recorded.stream.startsWith('tenantConfig-') ? ofTenantConfig(recorded) : [];
};

const ofAccount = (recorded: RecordedEvent): readonly AccountsEvent[] => {
  const event = accountSchema.decode(recorded);
  if (event === null) return [];
  if (event.type === 'AccountClosed') return [{ type: 'accounts.account-closed.v1', data: event.data.closing }];
  const type = event.type === 'AccountCreated' ? 'accounts.account-created.v1' : 'accounts.account-updated.v1';
  return [{ type, data: factsOf(event.data) }];
};

/**
 * A tenant's own tags mean nothing to the platform, so nobody hears of them. Invoicing hears of an unparked account only
 * from somebody else: its own word, come back late, would unpark an account that was parked again meanwhile, without end.
 */
const ofTags = (recorded: RecordedEvent): readonly AccountsEvent[] => {
  const event = objectTagsSchema.decode(recorded);
  if (event?.type === 'TagRemoved' && event.data.tagDefinitionId === parkTagId)
    return event.data.bySystem === true
      ? []
      : [{ type: 'accounts.account-unparked.v1', data: { accountId: event.data.accountId } }];
  const controlTag = event === null ? null : controlTagOf(event.data.tagDefinitionId);
  if (event === null || controlTag === null) return [];
  const { accountId, objectType, objectId } = event.data;
  const isSet = event.type === 'TagAdded';
  const data = { accountId, objectType, objectId, tag: controlTag.name, isSet };
  return [{ type: 'accounts.control-tag-changed.v1', data }];
};

const ofTenant = (recorded: RecordedEvent): readonly AccountsEvent[] => {
  const event = tenantSchema.decode(recorded);
  if (event === null) return [];
  if (event.type === 'TenantClockMoved') return [{ type: 'accounts.clock-moved.v1', data: event.data }];
  const { tenantId, apiKey, externalKey, useGlobalDefault } = event.data;
  return [{ type: 'accounts.tenant-created.v1', data: { tenantId, apiKey, externalKey, useGlobalDefault } }];
};

const ofTenantConfig = (recorded: RecordedEvent): readonly AccountsEvent[] => {
  const event = tenantConfigSchema.decode(recorded);
  switch (event?.type) {
    case 'PluginConfigUploaded':
      return [{ type: 'accounts.plugin-configured.v1', data: event.data }];
    case 'PluginConfigRemoved':
      return [{ type: 'accounts.plugin-configured.v1', data: { ...event.data, sealedConfig: null } }];
    case 'PerTenantConfigUploaded':
      return [
        {
          type: 'accounts.tenant-settings-changed.v1',
          data: { tenantId: event.data.tenantId, settings: event.data.settings },
        },
      ];
    case 'PerTenantConfigRemoved':
      return [{ type: 'accounts.tenant-settings-changed.v1', data: { tenantId: event.data.tenantId, settings: {} } }];
    case 'TenantValuesRecorded':
    case 'TenantValuesRemoved':
    case undefined:
      return [];
  }
};

const factsOf = (account: Account): AccountFacts => ({
  accountId: account.accountId,
  externalKey: account.externalKey,
  currency: account.currency,
  timeZone: account.timeZone,
  referenceTime: account.referenceTime,
  billCycleDayLocal: account.billCycleDayLocal,
  parentAccountId: account.parentAccountId,
  isPaymentDelegatedToParent: account.isPaymentDelegatedToParent,
});
