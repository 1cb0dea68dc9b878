import type { AccountsEvent } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { overdueStream } from '@billstream/invoicing-domain';
import { notBefore } from '@billstream/kernel';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { type Invoicing, invoicingToken } from '../invoicing';
import { evaluateFamily } from '../overdue/evaluate-overdue';
import { contextAt } from './context';

type TagChanged = Extract<AccountsEvent, { readonly type: 'accounts.control-tag-changed.v1' }>;
type AccountClosed = Extract<AccountsEvent, { readonly type: 'accounts.account-closed.v1' }>;
type BalanceChanged = Extract<InvoicingEvent, { readonly type: 'invoicing.balance-changed.v1' }>;

/** Whatever may make an account overdue, or end it (Kill Bill 2.16): what it owes, and its control tags. */
@Controller()
export class OnOverdueFacts {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  @EventPattern('invoicing.balance-changed.v1')
  async balanceChanged(@Payload() event: PublicEvent<BalanceChanged['type'], BalanceChanged['data']>): Promise<void> {
    await this.evaluate(event, event.data.accountId);
  }

  @EventPattern('accounts.control-tag-changed.v1')
  async tagChanged(@Payload() event: PublicEvent<TagChanged['type'], TagChanged['data']>): Promise<void> {
    const { accountId, objectType, tag, isSet } = event.data;
    if (objectType !== 'ACCOUNT') return;
    const recorded = await this.invoicing.overdue(
      overdueStream(accountId),
      { type: 'RecordOverdueTag', data: { accountId, tag, isSet } },
      contextAt(event, this.nowOf(event), 'overdue-tag'),
    );
    if (recorded.outcome !== 'accepted') throw new Error(`a tag of ${accountId} was not recorded: ${recorded.outcome}`);
    await this.evaluate(event, accountId);
  }

  /** What is owed then makes it overdue no later; the closing itself comes after all that it does to invoices' tags. */
  @EventPattern('accounts.account-closed.v1')
  async accountClosed(@Payload() event: PublicEvent<AccountClosed['type'], AccountClosed['data']>): Promise<void> {
    const { accountId, removeFutureNotifications } = event.data;
    if (!removeFutureNotifications) return;
    const command = { type: 'CancelOverdueCheck' as const, data: { accountId } };
    const context = contextAt(event, this.nowOf(event), 'no-overdue-check');
    const cancelled = await this.invoicing.overdue(overdueStream(accountId), command, context);
    if (cancelled.outcome !== 'accepted')
      throw new Error(`the overdue check of ${accountId} was not cancelled: ${cancelled.outcome}`);
  }

  /** A tenant without overdue states pays for no look at its accounts. */
  private async evaluate(event: PublicEvent, accountId: string): Promise<void> {
    if ((await this.invoicing.overdueConfigOf(event.tenantId)) === null) return;
    await evaluateFamily(this.invoicing, accountId, contextAt(event, this.nowOf(event), 'overdue'));
  }

  private nowOf({ at, tenantId }: PublicEvent) {
    return notBefore(at, this.invoicing.runtime.clock.now(tenantId));
  }
}
