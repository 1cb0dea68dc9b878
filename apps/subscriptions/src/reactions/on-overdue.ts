import type { PublicEvent } from '@billstream/event-sourcing';
import { ProblemException, type RequestContext } from '@billstream/http';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { type Instant, derivedId, notBefore } from '@billstream/kernel';
import type { AccountChange } from '@billstream/subscriptions-domain';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { changeAccount } from '../account-changes';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';

type OverdueChanged = Extract<InvoicingEvent, { readonly type: 'invoicing.overdue-changed.v1' }>;

/** Kill Bill's name of who blocks an account that is overdue. */
const service = 'overdue-service';

/** What an overdue state does to an account's subscriptions: it may end them, and it blocks, or ends blocking (Kill Bill 2.16). */
@Controller()
export class OnOverdue {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @EventPattern('invoicing.overdue-changed.v1')
  async overdueChanged(@Payload() event: PublicEvent<OverdueChanged['type'], OverdueChanged['data']>): Promise<void> {
    const { accountId, cancellationPolicy } = event.data;
    if (cancellationPolicy !== 'NONE') {
      // A check that was done late ends the service from the day on which it was due (Kill Bill 2.16).
      const isLate = notBefore(event.at, this.subscriptions.now(event.tenantId)) !== event.at;
      const since = isLate ? { entitlementAt: wholeMinute(event.at) } : {};
      await this.make(event, { kind: 'CANCEL', billing: cancellationPolicy, ...since });
    }
    await this.make(event, { kind: 'BLOCK', state: blockingStateOf(event, accountId) });
  }

  /** What of a change is refused stays as it is: the change is in the log with the reason, and trying again would not help. */
  private async make(event: PublicEvent<string, OverdueChanged['data']>, change: AccountChange): Promise<void> {
    try {
      await changeAccount(this.subscriptions, requestOf(event), event.data.accountId, change);
    } catch (error) {
      if (!(error instanceof ProblemException)) throw error;
    }
  }
}

const wholeMinute = (at: Instant): Instant => `${at.slice(0, 16)}:00.000Z` as Instant;

const blockingStateOf = (
  { id, at, data }: PublicEvent<string, OverdueChanged['data']>,
  accountId: string,
): Extract<AccountChange, { readonly kind: 'BLOCK' }>['state'] => ({
  blockingId: derivedId('overdue', id),
  type: 'ACCOUNT',
  blockedId: accountId,
  service,
  stateName: data.stateName,
  blockChange: data.blockChanges || data.disableEntitlement,
  blockEntitlement: data.disableEntitlement,
  blockBilling: data.disableEntitlement,
  // Billing counts days; in whole minutes, what somebody does right after the end does not fall into the block.
  effectiveAt: wholeMinute(at),
  isFact: true,
});

const requestOf = ({ id, tenantId, actor, correlationId }: PublicEvent): RequestContext => ({
  tenantId,
  user: actor.createdBy,
  actor,
  correlationId,
  commandId: derivedId('overdue', id),
});
