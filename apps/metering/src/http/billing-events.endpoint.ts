import { ProblemException, RequestCtx, type RequestContext, commandContext, headerOf } from '@billstream/http';
import { derivedId, newId } from '@billstream/kernel';
import { billingFeedPrefixes, billingNewsStream, billingNoticeOf } from '@billstream/metering-domain';
import { Body, Controller, Get, HttpCode, Inject, type OnModuleDestroy, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Metering, meteringToken } from '../metering';
import { eventFeed } from './event-feed';

class NoticeRequest {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly eventType!: string;
  @IsOptional() @IsString() @MaxLength(255) readonly accountId?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly objectType?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly objectId?: string | null;
  @IsOptional() @IsString() @MaxLength(10_000) readonly metaData?: string | null;
}

/** Billing events in, by Kill Bill's push notifications, and out to browsers as server-sent events. */
@Controller('meter/billing')
export class BillingEventsEndpoint implements OnModuleDestroy {
  private readonly feed: ReturnType<typeof eventFeed>;

  constructor(@Inject(meteringToken) private readonly metering: Metering) {
    this.feed = eventFeed({ store: metering.runtime.store, prefixes: billingFeedPrefixes });
  }

  onModuleDestroy(): void {
    this.feed.end();
  }

  /** A notice with the same X-Notification-Id (or Idempotency-Key) is one notice, however often it is pushed. */
  @Post('event')
  @HttpCode(200)
  async hear(
    @Body() body: NoticeRequest,
    @RequestCtx() context: RequestContext,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    const { eventType, accountId = null, objectType = null, objectId = null, metaData = null } = body;
    const given = headerOf(request, 'x-notification-id') ?? headerOf(request, 'idempotency-key');
    const noticeId = given === undefined ? newId() : derivedId('billing-notice', context.tenantId, given);
    const notice = { eventType, accountId, objectType, objectId, metaData };
    const { runtime, billingNews } = this.metering;
    const command = { ...commandContext(context, runtime.clock), commandId: noticeId };
    const heard = await billingNews(billingNewsStream(noticeId), notice, command);
    if (heard.outcome === 'command-id-reused')
      throw new ProblemException({
        status: 422,
        code: 'notice-id-reused',
        detail: 'Another notice was pushed under this id',
      });
  }

  /** The tenant's billing events from now on, or from where a client's Last-Event-ID says that it broke off. */
  @Get('emitter')
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  emitter(
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.feed.listen({
      tenantId,
      request,
      reply,
      newsOf: (recorded) => {
        const notice = billingNoticeOf(recorded);
        return notice === null ? null : { event: 'billing', data: notice };
      },
    });
  }
}
