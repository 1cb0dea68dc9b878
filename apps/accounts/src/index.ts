import { accountsPublication, accountsStreams } from '@billstream/accounts-domain';
import {
  accountEmailsReadModel,
  accountsReadModel,
  auditReadModel,
  balancesReadModel,
  customFieldsReadModel,
  knownObjectsReadModel,
  tagsReadModel,
  tenantValuesReadModel,
  tenantsReadModel,
} from '@billstream/accounts-read-models';
import type { ServiceDefinition } from '@billstream/service-runtime';
import { accountsOn } from './accounts';
import { accountsModule } from './accounts.module';
import { bootstrapTenant } from './bootstrap';

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
    tagsReadModel,
    customFieldsReadModel,
    knownObjectsReadModel,
    auditReadModel,
  ],
  publication: accountsPublication,
  hears: ['subscriptions', 'invoicing', 'payments'],
  module: accountsModule,
  background: (runtime) => bootstrapTenant(accountsOn(runtime)),
};
