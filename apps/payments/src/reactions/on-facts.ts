import type { AccountFacts, AccountsEvent } from '@billstream/accounts-contracts';
import type { Handled, PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { invoicePaymentsStream, payerAccountStream, pluginConfigStream } from '@billstream/payments-domain';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Payments, causedBy, paymentsToken } from '../payments';

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

  private async recordAccount(event: PublicEvent<string, AccountFacts>): Promise<void> {
    const { accountId, currency, isPaymentDelegatedToParent } = event.data;
    const data = { accountId, currency, isPaymentDelegatedToParent };
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
    const { invoiceId, accountId, invoiceNumber, invoiceDate, currency, amountMinor, balanceMinor } = facts;
    const { facts: payer } = await this.payments.payerState(tenantId, accountId);
    const data = {
      invoice: {
        ...{ invoiceId, accountId, invoiceNumber, invoiceDate, currency },
        amountMinor,
        balanceMinor,
        asOf: Number(event.revision),
      },
      method: await this.payments.defaultCharge(tenantId, accountId),
      isDelegatedToParent: payer?.isPaymentDelegatedToParent ?? false,
      now: this.payments.runtime.clock.now(tenantId),
    };
    settled(
      await this.payments.invoicePayments(
        invoicePaymentsStream(invoiceId),
        { type: 'RecordInvoice', data },
        causedBy(event),
      ),
    );
  }

  @EventPattern('invoicing.balance-changed.v1')
  async balanceChanged(@Payload() event: Heard<InvoicingEvent, 'invoicing.balance-changed.v1'>): Promise<void> {
    await Promise.all(
      event.data.invoices.map(async ({ invoiceId, balanceMinor }) => {
        const command = { type: 'RecordBalance' as const, data: { balanceMinor, asOf: Number(event.revision) } };
        settled(
          await this.payments.invoicePayments(invoicePaymentsStream(invoiceId), command, causedBy(event, invoiceId)),
        );
      }),
    );
  }
}

/** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
const settled = (handled: Handled<object, unknown, { readonly code: string }>): void => {
  if (handled.outcome === 'rejected') throw new Error(`payments refuses what it was told: ${handled.rejection.code}`);
  if (handled.outcome !== 'accepted') throw new Error(`payments could not record what it was told: ${handled.outcome}`);
};
