import { type RequestContext, RequestCtx } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { type BundleCommand, type BundleState, type EndDate, bundleDecider } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsIn, IsOptional, IsString, ValidateNested } from 'class-validator';
import { plannedCreation } from '../create-subscriptions';
import { type Subscriptions, stepOf, subscriberOf, subscriptionsToken } from '../subscriptions';
import { planOf } from './change-plan.endpoint';
import { findSubscription } from './find-bundle';
import { bundleProblem, invalidValue, unknownAccount } from './problems';
import { PhasePriceRequest, SubscriptionRequest, overridesFrom, policyFrom, whenFrom } from './requests';

const actions = ['START_BILLING', 'CHANGE', 'STOP_BILLING'] as const;
const types = ['TARGET_DATE', 'UPCOMING_INVOICE', 'SUBSCRIPTION_ACTION'] as const;

/** Kill Bill's InvoiceDryRun. A plan is named by itself or by product, period and price list. */
export class InvoiceDryRunRequest {
  @IsOptional() @IsIn(types) readonly dryRunType?: (typeof types)[number] | null;
  @IsOptional() @IsIn(actions) readonly dryRunAction?: (typeof actions)[number] | null;
  @IsOptional() @IsString() readonly subscriptionId?: string | null;
  @IsOptional() @IsString() readonly bundleId?: string | null;
  @IsOptional() @IsString() readonly effectiveDate?: string | null;
  @IsOptional() @IsString() readonly billingPolicy?: string | null;
  @IsOptional() @IsString() readonly planName?: string | null;
  @IsOptional() @IsString() readonly productName?: string | null;
  @IsOptional() @IsString() readonly productCategory?: string | null;
  @IsOptional() @IsString() readonly billingPeriod?: string | null;
  @IsOptional() @IsString() readonly priceListName?: string | null;
  @IsOptional() @IsString() readonly phaseType?: string | null;
  @IsOptional() @IsArray() @ValidateNested({ each: true }) @Type(() => PhasePriceRequest) readonly priceOverrides?:
    PhasePriceRequest[] | null;
}

class DryRunQuery {
  @IsOptional() @IsString() readonly accountId?: string;
}

type Planned = { readonly state: BundleState; readonly command: BundleCommand };

/** A plan named by itself stands alone; the three other fields only count without it. */
const subscriptionOf = (body: InvoiceDryRunRequest, accountId: string | undefined): SubscriptionRequest =>
  Object.assign(new SubscriptionRequest(), {
    accountId,
    bundleId: body.bundleId,
    phaseType: body.phaseType,
    priceOverrides: body.priceOverrides,
    ...(body.planName === undefined || body.planName === null || body.planName === ''
      ? {
          productName: body.productName,
          productCategory: body.productCategory,
          billingPeriod: body.billingPeriod,
          priceList: body.priceListName ?? 'DEFAULT',
        }
      : { planName: body.planName }),
  });

/**
 * The first half of a dry run: what a subscription's billing would be after an action that nobody has taken. The gateway
 * asks for it and hands the answer to invoicing, whose half it is to say what that would cost.
 */
@Controller('1.0/kb/internal/invoices')
export class PlanPreviewEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  /** What invoicing has to know: the kind of dry run, whom it is about, and the timelines that its action would change. */
  @Post('dryRun')
  @HttpCode(200)
  async planTimelines(
    @Query() query: DryRunQuery,
    @Body() body: InvoiceDryRunRequest | undefined,
    @RequestCtx() context: RequestContext,
  ): Promise<object> {
    if (body === undefined) return { dryRunType: 'TARGET_DATE', plannedTimelines: [] };
    if (body.dryRunType !== 'SUBSCRIPTION_ACTION') {
      const { dryRunType, subscriptionId, bundleId } = body;
      return { dryRunType: dryRunType ?? 'TARGET_DATE', subscriptionId, bundleId, plannedTimelines: [] };
    }
    const { state, command } = await this.planned(body, query.accountId, context);
    const decision = bundleDecider.decide(command, state);
    // To stop what stops by then anyway changes nothing, which may be asked about (as Kill Bill lets one).
    if ('rejected' in decision && decision.rejected.code === 'cancel-bad-state')
      return { dryRunType: body.dryRunType, plannedTimelines: [] };
    if ('rejected' in decision) throw bundleProblem(decision.rejected);
    const plannedTimelines = decision.events.flatMap(({ type, data }) =>
      type === 'BillingTimelineChanged' ? [data] : [],
    );
    return { dryRunType: body.dryRunType, plannedTimelines };
  }

  private planned(
    body: InvoiceDryRunRequest,
    accountId: string | undefined,
    context: RequestContext,
  ): Promise<Planned> {
    const action = body.dryRunAction ?? null;
    switch (action) {
      case 'START_BILLING':
        return this.start(body, accountId, context);
      case 'CHANGE':
        return this.change(body, context);
      case 'STOP_BILLING':
        return this.stop(body, context);
      case null:
        throw invalidValue(`dryRunAction: must be one of ${actions.join(', ')}`);
    }
  }

  private async start(
    body: InvoiceDryRunRequest,
    accountId: string | undefined,
    context: RequestContext,
  ): Promise<Planned> {
    const { effectiveDate } = body;
    const creation = {
      requests: [subscriptionOf(body, accountId)],
      query: { ...(typeof effectiveDate === 'string' ? { requestedDate: effectiveDate } : {}) },
      step: 'dry-run',
    };
    const { bundle, command } = await plannedCreation(this.subscriptions, context, creation);
    return { state: bundle, command: { type: 'StartSubscriptions', data: command } };
  }

  private async change(body: InvoiceDryRunRequest, context: RequestContext): Promise<Planned> {
    const { bundle, facts, requestedAt, policy } = await this.target(body, context);
    const request = subscriptionOf(body, undefined);
    const data = {
      ...facts,
      changeId: derivedId(context.commandId, 'plan-change'),
      plan: planOf(request),
      startIn: request.phaseType ?? null,
      billCycleDayLocal: null,
      priceOverrides: overridesFrom(request),
      requestedAt,
      policy: requestedAt === null ? policy : null,
    };
    return { state: bundle, command: { type: 'ChangePlan', data } };
  }

  private async stop(body: InvoiceDryRunRequest, context: RequestContext): Promise<Planned> {
    const { bundle, facts, requestedAt, policy } = await this.target(body, context);
    const end: EndDate = requestedAt === null ? { policy: policy ?? ('BY_CATALOG' as const) } : { at: requestedAt };
    const data = {
      ...facts,
      cancellationId: derivedId(context.commandId, 'cancellation'),
      entitlement: end,
      billing: end,
    };
    return { state: bundle, command: { type: 'CancelSubscription', data } };
  }

  /** The subscription that the action is about. A date says more than a policy beside it. */
  private async target(body: InvoiceDryRunRequest, context: RequestContext) {
    const { subscriptions } = this;
    const { tenantId } = context;
    if (typeof body.subscriptionId !== 'string') throw invalidValue('subscriptionId: a subscription is needed');
    const { bundle, subscription } = await findSubscription(subscriptions, tenantId, body.subscriptionId);
    const known = await subscriptions.accountOf(tenantId, bundle.accountId);
    if (known === null) throw unknownAccount(bundle.accountId);
    return {
      bundle,
      facts: {
        subscriptionId: subscription.subscriptionId,
        account: { ...subscriberOf(known), time: bundle.time },
        catalog: await subscriptions.catalogOf(tenantId),
        now: stepOf(context, subscriptions, 'dry-run').at,
      },
      requestedAt: whenFrom('effectiveDate', body.effectiveDate ?? undefined, bundle.time),
      policy: policyFrom('billingPolicy', body.billingPolicy ?? undefined),
    };
  }
}
