import type { TaggableObjectType } from '@billstream/accounts-contracts';
import { type KnownObject, heardNews, knownObjectsStream } from '@billstream/accounts-domain';
import type { PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import type { PaymentsEvent } from '@billstream/payments-contracts';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Accounts, accountsToken } from '../accounts';
import { recordBlockingState, recordTimeline, requestNotifications } from '../push/request-notifications';
import { type Heard, contextOf, settled } from './heard';

const object = (objectType: TaggableObjectType, objectId: string): KnownObject => ({ objectType, objectId });

const itemsOf = (invoiceItemIds: readonly string[]): readonly KnownObject[] =>
  invoiceItemIds.map((id) => object('INVOICE_ITEM', id));

/** Things that other contexts made for an account can carry tags and custom fields from here on; tenants' callbacks hear of them. */
@Controller()
export class OnObjectsMade {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @EventPattern('subscriptions.billing-changed.v1')
  async recordSubscription(
    @Payload() event: Heard<SubscriptionsEvent, 'subscriptions.billing-changed.v1'>,
  ): Promise<void> {
    const { accountId, bundleId, subscriptionId } = event.data;
    await this.record(event, accountId, [object('BUNDLE', bundleId), object('SUBSCRIPTION', subscriptionId)]);
    await recordTimeline(this.accounts, event);
  }

  @EventPattern('subscriptions.blocking-state-set.v1')
  async tellOfBlockingState(
    @Payload() event: Heard<SubscriptionsEvent, 'subscriptions.blocking-state-set.v1'>,
  ): Promise<void> {
    await recordBlockingState(this.accounts, event);
  }

  @EventPattern('invoicing.invoice-committed.v1')
  async recordInvoice(@Payload() event: Heard<InvoicingEvent, 'invoicing.invoice-committed.v1'>): Promise<void> {
    const { accountId, invoiceId, invoiceItemIds = [] } = event.data;
    await this.record(event, accountId, [object('INVOICE', invoiceId), ...itemsOf(invoiceItemIds)]);
    await requestNotifications(this.accounts, event, heardNews(event));
  }

  @EventPattern('invoicing.invoice-items-made.v1')
  async recordItems(@Payload() event: Heard<InvoicingEvent, 'invoicing.invoice-items-made.v1'>): Promise<void> {
    const { accountId, invoiceItemIds } = event.data;
    await this.record(event, accountId, itemsOf(invoiceItemIds));
  }

  @EventPattern('payments.method-added.v1')
  async recordMethod(@Payload() event: Heard<PaymentsEvent, 'payments.method-added.v1'>): Promise<void> {
    const { accountId, paymentMethodId } = event.data;
    await this.record(event, accountId, [object('PAYMENT_METHOD', paymentMethodId)]);
  }

  @EventPattern('invoicing.invoice-adjusted.v1')
  async tellOfAdjustedInvoice(@Payload() event: Heard<InvoicingEvent, 'invoicing.invoice-adjusted.v1'>): Promise<void> {
    await requestNotifications(this.accounts, event, heardNews(event));
  }

  @EventPattern('invoicing.invoice-voided.v1')
  async tellOfVoidedInvoice(@Payload() event: Heard<InvoicingEvent, 'invoicing.invoice-voided.v1'>): Promise<void> {
    await requestNotifications(this.accounts, event, heardNews(event));
  }

  @EventPattern('invoicing.overdue-changed.v1')
  async tellOfOverdueState(@Payload() event: Heard<InvoicingEvent, 'invoicing.overdue-changed.v1'>): Promise<void> {
    await requestNotifications(this.accounts, event, heardNews(event));
  }

  @EventPattern('payments.invoice-payment-changed.v1')
  async recordPayment(@Payload() event: Heard<PaymentsEvent, 'payments.invoice-payment-changed.v1'>): Promise<void> {
    const { accountId, paymentId, transactionId } = event.data;
    await this.record(event, accountId, [
      object('PAYMENT', paymentId),
      object('INVOICE_PAYMENT', paymentId),
      object('TRANSACTION', transactionId),
    ]);
    await requestNotifications(this.accounts, event, heardNews(event));
  }

  @EventPattern('payments.payment-changed.v1')
  async recordDirectPayment(@Payload() event: Heard<PaymentsEvent, 'payments.payment-changed.v1'>): Promise<void> {
    const { accountId, paymentId, transactionId } = event.data;
    await this.record(event, accountId, [object('PAYMENT', paymentId), object('TRANSACTION', transactionId)]);
    await requestNotifications(this.accounts, event, heardNews(event));
  }

  private async record(event: PublicEvent, accountId: string, objects: readonly KnownObject[]): Promise<void> {
    const command = { type: 'RecordObjects' as const, data: { accountId, objects } };
    settled(await this.accounts.knownObjects(knownObjectsStream(accountId), command, contextOf(event)));
  }
}
