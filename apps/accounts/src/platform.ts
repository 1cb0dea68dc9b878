import type { CommandContext } from '@billstream/event-sourcing';
import type { RequestContext } from '@billstream/http';
import { type Accounts, stepOf } from './accounts';

/** Whose the events are that belong to no tenant: users and roles are those of the whole platform. */
export const platformTenantId = '00000000-0000-0000-0000-000000000000';

export const platformStepOf = (request: RequestContext, accounts: Accounts, step: string): CommandContext =>
  stepOf({ ...request, tenantId: platformTenantId }, accounts, step);
