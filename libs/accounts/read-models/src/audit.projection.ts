import {
  accountAfter,
  accountEmailsSchema,
  accountSchema,
  figuresSchema,
  knownObjectsSchema,
  objectFieldsSchema,
  objectTagsSchema,
  profileSchema,
  tagDefinitionsSchema,
  tenantSchema,
} from '@billstream/accounts-domain';
import type { RecordedEvent } from '@billstream/event-sourcing';
import { type AuditedChange, type ChangeType, auditTrail } from '@billstream/postgres';

type ChangesOf = (recorded: RecordedEvent) => readonly AuditedChange[];

const ofAccount = (accountId: string, changeType: ChangeType, history: object | null): AuditedChange => ({
  objectType: 'ACCOUNT',
  objectId: accountId,
  accountId,
  changeType,
  history,
});

const accountChanges: ChangesOf = (recorded) => {
  const event = accountSchema.decode(recorded);
  if (event === null) return [];
  return [ofAccount(accountAfter(event).accountId, event.type === 'AccountCreated' ? 'INSERT' : 'UPDATE', event.data)];
};

/** Of the person behind an account it is said that something changed, never what. The first profile comes with the account. */
const profileChanges: ChangesOf = (recorded) => {
  const event = profileSchema.decode(recorded);
  return event === null || recorded.revision === 0n ? [] : [ofAccount(event.data.accountId, 'UPDATE', null)];
};

/** Addresses are personal data as well. */
const emailChanges: ChangesOf = (recorded) => {
  const event = accountEmailsSchema.decode(recorded);
  if (event === null) return [];
  const { accountId } = event.data;
  const changeType = event.type === 'EmailAdded' ? 'INSERT' : 'DELETE';
  const ids = event.type === 'EmailsErased' ? event.data.accountEmailIds : [event.data.accountEmailId];
  return ids.map((objectId) => ({ objectType: 'ACCOUNT_EMAIL', objectId, accountId, changeType, history: null }));
};

const figureChanges: ChangesOf = (recorded) => {
  const event = figuresSchema.decode(recorded);
  return event?.type === 'DefaultPaymentMethodSet' ? [ofAccount(event.data.accountId, 'UPDATE', event.data)] : [];
};

const tagChanges: ChangesOf = (recorded) => {
  const event = objectTagsSchema.decode(recorded);
  if (event === null) return [];
  const { tagId: objectId, accountId } = event.data;
  const changeType = event.type === 'TagAdded' ? 'INSERT' : 'DELETE';
  return [{ objectType: 'TAG', objectId, accountId, changeType, history: event.data }];
};

const fieldChanges: ChangesOf = (recorded) => {
  const event = objectFieldsSchema.decode(recorded);
  if (event === null) return [];
  const { customFieldId: objectId, accountId } = event.data;
  const changeType = fieldChangeTypes[event.type];
  return [{ objectType: 'CUSTOM_FIELD', objectId, accountId, changeType, history: event.data }];
};

const fieldChangeTypes = {
  CustomFieldAdded: 'INSERT',
  CustomFieldChanged: 'UPDATE',
  CustomFieldRemoved: 'DELETE',
} as const;

const tagDefinitionChanges: ChangesOf = (recorded) => {
  const event = tagDefinitionsSchema.decode(recorded);
  if (event === null) return [];
  const objectId = event.data.tagDefinitionId;
  const changeType = event.type === 'TagDefinitionCreated' ? 'INSERT' : 'DELETE';
  return [{ objectType: 'TAG_DEFINITION', objectId, accountId: null, changeType, history: event.data }];
};

/** What others made for the account, by whom and when, as they told. */
const objectChanges: ChangesOf = (recorded) => {
  const data = knownObjectsSchema.decode(recorded)?.data;
  if (data === undefined) return [];
  const { accountId, objects } = data;
  return objects.map((object) => ({ ...object, accountId, changeType: 'INSERT' as const, history: null }));
};

/** Without the tenant itself: its secret is in it. */
const tenantChanges: ChangesOf = (recorded) => {
  const event = tenantSchema.decode(recorded);
  if (event?.type !== 'TenantCreated') return [];
  return [
    { objectType: 'TENANT', objectId: event.data.tenantId, accountId: null, changeType: 'INSERT', history: null },
  ];
};

const changes: ReadonlyMap<string, ChangesOf> = new Map([
  ['account-', accountChanges],
  ['accountProfile-', profileChanges],
  ['accountEmails-', emailChanges],
  ['accountFigures-', figureChanges],
  ['accountObjects-', objectChanges],
  ['objectTags-', tagChanges],
  ['objectFields-', fieldChanges],
  ['tagDefinitions-', tagDefinitionChanges],
  ['tenant-', tenantChanges],
]);

/** Who changed what of accounts, tenants, tags and custom fields, and who made what others keep for an account. */
export const auditReadModel = auditTrail([...changes.keys()], (recorded) => {
  const category = recorded.stream.slice(0, recorded.stream.indexOf('-') + 1);
  return changes.get(category)?.(recorded) ?? [];
});
