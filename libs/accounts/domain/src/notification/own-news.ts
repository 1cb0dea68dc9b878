import type { RecordedEvent } from '@billstream/event-sourcing';
import { accountSchema } from '../account/account';
import { profileSchema } from '../account/profile';
import { objectFieldsSchema } from '../field/object-fields';
import { objectTagsSchema } from '../tag/object-tags';
import { type TenantConfigEvent, perTenantConfigKey, tenantConfigSchema } from '../tenant/tenant-config';
import type { NotificationBody } from './push-notification';

/** What a tenant's callback is told of accounts' own events, in Kill Bill's event types (BeatrixListener, 0.24); null: nothing. */
export const ownNews = (recorded: RecordedEvent): NotificationBody | null => {
  const category = recorded.stream.slice(0, recorded.stream.indexOf('-') + 1);
  return news.get(category)?.(recorded) ?? null;
};

const aboutAccount = (eventType: string, accountId: string): NotificationBody => ({
  eventType,
  accountId,
  objectType: 'ACCOUNT',
  objectId: accountId,
  metaData: null,
});

const ofAccount = (recorded: RecordedEvent): NotificationBody | null => {
  const event = accountSchema.decode(recorded);
  if (event === null || event.type === 'AccountClosed') return null;
  const eventType = event.type === 'AccountCreated' ? 'ACCOUNT_CREATION' : 'ACCOUNT_CHANGE';
  return aboutAccount(eventType, event.data.accountId);
};

/** The first profile comes with the account. */
const ofProfile = (recorded: RecordedEvent): NotificationBody | null => {
  const event = profileSchema.decode(recorded);
  return event === null || recorded.revision === 0n ? null : aboutAccount('ACCOUNT_CHANGE', event.data.accountId);
};

const ofTags = (recorded: RecordedEvent): NotificationBody | null => {
  const event = objectTagsSchema.decode(recorded);
  if (event === null) return null;
  const { accountId, tagId, tagDefinitionName } = event.data;
  return {
    eventType: event.type === 'TagAdded' ? 'TAG_CREATION' : 'TAG_DELETION',
    accountId,
    objectType: 'TAG',
    objectId: tagId,
    metaData: JSON.stringify({ tagDefinitionName }),
  };
};

const ofFields = (recorded: RecordedEvent): NotificationBody | null => {
  const event = objectFieldsSchema.decode(recorded);
  if (event === null || event.type === 'CustomFieldChanged') return null;
  const { accountId, customFieldId, name, objectType, objectId } = event.data;
  return {
    eventType: event.type === 'CustomFieldAdded' ? 'CUSTOM_FIELD_CREATION' : 'CUSTOM_FIELD_DELETION',
    accountId,
    objectType: 'CUSTOM_FIELD',
    objectId: customFieldId,
    metaData: JSON.stringify({ name, objectType, objectId }),
  };
};

/** The key of what changed, never its value. */
const ofTenantConfig = (recorded: RecordedEvent): NotificationBody | null => {
  const event = tenantConfigSchema.decode(recorded);
  if (event === null) return null;
  return {
    eventType: event.type.endsWith('Removed') ? 'TENANT_CONFIG_DELETION' : 'TENANT_CONFIG_CHANGE',
    accountId: null,
    objectType: 'TENANT_KVS',
    objectId: event.data.tenantId,
    metaData: JSON.stringify({ key: keyOf(event) }),
  };
};

const keyOf = (event: TenantConfigEvent): string => {
  switch (event.type) {
    case 'PluginConfigUploaded':
    case 'PluginConfigRemoved':
      return `PLUGIN_CONFIG_${event.data.pluginName}`;
    case 'PerTenantConfigUploaded':
    case 'PerTenantConfigRemoved':
      return perTenantConfigKey;
    case 'TenantValuesRecorded':
    case 'TenantValuesRemoved':
      return event.data.key;
  }
};

const news: ReadonlyMap<string, (recorded: RecordedEvent) => NotificationBody | null> = new Map([
  ['account-', ofAccount],
  ['accountProfile-', ofProfile],
  ['objectTags-', ofTags],
  ['objectFields-', ofFields],
  ['tenantConfig-', ofTenantConfig],
]);

/** Prefixes of the streams that `ownNews` has something to say about. */
export const ownNewsStreams: readonly string[] = [...news.keys()];
