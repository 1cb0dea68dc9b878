import { digest } from '@billstream/kernel';

/** Names of the streams that accounts owns. A claim's stream is named after what must be unique, never after its owner. */
export const accountStream = (accountId: string): string => `account-${accountId}`;
/** Personal data lives apart, so that it can be erased while the account and its money stay. */
export const profileStream = (accountId: string): string => `accountProfile-${accountId}`;
/** Further e-mail addresses: personal data too, apart for the same reason. */
export const accountEmailsStream = (accountId: string): string => `accountEmails-${accountId}`;
/** What other contexts told about the account: balance, credit, default payment method. */
export const figuresStream = (accountId: string): string => `accountFigures-${accountId}`;
export const accountKeyStream = (tenantId: string, externalKey: string): string =>
  `accountKey-${digest(JSON.stringify([tenantId, externalKey]))}`;
export const tenantStream = (tenantId: string): string => `tenant-${tenantId}`;
export const tenantKeyStream = (apiKey: string): string => `tenantKey-${digest(apiKey)}`;
export const tenantConfigStream = (tenantId: string): string => `tenantConfig-${tenantId}`;
/** Users and roles of the whole platform, one stream a name. */
export const userStream = (userName: string): string => `user-${digest(userName)}`;
export const roleStream = (role: string): string => `role-${digest(role)}`;
export const tagDefinitionsStream = (tenantId: string): string => `tagDefinitions-${tenantId}`;
/** One stream an object of whatever context: the tags it carries. */
export const objectTagsStream = (objectId: string): string => `objectTags-${objectId}`;
/** One stream an object of whatever context: the custom fields a client keeps with it. */
export const objectFieldsStream = (objectId: string): string => `objectFields-${objectId}`;
/** One stream a notification of a tenant's callback. */
export const pushNotificationStream = (notificationId: string): string => `pushNotification-${notificationId}`;
/** What a tenant with a callback was told of a subscription. */
export const subscriptionNewsStream = (subscriptionId: string): string => `subscriptionNews-${subscriptionId}`;
/** What is blocked of an account and was told to its tenant's callback. */
export const blockingNewsStream = (accountId: string): string => `blockingNews-${accountId}`;
/** What other contexts told of the account's objects, so that their tags find the account. */
export const knownObjectsStream = (accountId: string): string => `accountObjects-${accountId}`;

/** Prefixes of all of them: what the relay follows and a backup of this context must hold. */
export const accountsStreams: readonly string[] = [
  'account-',
  'accountProfile-',
  'accountEmails-',
  'accountFigures-',
  'accountKey-',
  'tenant-',
  'tenantKey-',
  'tenantConfig-',
  'user-',
  'role-',
  'tagDefinitions-',
  'objectTags-',
  'objectFields-',
  'accountObjects-',
  'pushNotification-',
  'subscriptionNews-',
  'blockingNews-',
];
