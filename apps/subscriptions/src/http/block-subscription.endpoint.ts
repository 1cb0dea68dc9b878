import { type RequestContext, RequestCtx, locationOf, requestContextOf, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { type BlockingState, type Bundle, bundleStream } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Post, Put, Query, Res } from '@nestjs/common';
import { IsBoolean, IsOptional, IsString, Length } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { findBundle, findSubscription } from './find-bundle';
import { bundleProblem, invalidValue } from './problems';
import { whenFrom } from './requests';

/** Before Kill Bill 0.19.16 the flags had no `is` in front; both are taken. */
class BlockingStateRequest {
  @IsString() @Length(1, 50) readonly stateName!: string;
  @IsString() @Length(1, 20) readonly service!: string;
  @IsOptional() @IsBoolean() readonly isBlockChange?: boolean | null;
  @IsOptional() @IsBoolean() readonly isBlockEntitlement?: boolean | null;
  @IsOptional() @IsBoolean() readonly isBlockBilling?: boolean | null;
  @IsOptional() @IsBoolean() readonly blockChange?: boolean | null;
  @IsOptional() @IsBoolean() readonly blockEntitlement?: boolean | null;
  @IsOptional() @IsBoolean() readonly blockBilling?: boolean | null;
}
class RequestedDateQuery {
  @IsOptional() @IsString() readonly requestedDate?: string;
}

type Flags = Pick<BlockingState, 'service' | 'stateName' | 'blockChange' | 'blockEntitlement' | 'blockBilling'>;
type Target = { readonly bundle: Bundle; readonly type: BlockingState['type']; readonly blockedId: string };

const entitlement = 'entitlement-service';
const reserved = ['ENT_STARTED', 'ENT_BLOCKED', 'ENT_CLEAR', 'ENT_CANCELLED'];
const blocked = (blocks: boolean): Flags => ({
  service: entitlement,
  stateName: blocks ? 'ENT_BLOCKED' : 'ENT_CLEAR',
  blockChange: blocks,
  blockEntitlement: blocks,
  blockBilling: blocks,
});

const flagsOf = (body: BlockingStateRequest): Flags => {
  if (body.service === entitlement) throw invalidValue(`service: ${entitlement} is reserved`);
  if (reserved.includes(body.stateName)) throw invalidValue(`stateName: ${body.stateName} is reserved`);
  return {
    service: body.service,
    stateName: body.stateName,
    blockChange: body.isBlockChange ?? body.blockChange ?? false,
    blockEntitlement: body.isBlockEntitlement ?? body.blockEntitlement ?? false,
    blockBilling: body.isBlockBilling ?? body.blockBilling ?? false,
  };
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
    await this.set(await this.bundle(id, context), blocked(true), query, context);
  }

  @Put('bundles/:bundleId/resume')
  @HttpCode(204)
  async resume(
    @Param('bundleId') id: string,
    @Query() query: RequestedDateQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    await this.set(await this.bundle(id, context), blocked(false), query, context);
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
