import { RequestCtx, type RequestContext } from '@billstream/http';
import { limitNewsPrefix, limitTransitionOf } from '@billstream/metering-domain';
import { Controller, Get, Inject, type OnModuleDestroy, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces } from '@nestjs/swagger';
import { IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Metering, meteringToken } from '../metering';
import { eventFeed } from './event-feed';

class ListenQuery {
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(255) readonly user?: string;
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(255) readonly unit?: string;
}

/** Who is limited from now on, and who is no longer: each change once, in the order of the log. */
@Controller('v1/limits/events')
export class LimitEventsEndpoint implements OnModuleDestroy {
  private readonly feed: ReturnType<typeof eventFeed>;

  constructor(@Inject(meteringToken) { runtime }: Metering) {
    this.feed = eventFeed({ store: runtime.store, prefixes: [limitNewsPrefix] });
  }

  onModuleDestroy(): void {
    this.feed.end();
  }

  /** Of all users and units, of one of them or of both. */
  @Get()
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  listenToLimits(
    @Query() { user, unit }: ListenQuery,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.feed.listen({
      tenantId,
      request,
      reply,
      newsOf: (recorded) => {
        const data = limitTransitionOf(recorded);
        if (data === null || (user ?? data.user) !== data.user || (unit ?? data.unit) !== data.unit) return null;
        return { event: data.to === 'LIMITED' ? 'limit-reached' : 'limit-released', data };
      },
    });
  }
}
