import { accountsPublication, accountsStreams } from '@billstream/accounts-domain';
import {
  accountEmailsReadModel,
  accountsReadModel,
  auditReadModel,
  balancesReadModel,
  customFieldsReadModel,
  knownObjectsReadModel,
  pushNotificationsReadModel,
  securityReadModel,
  tagsReadModel,
  tenantValuesReadModel,
  tenantsReadModel,
} from '@billstream/accounts-read-models';
import type { ServiceDefinition } from '@billstream/service-runtime';
import { accountsOn } from './accounts';
import { accountsModule } from './accounts.module';
import { bootstrapTenant } from './bootstrap';

import { callbackClient } from './push/callback-client';
import { allowsPrivateCallbacks } from './push/public-addresses';
import { accountsDueWork } from './push/send-due';

export { bootstrapTenantId } from './bootstrap';

/** Accounts, tenants and who may log in. */
export const accountsService: ServiceDefinition = {
  name: 'accounts',
  streams: accountsStreams,
  readModels: [
    accountsReadModel,
    accountEmailsReadModel,
    balancesReadModel,
    tenantsReadModel,
    tenantValuesReadModel,
    securityReadModel,
    tagsReadModel,
    customFieldsReadModel,
    knownObjectsReadModel,
    auditReadModel,
    pushNotificationsReadModel,
  ],
  publication: accountsPublication,
  hears: ['subscriptions', 'invoicing', 'payments'],
  // A callback may take its time to answer, or never do.
  dueWorkPerTenant: 8,
  dueWork: (runtime) => accountsDueWork(accountsOn(runtime), callbackClient(allowsPrivateCallbacks(runtime.settings))),
  module: accountsModule,
  background: (runtime) => bootstrapTenant(accountsOn(runtime)),
};
