import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { type ChangeSpecifier, bundleStream } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Subscriptions, stepOf, subscriberOf, subscriptionsToken } from '../subscriptions';
import { findSubscription } from './find-bundle';
import { bundleProblem, invalidValue, unknownAccount } from './problems';
import { SubscriptionRequest, overridesFrom, periodFrom, policyFrom, whenFrom } from './requests';

export class ChangeQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
  @IsOptional() @IsString() readonly billingPolicy?: string;
}

const given = (text: string | null | undefined): string | null =>
  text === undefined || text === null || text === '' ? null : text;

/** A plan name is enough, and wins over other fields beside it (Kill Bill accepts both here). */
export const planOf = (body: SubscriptionRequest): ChangeSpecifier => {
  const planName = given(body.planName);
  if (planName !== null) return { planName };
  const productName = given(body.productName);
  if (productName === null) throw invalidValue('planName or productName: must be given');
  const period = given(body.billingPeriod);
  return { productName, billingPeriod: period === null ? null : periodFrom(period), priceList: given(body.priceList) };
};

@Controller('1.0/kb/subscriptions')
export class ChangePlanEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Put(':subscriptionId')
  @HttpCode(204)
  async changePlan(
    @Param('subscriptionId') id: string,
    @Body() body: SubscriptionRequest,
    @Query() query: ChangeQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { subscriptions } = this;
    const { tenantId } = context;
    const { bundle, subscription } = await findSubscription(subscriptions, tenantId, id);
    const facts = await subscriptions.accountOf(tenantId, bundle.accountId);
    if (facts === null) throw unknownAccount(bundle.accountId);
    const policy = policyFrom('billingPolicy', query.billingPolicy);
    const requestedAt = whenFrom('requestedDate', query.requestedDate, bundle.time);
    const step = stepOf(context, subscriptions, 'change');
    const data = {
      subscriptionId: subscription.subscriptionId,
      changeId: derivedId(context.commandId, 'plan-change'),
      plan: planOf(body),
      startIn: body.phaseType ?? null,
      billCycleDayLocal: body.billCycleDayLocal ?? null,
      priceOverrides: overridesFrom(body),
      // A policy says when, whatever date comes with it.
      requestedAt: policy === null ? requestedAt : null,
      policy,
      account: { ...subscriberOf(facts), time: bundle.time },
      catalog: await subscriptions.catalogOf(tenantId),
      now: step.at,
    };
    const changed = unwrap(
      await subscriptions.bundle(bundleStream(bundle.bundleId), { type: 'ChangePlan', data }, step),
      bundleProblem,
    );
    await subscriptions.runtime.visible(changed.position);
  }
}
