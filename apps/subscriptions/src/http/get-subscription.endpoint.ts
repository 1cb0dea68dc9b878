import { AuditQuery, type RequestContext, RequestCtx } from '@billstream/http';
import { subscriptionOf } from '@billstream/subscriptions-domain';
import { bundleOfSubscriptionKey } from '@billstream/subscriptions-read-models';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { IsOptional, IsString } from 'class-validator';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { findSubscription, findTwice, viewOf } from './find-bundle';
import { invalidValue, unknownSubscriptionKey } from './problems';
import { subscriptionJson } from './subscription-json';

class SubscriptionKeyQuery extends AuditQuery {
  @IsOptional() @IsString() readonly externalKey?: string;
}

@Controller('1.0/kb/subscriptions')
export class GetSubscriptionEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Get()
  async getByKey(@Query() { externalKey: key }: SubscriptionKeyQuery, @RequestCtx() { tenantId }: RequestContext) {
    if (key === undefined || key === '') throw invalidValue('externalKey: must be given');
    const { subscriptions } = this;
    const found = await findTwice(subscriptions, () =>
      bundleOfSubscriptionKey(subscriptions.runtime.database, tenantId, key),
    );
    const subscription = found === null ? null : subscriptionOf(found.bundle, found.subscriptionId);
    if (found === null || subscription === null) throw unknownSubscriptionKey(key);
    return subscriptionJson(found.bundle, subscription, await viewOf(subscriptions, tenantId, found.bundle));
  }

  @Get(':subscriptionId')
  async getById(
    @Param('subscriptionId') id: string,
    @Query() _: AuditQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const { bundle, subscription } = await findSubscription(this.subscriptions, tenantId, id);
    return subscriptionJson(bundle, subscription, await viewOf(this.subscriptions, tenantId, bundle));
  }
}
