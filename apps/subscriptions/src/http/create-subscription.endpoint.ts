import { type RequestContext, listOf, locationOf, requestContextOf } from '@billstream/http';
import { Body, Controller, HttpCode, Inject, Post, Query, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Created, createSubscriptions } from '../create-subscriptions';
import { type Subscriptions, subscriptionsToken } from '../subscriptions';
import { invalidValue } from './problems';
import { BundledSubscriptionsRequest, CreateQuery, SubscriptionRequest } from './requests';

@Controller('1.0/kb/subscriptions')
export class CreateSubscriptionEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Post()
  @HttpCode(201)
  async createSubscription(
    @Body() body: SubscriptionRequest,
    @Query() query: CreateQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { subscriptionIds } = await this.create([[body]], query, requestContextOf(request)).then(first);
    void reply.header('Location', locationOf(request, `/1.0/kb/subscriptions/${subscriptionIds.join()}`));
  }

  /** One bundle: a base with its add-ons. The second path is Kill Bill's name for it before 0.19.16. */
  @Post(['createSubscriptionWithAddOns', 'createEntitlementWithAddOns'])
  @HttpCode(201)
  async createWithAddOns(
    @Body(listOf(SubscriptionRequest)) body: SubscriptionRequest[],
    @Query() query: CreateQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { bundleId } = await this.create([body], query, requestContextOf(request)).then(first);
    void reply.header('Location', locationOf(request, `/1.0/kb/bundles/${bundleId}`));
  }

  /** Several bundles of one account, created as one change. */
  @Post(['createSubscriptionsWithAddOns', 'createEntitlementsWithAddOns'])
  @HttpCode(201)
  async createBundles(
    @Body(listOf(BundledSubscriptionsRequest)) body: BundledSubscriptionsRequest[],
    @Query() query: CreateQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const groups = body.map(({ baseEntitlementAndAddOns }) => baseEntitlementAndAddOns);
    const created = await this.create(groups, query, requestContextOf(request));
    const filter = created.map(({ bundleId }) => bundleId).join();
    void reply.header(
      'Location',
      locationOf(request, `/1.0/kb/accounts/${first(created).accountId}/bundles?bundlesFilter=${filter}`),
    );
  }

  private create(
    groups: readonly (readonly SubscriptionRequest[])[],
    query: CreateQuery,
    context: RequestContext,
  ): Promise<readonly Created[]> {
    return createSubscriptions(
      this.subscriptions,
      context,
      groups.map((requests, index) => ({ requests, query, step: String(index) })),
    );
  }
}

const first = (created: readonly Created[]): Created => {
  const [one] = created;
  if (one === undefined) throw invalidValue('there is no subscription to create');
  return one;
};
