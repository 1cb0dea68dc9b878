import type { AccountFacts, AccountsEvent } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { notBefore } from '@billstream/kernel';
import {
  defaultMethodOf,
  invoicePaymentsStream,
  isManualPay,
  manualPayTags,
  payerAccountStream,
  paymentSettingsStream,
  pluginConfigStream,
} from '@billstream/payments-domain';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Payments, causedBy, chargedMethod, paymentsToken } from '../payments';
import { heldBack, manualPayChanged } from './manual-pay';
import { settled } from './settled';

type Heard<Events extends { readonly type: string; readonly data: object }, Type extends Events['type']> = PublicEvent<
  Type,
  Extract<Events, { readonly type: Type }>['data']
>;

/** What accounts tells becomes events of payments' own, once however often it is told. */
@Controller()
export class OnAccounts {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @EventPattern('accounts.account-created.v1')
  async accountCreated(@Payload() event: Heard<AccountsEvent, 'accounts.account-created.v1'>): Promise<void> {
    await this.recordAccount(event);
  }

  @EventPattern('accounts.account-updated.v1')
  async accountUpdated(@Payload() event: Heard<AccountsEvent, 'accounts.account-updated.v1'>): Promise<void> {
    await this.recordAccount(event);
  }

  @EventPattern('accounts.plugin-configured.v1')
  async pluginConfigured(@Payload() event: Heard<AccountsEvent, 'accounts.plugin-configured.v1'>): Promise<void> {
    const { tenantId, pluginName } = event.data;
    const command = { type: 'RecordPluginConfig' as const, data: event.data };
    settled(await this.payments.pluginConfig(pluginConfigStream(tenantId, pluginName), command, causedBy(event)));
  }

  @EventPattern('accounts.tenant-settings-changed.v1')
  async settingsChanged(@Payload() event: Heard<AccountsEvent, 'accounts.tenant-settings-changed.v1'>): Promise<void> {
    const { tenantId } = event.data;
    const command = { type: 'RecordPaymentSettings' as const, data: event.data };
    settled(await this.payments.settings(paymentSettingsStream(tenantId), command, causedBy(event)));
  }

  @EventPattern('accounts.control-tag-changed.v1')
  async controlTagChanged(@Payload() event: Heard<AccountsEvent, 'accounts.control-tag-changed.v1'>): Promise<void> {
    const { accountId, objectType, objectId, tag, isSet } = event.data;
    if (tag === 'WRITTEN_OFF' && objectType === 'INVOICE') {
      const command = {
        type: 'RecordWriteOff' as const,
        data: { invoiceId: objectId, accountId, isWrittenOff: isSet },
      };
      settled(await this.payments.invoicePayments(invoicePaymentsStream(objectId), command, causedBy(event)));
    }
    const manualPay = manualPayTags.find((one) => one === tag);
    if (objectType === 'ACCOUNT' && manualPay !== undefined) await manualPayChanged(this.payments, event, manualPay);
  }

  private async recordAccount(event: PublicEvent<string, AccountFacts>): Promise<void> {
    const { accountId, externalKey, currency, parentAccountId } = event.data;
    // An account without a parent has nobody else to pay for it.
    const isPaymentDelegatedToParent = event.data.isPaymentDelegatedToParent && parentAccountId !== null;
    const data = { accountId, externalKey, currency, isPaymentDelegatedToParent };
    settled(await this.payments.payer(payerAccountStream(accountId), { type: 'RecordAccount', data }, causedBy(event)));
  }
}

/** A committed invoice is what payments are made for; its balance says how much of it is left. */
@Controller()
export class OnInvoices {
  constructor(@Inject(paymentsToken) private readonly payments: Payments) {}

  @EventPattern('invoicing.invoice-committed.v1')
  async invoiceCommitted(@Payload() event: Heard<InvoicingEvent, 'invoicing.invoice-committed.v1'>): Promise<void> {
    const { tenantId, data: facts } = event;
    const { invoiceId, accountId, invoiceNumber, invoiceDate, targetDate, currency } = facts;
    const { amountMinor, balanceMinor, parentAccountId } = facts;
    const { payments } = this;
    const payer = await payments.payerState(tenantId, accountId);
    const data = {
      invoice: {
        ...{ invoiceId, accountId, invoiceNumber, invoiceDate, targetDate, currency },
        amountMinor,
        balanceMinor,
        asOf: Number(event.revision),
      },
      method: chargedMethod(defaultMethodOf(payer)),
      // A parent that is charged for the invoice stays so, whatever the account says by now: it is paid once.
      isDelegatedToParent: parentAccountId !== undefined || (payer.facts?.isPaymentDelegatedToParent ?? false),
      isManualPay: isManualPay(payer),
      now: notBefore(event.at, payments.runtime.clock.now(tenantId)),
    };
    const command = { type: 'RecordInvoice' as const, data };
    const { events } = settled(
      await payments.invoicePayments(invoicePaymentsStream(invoiceId), command, causedBy(event)),
    );
    if (events.some((one) => one.type === 'PaymentSkipped' && one.data.reason === 'manual-pay'))
      await heldBack(payments, event, { accountId, invoiceId });
  }

  @EventPattern('invoicing.balance-changed.v1')
  async balanceChanged(@Payload() event: Heard<InvoicingEvent, 'invoicing.balance-changed.v1'>): Promise<void> {
    await Promise.all(
      event.data.invoices.map(async ({ invoiceId, balanceMinor, purchasedMinor = null }) => {
        const data = { balanceMinor, purchasedMinor, asOf: Number(event.revision) };
        const command = { type: 'RecordBalance' as const, data };
        settled(
          await this.payments.invoicePayments(invoicePaymentsStream(invoiceId), command, causedBy(event, invoiceId)),
        );
      }),
    );
  }
}
