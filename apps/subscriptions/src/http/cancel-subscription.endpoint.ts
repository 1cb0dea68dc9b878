import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { type AccountTime, derivedId, instantOf, localDateOf } from '@billstream/kernel';
import { type EndDate, bundleStream } from '@billstream/subscriptions-domain';
import { Controller, Delete, HttpCode, Inject, Param, Query } from '@nestjs/common';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { type Subscriptions, stepOf, subscriberOf, subscriptionsToken } from '../subscriptions';
import { findSubscription } from './find-bundle';
import { bundleProblem, unknownAccount } from './problems';
import { policyFrom, whenFrom } from './requests';

export class CancelQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
  @IsOptional() @IsString() readonly entitlementPolicy?: string;
  @IsOptional() @IsString() readonly billingPolicy?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly useRequestedDateForBilling?: string;
}

type Ends = { readonly entitlement: EndDate; readonly billing: EndDate };

/** With a billing policy an instant counts as its local day (Kill Bill's SubscriptionResource). */
const endsOf = (query: CancelQuery, time: AccountTime): Ends => {
  const requestedAt = whenFrom('requestedDate', query.requestedDate, time);
  const entitlementPolicy = policyFrom('entitlementPolicy', query.entitlementPolicy);
  const billingPolicy = policyFrom('billingPolicy', query.billingPolicy);
  const isInstant = query.requestedDate?.includes('T') === true;
  const forBilling = query.useRequestedDateForBilling === 'true' || isInstant;
  const asked: EndDate = requestedAt === null ? { policy: 'IMMEDIATE' } : { at: requestedAt };
  if (entitlementPolicy !== null)
    return { entitlement: { policy: entitlementPolicy }, billing: { policy: billingPolicy ?? 'BY_CATALOG' } };
  if (billingPolicy !== null)
    return {
      entitlement:
        requestedAt === null
          ? asked
          : { at: isInstant ? instantOf(localDateOf(requestedAt, time), time) : requestedAt },
      billing: { policy: billingPolicy },
    };
  return { entitlement: asked, billing: requestedAt !== null && forBilling ? asked : { policy: 'BY_CATALOG' } };
};

@Controller('1.0/kb/subscriptions')
export class CancelSubscriptionEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Delete(':subscriptionId')
  @HttpCode(204)
  async cancelSubscription(
    @Param('subscriptionId') id: string,
    @Query() query: CancelQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const { subscriptions } = this;
    const { bundle, subscription } = await findSubscription(subscriptions, context.tenantId, id);
    const facts = await subscriptions.accountOf(context.tenantId, bundle.accountId);
    if (facts === null) throw unknownAccount(bundle.accountId);
    const step = stepOf(context, subscriptions, 'cancel');
    const data = {
      subscriptionId: subscription.subscriptionId,
      cancellationId: derivedId(context.commandId, 'cancellation'),
      ...endsOf(query, bundle.time),
      account: { ...subscriberOf(facts), time: bundle.time },
      catalog: await subscriptions.catalogOf(context.tenantId),
      now: step.at,
    };
    const cancelled = unwrap(
      await subscriptions.bundle(bundleStream(bundle.bundleId), { type: 'CancelSubscription', data }, step),
      bundleProblem,
    );
    await subscriptions.runtime.visible(cancelled.position);
  }
}
