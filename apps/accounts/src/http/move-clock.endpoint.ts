import { tenantStream } from '@billstream/accounts-domain';
import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { tenantClockOf } from '@billstream/accounts-read-models';
import type { Instant } from '@billstream/kernel';
import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { IsISO8601, IsInt, IsOptional, Max, Min } from 'class-validator';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { tenantProblem } from './problems';
import { IsId } from './validators';

/** Some three thousand years either way. */
const distanceMax = 1e14;

class ClockRequest {
  @IsId() readonly tenantId!: string;
  /** Milliseconds from wall time to the tenant's business time. */
  @IsInt() @Min(-distanceMax) @Max(distanceMax) readonly distanceMs!: number;
  /** Both or neither: due work after the one and up to the other waits. */
  @IsOptional() @IsISO8601() readonly heldAfter?: Instant;
  @IsOptional() @IsISO8601() readonly heldUntil?: Instant;
}

class ClockQuery {
  @IsId() readonly tenantId!: string;
}

/** Internal: the gateway's test-clock conductor moves a tenant's business time. */
@Controller('internal/clock')
export class MoveClockEndpoint {
  constructor(@Inject(accountsToken) private readonly accounts: Accounts) {}

  @Post()
  @HttpCode(200)
  async moveClock(@Body() request: ClockRequest, @RequestCtx() context: RequestContext) {
    const { tenantId, distanceMs, heldAfter: after, heldUntil: until } = request;
    const held = after === undefined || until === undefined ? {} : { heldBack: { after, until } };
    const command = { type: 'MoveClock' as const, data: { distanceMs, ...held } };
    const step = { ...stepOf(context, this.accounts, 'clock'), tenantId };
    const moved = unwrap(await this.accounts.tenant(tenantStream(tenantId), command, step), tenantProblem(tenantId));
    await this.accounts.runtime.visible(moved.position);
    return { position: moved.position === null ? null : String(moved.position) };
  }

  @Get()
  async position(@Query() { tenantId }: ClockQuery) {
    await this.accounts.runtime.caughtUp();
    return tenantClockOf(this.accounts.runtime.database, tenantId);
  }
}
