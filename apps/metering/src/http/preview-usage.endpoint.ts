import { type RequestContext, RequestCtx } from '@billstream/http';
import type { InvoicingEvent } from '@billstream/invoicing-contracts';
import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { closedUsages } from '../close-usage';
import { type Metering, meteringToken } from '../metering';

type UsageRequest = Extract<InvoicingEvent, { readonly type: 'invoicing.usage-requested.v1' }>['data'];

/** What invoicing sends: the usage it needs, and whatever else is between it and itself. */
type PreviewBody = { readonly usageRequests?: readonly UsageRequest[] };

/** Metering's part in the completion of a dry run: it counts as for an invoice, and closes nothing. */
@Controller('1.0/kb/internal/invoices')
export class PreviewUsageEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Post('dryRun')
  @HttpCode(200)
  async countUsage(@Body() body: PreviewBody, @RequestCtx() { tenantId }: RequestContext): Promise<object> {
    const { usageRequests = [], ...rest } = body;
    const countedUsage = [];
    for (const { subscriptionId, accountExternalKey: user, planName, timeZone, periods } of usageRequests) {
      const request = { tenantId, user, subscriptionId, planName, timeZone, periods };
      const countedTo = await this.metering.usageCounted(request, 0n);
      const counted = await closedUsages(this.metering.closingQuestions, request, countedTo);
      countedUsage.push({ subscriptionId, usages: counted.map(({ usage }) => usage) });
    }
    return { ...rest, countedUsage };
  }
}
