import { accountStream, figuresStream } from '@billstream/accounts-domain';
import type { CommandContext, Handled, PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { derivedId } from '@billstream/kernel';
import type { PaymentsEvent } from '@billstream/payments-contracts';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Accounts, accountsToken } from '../accounts';

type Heard<Events extends { readonly type: string; readonly data: object }, Type extends Events['type']> = PublicEvent<
  Type,
  Extract<Events, { readonly type: Type }>['data']
>;

/** What invoicing and payments tell about an account becomes events of accounts' own, once however often it is told. */
@Controller()
export class OnMoneyMoved {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @EventPattern('invoicing.balance-changed.v1')
  async recordBalance(@Payload() event: Heard<InvoicingEvent, 'invoicing.balance-changed.v1'>): Promise<void> {
    const { accountId, currency, accountBalanceMinor, accountCreditMinor } = event.data;
    const data = { accountId, currency, balanceMinor: accountBalanceMinor, creditMinor: accountCreditMinor };
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
}

const contextOf = (event: PublicEvent): CommandContext => ({
  commandId: derivedId('accounts', event.id),
  tenantId: event.tenantId,
  actor: event.actor,
  at: event.at,
  correlationId: event.correlationId,
  causationId: event.id,
  ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
});

/** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
const settled = (handled: Handled<object, unknown, { readonly code: string }>): void => {
  if (handled.outcome === 'rejected') throw new Error(`accounts refuses what it was told: ${handled.rejection.code}`);
  if (handled.outcome !== 'accepted') throw new Error(`accounts could not record what it was told: ${handled.outcome}`);
};
