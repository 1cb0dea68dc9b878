import { tenantStream } from '@billstream/accounts-domain';
import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { clockDistanceOf } from '@billstream/accounts-read-models';
import { Body, Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { IsInt, Max, Min } from 'class-validator';
import { type Accounts, accountsToken, stepOf } from '../accounts';
import { tenantProblem } from './problems';
import { IsId } from './validators';

/** Some three thousand years either way. */
const distanceMax = 1e14;

class ClockRequest {
  @IsId() readonly tenantId!: string;
  /** Milliseconds from wall time to the tenant's business time. */
  @IsInt() @Min(-distanceMax) @Max(distanceMax) readonly distanceMs!: number;
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
  async moveClock(@Body() { tenantId, distanceMs }: ClockRequest, @RequestCtx() context: RequestContext) {
    const command = { type: 'MoveClock' as const, data: { distanceMs } };
    const step = { ...stepOf(context, this.accounts, 'clock'), tenantId };
    const moved = unwrap(await this.accounts.tenant(tenantStream(tenantId), command, step), tenantProblem(tenantId));
    await this.accounts.runtime.visible(moved.position);
    return { position: moved.position === null ? null : String(moved.position) };
  }

  @Get()
  async distance(@Query() { tenantId }: ClockQuery) {
    await this.accounts.runtime.caughtUp();
    return { distanceMs: await clockDistanceOf(this.accounts.runtime.database, tenantId) };
  }
}
