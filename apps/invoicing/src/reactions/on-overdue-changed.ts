import type { PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { type AccountInvoicesCommand, accountInvoicesStream } from '@billstream/invoicing-domain';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import { notBefore } from '@billstream/kernel';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Invoicing, invoicingToken } from '../invoicing';
import { contextAt } from './context';

type OverdueChanged = Extract<InvoicingEvent, { readonly type: 'invoicing.overdue-changed.v1' }>;
type ChangeEnded = Extract<SubscriptionsEvent, { readonly type: 'subscriptions.account-change-ended.v1' }>;

/** Runs stop before what an account has is blocked, and go on when all of it was told to be unblocked. */
@Controller()
export class OnOverdueChanged {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @EventPattern('invoicing.overdue-changed.v1')
  async overdueChanged(@Payload() event: PublicEvent<OverdueChanged['type'], OverdueChanged['data']>): Promise<void> {
    const { accountId, disableEntitlement } = event.data;
    await this.record(event, accountId, { type: 'RecordOverdue', blocksBilling: disableEntitlement, now: event.at });
  }

  @EventPattern('subscriptions.account-change-ended.v1')
  async changeEnded(@Payload() event: PublicEvent<ChangeEnded['type'], ChangeEnded['data']>): Promise<void> {
    await this.record(event, event.data.accountId, { type: 'RecordUnblocked', now: event.at });
  }

  private async record(event: PublicEvent, accountId: string, command: AccountInvoicesCommand): Promise<void> {
    const now = notBefore(event.at, this.invoicing.runtime.clock.now(event.tenantId));
    const handled = await this.invoicing.accountInvoices(
      accountInvoicesStream(accountId),
      { ...command, now },
      contextAt(event, now, command.type),
    );
    if (handled.outcome !== 'accepted')
      throw new Error(`invoicing could not record ${event.type} of ${accountId}: ${handled.outcome}`);
  }
}
