import { requestContextOf } from '@billstream/http';
import { type Billing, type BillingTimeline, previewInvoice } from '@billstream/invoicing-domain';
import { Body, Controller, Inject, Post, Query, Req, Res } from '@nestjs/common';
import { IsArray, IsIn, IsOptional, IsString } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Invoicing, invoicingToken } from '../invoicing';
import { RunQuery, accountIdOf } from './create-invoice.endpoint';
import { dateFrom } from './dates';
import { existingAccount } from './find-account';
import { previewJson } from './invoice-json';
import { invoiceProblem } from './problems';

const dryRunTypes = ['TARGET_DATE', 'UPCOMING_INVOICE', 'SUBSCRIPTION_ACTION'] as const;

/** Kill Bill's InvoiceDryRun, as far as it is about invoices; what an action does is worked out by subscriptions before. */
class PreviewRequest {
  @IsOptional() @IsIn(dryRunTypes) readonly dryRunType?: (typeof dryRunTypes)[number] | null;
  /** The upcoming invoice is the next one that bills this subscription, or this bundle. */
  @IsOptional() @IsString() readonly subscriptionId?: string | null;
  @IsOptional() @IsString() readonly bundleId?: string | null;
  /** Timelines as they would be after the action; the gateway puts them in, whatever a client sent. */
  @IsOptional() @IsArray() readonly plannedTimelines?: BillingTimeline[];
}

const billingIn = (body: PreviewRequest | undefined): { readonly billing?: Billing } => {
  if (typeof body?.subscriptionId === 'string') return { billing: { subscriptionId: body.subscriptionId } };
  return typeof body?.bundleId === 'string' ? { billing: { bundleId: body.bundleId } } : {};
};

@Controller('1.0/kb/invoices')
export class PreviewInvoiceEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /** 200 and the invoice that a run would make; 204 when there is nothing to invoice. Nothing is kept. */
  @Post('dryRun')
  async preview(
    @Query() query: RunQuery,
    @Body() body: PreviewRequest | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const dryRunType = body?.dryRunType ?? 'TARGET_DATE';
    const { tenantId } = requestContextOf(request);
    const { accountId } = await existingAccount(this.invoicing, tenantId, accountIdOf(query));
    const preview = previewInvoice(await this.invoicing.stateOf(accountId), {
      targetDate: dateFrom('targetDate', query.targetDate),
      upcoming: dryRunType === 'UPCOMING_INVOICE',
      ...billingIn(body),
      ...(dryRunType === 'SUBSCRIPTION_ACTION'
        ? { planned: (body?.plannedTimelines ?? []).filter((one) => one.accountId === accountId) }
        : {}),
      now: this.invoicing.runtime.clock.now(tenantId),
      settings: await this.invoicing.settingsOf(tenantId),
    });
    if ('rejected' in preview) throw invoiceProblem(accountId)(preview.rejected);
    void reply.status(preview.invoice === null ? 204 : 200);
    return preview.invoice === null ? undefined : previewJson(preview.invoice);
  }
}
