import type { AccountsEvent } from '@billstream/accounts-contracts';
import type { PublicEvent } from '@billstream/event-sourcing';
import { ProblemException, type RequestContext } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import type { AccountChange } from '@billstream/subscriptions-domain';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { changeAccount } from '../account-changes';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';

type AccountClosed = Extract<AccountsEvent, { readonly type: 'accounts.account-closed.v1' }>;

/** Kill Bill's names of who blocks a closed account, and how. */
const service = 'account-service';
const stateName = 'CLOSE_ACCOUNT';

/** What closing does to an account's subscriptions: they end where that is asked for, and nothing may be changed any more. */
@Controller()
export class OnAccountClosed {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @EventPattern('accounts.account-closed.v1')
  async accountClosed(@Payload() event: PublicEvent<AccountClosed['type'], AccountClosed['data']>): Promise<void> {
    const { accountId, cancelAllSubscriptions } = event.data;
    if (cancelAllSubscriptions) await this.make(event, { kind: 'CANCEL', billing: 'END_OF_TERM' });
    const state = {
      blockingId: derivedId('account-closed', event.id),
      type: 'ACCOUNT' as const,
      blockedId: accountId,
      service,
      stateName,
      blockChange: true,
      blockEntitlement: false,
      blockBilling: false,
      effectiveAt: event.at,
    };
    await this.make(event, { kind: 'BLOCK', state });
  }

  /** What of a change is refused stays as it is: the change is in the log with the reason, and trying again would not help. */
  private async make(event: PublicEvent<string, AccountClosed['data']>, change: AccountChange): Promise<void> {
    try {
      await changeAccount(this.subscriptions, requestOf(event), event.data.accountId, change);
    } catch (error) {
      if (!(error instanceof ProblemException)) throw error;
    }
  }
}

const requestOf = ({ id, tenantId, actor, correlationId }: PublicEvent): RequestContext => ({
  tenantId,
  user: actor.createdBy,
  actor,
  correlationId,
  commandId: derivedId('account-closed', id),
});
