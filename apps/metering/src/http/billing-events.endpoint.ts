import {
  ProblemException,
  RequestCtx,
  type RequestContext,
  type ServerSentEvent,
  commandContext,
  headerOf,
  sendEventStream,
} from '@billstream/http';
import { derivedId, newId } from '@billstream/kernel';
import { billingFeedPrefixes, billingNewsStream, billingNoticeOf } from '@billstream/metering-domain';
import { Body, Controller, Get, HttpCode, Inject, type OnModuleDestroy, Post, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Metering, meteringToken } from '../metering';
import { invalidField } from './problems';

class NoticeRequest {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly eventType!: string;
  @IsOptional() @IsString() @MaxLength(255) readonly accountId?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly objectType?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly objectId?: string | null;
  @IsOptional() @IsString() @MaxLength(10_000) readonly metaData?: string | null;
}

const listenersMax = 200;

/** Billing events in, by Kill Bill's push notifications, and out to browsers as server-sent events. */
@Controller('meter/billing')
export class BillingEventsEndpoint implements OnModuleDestroy {
  private readonly ending = new AbortController();
  private listeners = 0;

  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  onModuleDestroy(): void {
    this.ending.abort();
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
  async emitter(
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { store } = this.metering.runtime;
    const after = lastEventId(request) ?? (await store.head());
    if (this.listeners >= listenersMax)
      throw new ProblemException({ status: 503, code: 'too-many-listeners', detail: 'Too many listen already' });
    this.listeners += 1;
    const source = (signal: AbortSignal) => this.notices(tenantId, after, signal);
    await sendEventStream(reply, source, { signal: this.ending.signal }).finally(() => {
      this.listeners -= 1;
    });
  }

  private async *notices(
    tenantId: string,
    after: bigint,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServerSentEvent[]> {
    const options = { after: after < 0n ? null : after, prefixes: billingFeedPrefixes, signal };
    for await (const { events } of this.metering.runtime.store.subscribe(options))
      yield events
        .filter(({ metadata }) => metadata.tenantId === tenantId)
        .flatMap((recorded) => {
          const notice = billingNoticeOf(recorded);
          return notice === null ? [] : [{ id: String(recorded.position), event: 'billing', data: notice }];
        });
  }
}

const lastEventId = (request: FastifyRequest): bigint | null => {
  const text = headerOf(request, 'last-event-id');
  if (text === undefined || text === '') return null;
  if (!/^\d{1,19}$/.test(text)) throw invalidField('header:Last-Event-ID', 'is the id of an event of this stream');
  return BigInt(text);
};
