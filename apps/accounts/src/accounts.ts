import {
  account,
  accountEmails,
  accountEmailsSchema,
  accountKeySchema,
  accountSchema,
  blockingNews,
  blockingNewsSchema,
  figures,
  figuresSchema,
  keyClaim,
  knownObjects,
  knownObjectsSchema,
  objectFields,
  objectFieldsSchema,
  objectTags,
  objectTagsSchema,
  profile,
  profileSchema,
  pushNotification,
  pushNotificationSchema,
  role,
  roleSchema,
  subscriptionNews,
  subscriptionNewsSchema,
  tagDefinitions,
  tagDefinitionsSchema,
  tenant,
  tenantConfig,
  tenantConfigSchema,
  tenantKeySchema,
  tenantSchema,
  user,
  userSchema,
} from '@billstream/accounts-domain';
import { type RequestContext, commandContext } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import type { CommandContext } from '@billstream/event-sourcing';
import type { ServiceRuntime } from '@billstream/service-runtime';

/** The runtime and one command loop per kind of stream: all that an endpoint or a reaction needs. */
export const accountsOn = (runtime: ServiceRuntime) => ({
  runtime,
  account: runtime.handle(account, accountSchema),
  accountEmails: runtime.handle(accountEmails, accountEmailsSchema),
  profile: runtime.handle(profile, profileSchema),
  figures: runtime.handle(figures, figuresSchema),
  accountKey: runtime.handle(keyClaim, accountKeySchema),
  tenantKey: runtime.handle(keyClaim, tenantKeySchema),
  tenant: runtime.handle(tenant, tenantSchema),
  tenantConfig: runtime.handle(tenantConfig, tenantConfigSchema),
  tagDefinitions: runtime.handle(tagDefinitions, tagDefinitionsSchema),
  objectTags: runtime.handle(objectTags, objectTagsSchema),
  pushNotification: runtime.handle(pushNotification, pushNotificationSchema),
  blockingNews: runtime.handle(blockingNews, blockingNewsSchema),
  subscriptionNews: runtime.handle(subscriptionNews, subscriptionNewsSchema),
  user: runtime.handle(user, userSchema),
  role: runtime.handle(role, roleSchema),
  objectFields: runtime.handle(objectFields, objectFieldsSchema),
  knownObjects: runtime.handle(knownObjects, knownObjectsSchema),
});

export type Accounts = ReturnType<typeof accountsOn>;

/** Injection token of `Accounts`. */
export const accountsToken = Symbol('accounts');

/** One request may make several commands: each step has an id of its own, the same again when the request is repeated. */
export const stepOf = (request: RequestContext, accounts: Accounts, step: string): CommandContext =>
  commandContext(request, accounts.runtime.clock, derivedId(request.commandId, step));
