import { accountStream, controlTags, figuresStream, objectTagsStream } from '@billstream/accounts-domain';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import type { PaymentsEvent } from '@billstream/payments-contracts';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Accounts, accountsToken } from '../accounts';
import { type Heard, contextOf, settled } from './heard';

/** What invoicing and payments tell about an account becomes events of accounts' own, once however often it is told. */
@Controller()
export class OnMoneyMoved {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @EventPattern('invoicing.balance-changed.v1')
  async recordBalance(@Payload() event: Heard<InvoicingEvent, 'invoicing.balance-changed.v1'>): Promise<void> {
    const { accountId, currency, accountBalanceMinor, accountCreditMinor } = event.data;
    const invoices = event.data.invoices.map(({ invoiceId, balanceMinor }) => ({
      invoiceId,
      isUnpaid: balanceMinor > 0,
    }));
    const data = { accountId, currency, balanceMinor: accountBalanceMinor, creditMinor: accountCreditMinor, invoices };
    settled(await this.accounts.figures(figuresStream(accountId), { type: 'RecordBalance', data }, contextOf(event)));
  }

  @EventPattern('payments.default-method-changed.v1')
  async setDefaultMethod(@Payload() event: Heard<PaymentsEvent, 'payments.default-method-changed.v1'>): Promise<void> {
    const { accountId, paymentMethodId } = event.data;
    const command = { type: 'SetDefaultPaymentMethod' as const, data: { accountId, paymentMethodId } };
    settled(await this.accounts.figures(figuresStream(accountId), command, contextOf(event)));
  }

  @EventPattern('invoicing.bill-cycle-day-chosen.v1')
  async chooseBillCycleDay(
    @Payload() event: Heard<InvoicingEvent, 'invoicing.bill-cycle-day-chosen.v1'>,
  ): Promise<void> {
    const { accountId, billCycleDayLocal } = event.data;
    const command = { type: 'ChooseBillCycleDay' as const, data: { billCycleDayLocal } };
    settled(await this.accounts.account(accountStream(accountId), command, contextOf(event)));
  }

  @EventPattern('payments.auto-pay-off-asked.v1')
  async switchPaymentsOff(@Payload() event: Heard<PaymentsEvent, 'payments.auto-pay-off-asked.v1'>): Promise<void> {
    const { accountId } = event.data;
    const tags = controlTags
      .filter(({ name }) => name === 'AUTO_PAY_OFF')
      .map(({ tagDefinitionId, name }) => ({ tagDefinitionId, tagDefinitionName: name }));
    const object = { accountId, objectType: 'ACCOUNT' as const, objectId: accountId };
    const command = { type: 'AddTags' as const, data: { object, tags, seed: event.id } };
    settled(await this.accounts.objectTags(objectTagsStream(accountId), command, contextOf(event)));
  }

  @EventPattern('invoicing.account-parked.v1')
  async park(@Payload() event: Heard<InvoicingEvent, 'invoicing.account-parked.v1'>): Promise<void> {
    const command = { type: 'SetParked' as const, data: { ...event.data, seed: event.id } };
    settled(await this.accounts.objectTags(objectTagsStream(event.data.accountId), command, contextOf(event)));
  }
}
