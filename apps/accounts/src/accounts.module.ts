import type { ServiceRuntime } from '@billstream/service-runtime';
import type { DynamicModule } from '@nestjs/common';
import { type Accounts, accountsOn, accountsToken } from './accounts';
import { AccountEmailsEndpoint } from './http/account-emails.endpoint';
import { AuditLogsEndpoint } from './http/audit-logs.endpoint';
import { AuthenticateEndpoint } from './http/authenticate.endpoint';
import { CloseAccountEndpoint } from './http/close-account.endpoint';
import { ComboAccountEndpoint } from './http/combo-account.endpoint';
import { CreateAccountEndpoint } from './http/create-account.endpoint';
import { CustomFieldsEndpoint } from './http/custom-fields.endpoint';
import { EraseProfileEndpoint } from './http/erase-profile.endpoint';
import { GetAccountEndpoint } from './http/get-account.endpoint';
import { InvoiceOwnerEndpoint } from './http/invoice-owner.endpoint';
import { ListAccountsEndpoint } from './http/list-accounts.endpoint';
import { MoveClockEndpoint } from './http/move-clock.endpoint';
import { PerTenantConfigEndpoint } from './http/per-tenant-config.endpoint';
import { PluginConfigEndpoint } from './http/plugin-config.endpoint';
import { NodesInfoEndpoint } from './http/nodes-info.endpoint';
import { objectFieldsEndpoints } from './http/object-fields.endpoint';
import { objectTagsEndpoints } from './http/object-tags.endpoint';
import { RolesEndpoint } from './http/roles.endpoint';
import { TagDefinitionsEndpoint } from './http/tag-definitions.endpoint';
import { TagsEndpoint } from './http/tags.endpoint';
import { TenantValuesEndpoint } from './http/tenant-values.endpoint';
import { TenantsEndpoint } from './http/tenants.endpoint';
import { UpdateAccountEndpoint } from './http/update-account.endpoint';
import { UsersEndpoint } from './http/users.endpoint';
import { UnparkAccountsEndpoint } from './http/unpark-accounts.endpoint';
import { OnMoneyMoved } from './reactions/on-money-moved';
import { OnObjectsMade } from './reactions/on-objects-made';

class AccountsModule {}

export const accountsModule = (runtime: ServiceRuntime): DynamicModule => {
  const accounts: Accounts = accountsOn(runtime);
  return {
    module: AccountsModule,
    controllers: [
      CreateAccountEndpoint,
      ComboAccountEndpoint,
      UpdateAccountEndpoint,
      ListAccountsEndpoint,
      GetAccountEndpoint,
      CloseAccountEndpoint,
      AccountEmailsEndpoint,
      InvoiceOwnerEndpoint,
      AuditLogsEndpoint,
      EraseProfileEndpoint,
      NodesInfoEndpoint,
      UnparkAccountsEndpoint,
      TenantsEndpoint,
      PluginConfigEndpoint,
      PerTenantConfigEndpoint,
      TenantValuesEndpoint,
      UsersEndpoint,
      RolesEndpoint,
      AuthenticateEndpoint,
      MoveClockEndpoint,
      TagDefinitionsEndpoint,
      TagsEndpoint,
      ...objectTagsEndpoints,
      CustomFieldsEndpoint,
      ...objectFieldsEndpoints,
      OnMoneyMoved,
      OnObjectsMade,
    ],
    providers: [{ provide: accountsToken, useValue: accounts }],
  };
};
