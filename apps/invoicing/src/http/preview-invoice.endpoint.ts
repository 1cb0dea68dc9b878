import { requestContextOf } from '@billstream/http';
import {
  type Billing,
  type BillingTimeline,
  type CountedUsage,
  type PreviewRequest as Wanted,
  type UsageRequest,
  previewInvoice,
  usageToPreview,
} from '@billstream/invoicing-domain';
import { invoiceById } from '@billstream/invoicing-read-models';
import { Body, Controller, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
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
  /** What metering counted of the usage that the preview needs; put in like the timelines. */
  @IsOptional() @IsArray() readonly countedUsage?: CountedUsage[];
}

const billingIn = (body: PreviewRequest | undefined): { readonly billing?: Billing } => {
  if (typeof body?.subscriptionId === 'string') return { billing: { subscriptionId: body.subscriptionId } };
  return typeof body?.bundleId === 'string' ? { billing: { bundleId: body.bundleId } } : {};
};

@Controller()
export class PreviewInvoiceEndpoint {
  constructor(@Inject(invoicingToken) private readonly invoicing: Invoicing) {}

  /**
   * Invoicing's part in the completion of a dry run: which usage it needs, beside what subscriptions said. Metering counts that, and
   * the answer comes back as the body of the dry run itself.
   */
  @Post('1.0/kb/internal/invoices/dryRun')
  @HttpCode(200)
  async usageNeeded(
    @Query() query: RunQuery,
    @Body() body: PreviewRequest | undefined,
    @Req() request: FastifyRequest,
  ): Promise<object> {
    const { state, wanted } = await this.wanted(query, body, requestContextOf(request).tenantId);
    const usageRequests: readonly UsageRequest[] = usageToPreview(state, wanted);
    return Object.assign({}, body, { usageRequests });
  }

  /** 200 and the invoice that a run would make; 204 when there is nothing to invoice. Nothing is kept. */
  @Post('1.0/kb/invoices/dryRun')
  async preview(
    @Query() query: RunQuery,
    @Body() body: PreviewRequest | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const { tenantId } = requestContextOf(request);
    const { accountId, state, wanted } = await this.wanted(query, body, tenantId);
    const preview = previewInvoice(state, { ...wanted, counted: body?.countedUsage ?? [] });
    if ('rejected' in preview) throw invoiceProblem(accountId)(preview.rejected);
    void reply.status(preview.invoice === null ? 204 : 200);
    if (preview.invoice === null) return undefined;
    const { draftId } = preview;
    const draft = draftId === undefined ? null : await invoiceById(this.invoicing.runtime.database, tenantId, draftId);
    return previewJson(preview.invoice, draft);
  }

  private async wanted(query: RunQuery, body: PreviewRequest | undefined, tenantId: string) {
    const dryRunType = body?.dryRunType ?? 'TARGET_DATE';
    const { accountId } = await existingAccount(this.invoicing, tenantId, accountIdOf(query));
    const wanted: Wanted = {
      targetDate: dateFrom('targetDate', query.targetDate),
      upcoming: dryRunType === 'UPCOMING_INVOICE',
      ...billingIn(body),
      ...(dryRunType === 'SUBSCRIPTION_ACTION'
        ? { planned: (body?.plannedTimelines ?? []).filter((one) => one.accountId === accountId) }
        : {}),
      now: this.invoicing.runtime.clock.now(tenantId),
      settings: await this.invoicing.settingsOf(tenantId),
    };
    return { accountId, state: await this.invoicing.stateOf(accountId), wanted };
  }
}
