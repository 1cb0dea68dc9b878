import type { AccountFacts, AccountsEvent } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import { catalogStream, subscriberAccountStream } from '@billstream/subscriptions-domain';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { followWithAccount } from '../follow-catalog';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { contextOf, settled } from './context';

type TenantCreated = Extract<AccountsEvent, { readonly type: 'accounts.tenant-created.v1' }>;

type SettingsChanged = Extract<AccountsEvent, { readonly type: 'accounts.tenant-settings-changed.v1' }>;

const alignSetting = 'org.killbill.subscription.align.effectiveDateForExistingSubscriptions';

/** Copies what accounts says into streams of our own, so that everything here can be rebuilt from those alone. */
@Controller()
export class OnAccounts {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @EventPattern('accounts.tenant-created.v1')
  async tenantCreated(@Payload() event: PublicEvent<TenantCreated['type'], TenantCreated['data']>): Promise<void> {
    const { tenantId, useGlobalDefault } = event.data;
    const command = { type: 'RecordTenant' as const, data: { tenantId, usesDefault: useGlobalDefault } };
    settled(
      await this.subscriptions.catalog(catalogStream(tenantId), command, {
        ...contextOf(event, 'record-tenant'),
        tenantId,
      }),
    );
  }

  @EventPattern('accounts.account-created.v1')
  async accountCreated(@Payload() event: PublicEvent<string, AccountFacts>): Promise<void> {
    await this.record(event);
  }

  @EventPattern('accounts.account-updated.v1')
  async accountUpdated(@Payload() event: PublicEvent<string, AccountFacts>): Promise<void> {
    await this.record(event);
    await followWithAccount(this.subscriptions, event.data, contextOf(event, 'follow-catalog'));
  }

  /** Of a tenant's settings the one that concerns catalogs, by Kill Bill's name. */
  @EventPattern('accounts.tenant-settings-changed.v1')
  async settingsChanged(
    @Payload() event: PublicEvent<SettingsChanged['type'], SettingsChanged['data']>,
  ): Promise<void> {
    const { tenantId, settings } = event.data;
    const command = {
      type: 'SetVersionAlignment' as const,
      data: { alignsExistingSubscriptions: settings[alignSetting]?.trim().toLowerCase() === 'true' },
    };
    const context = { ...contextOf(event, 'version-alignment'), tenantId };
    settled(await this.subscriptions.catalog(catalogStream(tenantId), command, context));
  }

  private async record(event: PublicEvent<string, AccountFacts>): Promise<void> {
    const stream = subscriberAccountStream(event.data.accountId);
    settled(
      await this.subscriptions.account(
        stream,
        { type: 'RecordAccount', data: event.data },
        contextOf(event, 'record-account'),
      ),
    );
  }
}
