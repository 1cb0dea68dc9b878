import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { type BlockingState, type Bundle, bundleStream } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Post, Put, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { BlockingStateRequest, type Flags, RequestedDateQuery, flagsOf, paused } from './blocking-states';
import { findBundle, findSubscription } from './find-bundle';
import { bundleProblem } from './problems';
import { whenFrom } from './requests';

type Target = {
  readonly bundle: Bundle;
  readonly type: Exclude<BlockingState['type'], 'ACCOUNT'>;
  readonly blockedId: string;
};

@Controller('1.0/kb')
export class BlockSubscriptionEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Put('bundles/:bundleId/pause')
  @HttpCode(204)
  async pause(
    @Param('bundleId') id: string,
    @Query() query: RequestedDateQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.set(await this.bundle(id, context), paused(true), query, context);
  }

  @Put('bundles/:bundleId/resume')
  @HttpCode(204)
  async resume(
    @Param('bundleId') id: string,
    @Query() query: RequestedDateQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.set(await this.bundle(id, context), paused(false), query, context);
  }

  @Post('bundles/:bundleId/block')
  @HttpCode(201)
  async blockBundle(
    @Param('bundleId') id: string,
    @Body() body: BlockingStateRequest,
    @Query() query: RequestedDateQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const context = requestContextOf(reply.request);
    const target = await this.bundle(id, context);
    await this.set(target, flagsOf(body), query, context);
    void reply.header(
      'Location',
      locationOf(
        reply.request,
        `/1.0/kb/accounts/${target.bundle.accountId}/block?blockingStateTypes=SUBSCRIPTION_BUNDLE`,
      ),
    );
  }

  /** Kill Bill before 0.19.16. */
  @Put('bundles/:bundleId/block')
  @HttpCode(200)
  async putBundleBlock(
    @Param('bundleId') id: string,
    @Body() body: BlockingStateRequest,
    @Query() query: RequestedDateQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.set(await this.bundle(id, context), flagsOf(body), query, context);
  }

  @Post('subscriptions/:subscriptionId/block')
  @HttpCode(201)
  async blockSubscription(
    @Param('subscriptionId') id: string,
    @Body() body: BlockingStateRequest,
    @Query() query: RequestedDateQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const context = requestContextOf(reply.request);
    const target = await this.subscription(id, context);
    await this.set(target, flagsOf(body), query, context);
    void reply.header(
      'Location',
      locationOf(reply.request, `/1.0/kb/accounts/${target.bundle.accountId}/block?blockingStateTypes=SUBSCRIPTION`),
    );
  }

  /** Kill Bill before 0.19.16. */
  @Put('subscriptions/:subscriptionId/block')
  @HttpCode(200)
  async putSubscriptionBlock(
    @Param('subscriptionId') id: string,
    @Body() body: BlockingStateRequest,
    @Query() query: RequestedDateQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.set(await this.subscription(id, context), flagsOf(body), query, context);
  }

  private async bundle(id: string, { tenantId }: RequestContext): Promise<Target> {
    const bundle = await findBundle(this.subscriptions, tenantId, id);
    return { bundle, type: 'SUBSCRIPTION_BUNDLE', blockedId: bundle.bundleId };
  }

  private async subscription(id: string, { tenantId }: RequestContext): Promise<Target> {
    const { bundle, subscription } = await findSubscription(this.subscriptions, tenantId, id);
    return { bundle, type: 'SUBSCRIPTION', blockedId: subscription.subscriptionId };
  }

  private async set(
    { bundle, type, blockedId }: Target,
    flags: Flags,
    { requestedDate }: RequestedDateQuery,
    context: RequestContext,
  ): Promise<void> {
    const { subscriptions } = this;
    const step = stepOf(context, subscriptions, 'block');
    const effectiveAt = whenFrom('requestedDate', requestedDate, bundle.time) ?? step.at;
    const data = {
      now: step.at,
      state: { ...flags, blockingId: derivedId(context.commandId, 'blocking-state'), type, blockedId, effectiveAt },
    };
    const set = unwrap(
      await subscriptions.bundle(bundleStream(bundle.bundleId), { type: 'SetBlockingState', data }, step),
      bundleProblem,
    );
    await subscriptions.runtime.visible(set.position);
  }
}
