import type { CommandContext, PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { notBefore } from '@billstream/kernel';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { followBalances, giveTransferredCredit, sumUpChildInvoice } from '../family/follow-family';
import { type Invoicing, invoicingToken } from '../invoicing';
import { contextAt } from './context';

type Heard<Type extends InvoicingEvent['type']> = PublicEvent<
  Type,
  Extract<InvoicingEvent, { readonly type: Type }>['data']
>;

/** What happens to the invoices of one account and concerns its parent or its children (Kill Bill 2.14). */
@Controller()
export class OnFamily {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @EventPattern('invoicing.invoice-committed.v1')
  async invoiceCommitted(@Payload() event: Heard<'invoicing.invoice-committed.v1'>): Promise<void> {
    await sumUpChildInvoice(this.invoicing, event.data, this.contextOf(event));
  }

  @EventPattern('invoicing.balance-changed.v1')
  async balanceChanged(@Payload() event: Heard<'invoicing.balance-changed.v1'>): Promise<void> {
    await followBalances(this.invoicing, event.data, this.contextOf(event));
  }

  @EventPattern('invoicing.credit-transferred.v1')
  async creditTransferred(@Payload() event: Heard<'invoicing.credit-transferred.v1'>): Promise<void> {
    await giveTransferredCredit(this.invoicing, event.data, this.contextOf(event));
  }

  private contextOf(event: PublicEvent): CommandContext {
    return contextAt(event, notBefore(event.at, this.invoicing.runtime.clock.now(event.tenantId)), 'family');
  }
}
