import type { PublicEvent } from '@billstream/event-sourcing';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { derivedId } from '@billstream/kernel';
import { usageClosingStream } from '@billstream/metering-domain';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { closedUsages } from '../close-usage';
import { type Metering, contextOf, meteringToken } from '../metering';

type UsageRequested = Extract<InvoicingEvent, { readonly type: 'invoicing.usage-requested.v1' }>;

/** An invoice asks what was used: the answer is counted once everything taken so far is, and stays what it is. */
@Controller()
export class OnUsageRequested {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @EventPattern('invoicing.usage-requested.v1')
  async closeUsage(@Payload() event: PublicEvent<UsageRequested['type'], UsageRequested['data']>): Promise<void> {
    const { requestId, accountId, subscriptionId, accountExternalKey: user, ...asked } = event.data;
    const request = { tenantId: event.tenantId, user, subscriptionId, ...asked };
    const countedTo = await this.metering.usageCounted(request, BigInt(event.position));
    const counted = await closedUsages(this.metering.closingQuestions, request, countedTo);
    const context = { ...contextOf(event), commandId: derivedId('close-usage', requestId) };
    const closed = await this.metering.closing(
      usageClosingStream(subscriptionId),
      {
        type: 'UsageClosed',
        data: {
          ...{ requestId, accountId, subscriptionId },
          usages: counted.map(({ usage }) => usage),
          bases: counted.map(({ basis }) => basis),
          asked: { user, planName: asked.planName, timeZone: asked.timeZone },
        },
      },
      context,
    );
    if (closed.outcome !== 'accepted') throw new Error(`usage could not be closed: ${closed.outcome}`);
  }
}
