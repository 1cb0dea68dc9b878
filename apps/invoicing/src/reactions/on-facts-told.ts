import type { AccountFacts, AccountsEvent } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import {
  type AccountInvoicesCommand,
  accountInvoicesStream,
  tenantInvoicingStream,
} from '@billstream/invoicing-domain';
import { type Instant, notBefore } from '@billstream/kernel';
import type { MeteringEvent } from '@billstream/metering-contracts';
import type { PaymentsEvent } from '@billstream/payments-contracts';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { givenCredit } from '../given-credit';
import { contextAt } from './context';
import { type Invoicing, invoicingToken } from '../invoicing';

type Heard<Events extends { readonly type: string; readonly data: object }, Type extends Events['type']> = PublicEvent<
  Type,
  Extract<Events, { readonly type: Type }>['data']
>;
type UsageClosed = Extract<MeteringEvent, { readonly type: 'metering.usage-closed.v1' }>['data'];

/** What other contexts tell of an account becomes a fact of its invoices, once however often it is told. */
@Controller()
export class OnFactsTold {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @EventPattern('accounts.account-created.v1')
  recordNewAccount(@Payload() event: Heard<AccountsEvent, 'accounts.account-created.v1'>): Promise<void> {
    return this.recordAccount(event);
  }

  @EventPattern('accounts.account-updated.v1')
  recordChangedAccount(@Payload() event: Heard<AccountsEvent, 'accounts.account-updated.v1'>): Promise<void> {
    return this.recordAccount(event);
  }

  @EventPattern('subscriptions.billing-changed.v1')
  recordTimeline(@Payload() event: Heard<SubscriptionsEvent, 'subscriptions.billing-changed.v1'>): Promise<void> {
    const { isFollowed = false, ...timeline } = event.data;
    return this.record(event, timeline.accountId, (now) => ({
      type: 'RecordBillingTimeline',
      timeline,
      isFollowed,
      now,
    }));
  }

  @EventPattern('subscriptions.account-change-ended.v1')
  endBillingChange(
    @Payload() event: Heard<SubscriptionsEvent, 'subscriptions.account-change-ended.v1'>,
  ): Promise<void> {
    return this.record(event, event.data.accountId, (now) => ({ type: 'EndBillingChange', now }));
  }

  @EventPattern('metering.usage-closed.v1')
  recordUsage(@Payload() event: PublicEvent<'metering.usage-closed.v1', UsageClosed>): Promise<void> {
    const { accountId, requestId, subscriptionId, usages } = event.data;
    return this.record(event, accountId, (now) => ({ type: 'RecordUsage', requestId, subscriptionId, usages, now }));
  }

  @EventPattern('metering.late-usage-counted.v1')
  recordLateUsage(@Payload() event: Heard<MeteringEvent, 'metering.late-usage-counted.v1'>): Promise<void> {
    const { accountId, subscriptionId, usageName, fromAt, toAt } = event.data;
    const period = { subscriptionId, usageName, fromAt, toAt };
    return this.record(event, accountId, (now) => ({ type: 'RecordLateUsage', period, now }));
  }

  @EventPattern('payments.invoice-payment-changed.v1')
  recordPayment(@Payload() event: Heard<PaymentsEvent, 'payments.invoice-payment-changed.v1'>): Promise<void> {
    const { data } = event;
    return this.record(event, data.accountId, (now) => ({ type: 'RecordPayment', payment: data, now }));
  }

  @EventPattern('payments.excess-received.v1')
  creditExcess(@Payload() event: Heard<PaymentsEvent, 'payments.excess-received.v1'>): Promise<void> {
    const { accountId, amountMinor } = event.data;
    const items = [givenCredit(amountMinor, 'Paid above what was owed')];
    return this.record(event, accountId, (now) => ({
      type: 'AddItems',
      items,
      effectiveDate: null,
      autoCommit: true,
      now,
    }));
  }

  @EventPattern('accounts.control-tag-changed.v1')
  recordControlTag(@Payload() event: Heard<AccountsEvent, 'accounts.control-tag-changed.v1'>): Promise<void> {
    const { data } = event;
    return this.record(event, data.accountId, (now) => ({ type: 'RecordControlTag', change: data, now }));
  }

  @EventPattern('accounts.account-unparked.v1')
  unpark(@Payload() event: Heard<AccountsEvent, 'accounts.account-unparked.v1'>): Promise<void> {
    return this.record(event, event.data.accountId, (now) => ({ type: 'RecordUnparked', now }));
  }

  @EventPattern('accounts.account-closed.v1')
  async closeAccount(@Payload() event: Heard<AccountsEvent, 'accounts.account-closed.v1'>): Promise<void> {
    const { accountId, itemAdjustUnpaidInvoices } = event.data;
    if (!itemAdjustUnpaidInvoices) return;
    await this.record(event, accountId, (now) => ({ type: 'RecordClosing', closingId: event.id, now }));
  }

  @EventPattern('accounts.tenant-settings-changed.v1')
  async recordSettings(@Payload() event: Heard<AccountsEvent, 'accounts.tenant-settings-changed.v1'>): Promise<void> {
    const { tenantId, settings } = event.data;
    const now = notBefore(event.at, this.invoicing.runtime.clock.now(event.tenantId));
    const command = { type: 'RecordSettings' as const, tenantId, settings };
    await this.invoicing.tenantInvoicing(tenantInvoicingStream(tenantId), command, contextAt(event, now));
  }

  private recordAccount(event: PublicEvent<string, AccountFacts>): Promise<void> {
    const { data } = event;
    return this.record(event, data.accountId, (now) => ({ type: 'RecordAccount', account: data, now }));
  }

  /** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
  private async record(
    event: PublicEvent,
    accountId: string,
    commandAt: (now: Instant) => AccountInvoicesCommand,
  ): Promise<void> {
    const now = notBefore(event.at, this.invoicing.runtime.clock.now(event.tenantId));
    const stream = accountInvoicesStream(accountId);
    const handled = await this.invoicing.accountInvoices(stream, commandAt(now), contextAt(event, now));
    if (handled.outcome !== 'accepted')
      throw new Error(`invoicing could not record ${event.type} of ${accountId}: ${handled.outcome}`);
  }
}
