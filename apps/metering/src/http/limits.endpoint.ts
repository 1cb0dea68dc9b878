import { RequestCtx, type RequestContext, commandContext, unwrap } from '@billstream/http';
import {
  type Decimal,
  type Instant,
  decimal,
  derivedId,
  epochMs,
  parseDecimal,
  parseInstant,
  toNumber,
} from '@billstream/kernel';
import {
  type LimitVerdict,
  anonymousUser,
  chooseRule,
  heldAt,
  usageLimitStream,
  verdict,
} from '@billstream/metering-domain';
import {
  type LimitCheck,
  type LimitQuestion,
  type UnitView,
  stateUnder,
  unitInForce,
} from '@billstream/metering-read-models';
import { Body, Controller, Get, Inject, Param, Put, Query, Req } from '@nestjs/common';
import { IsIn, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';
import type { FastifyRequest } from 'fastify';
import { type Metering, meteringToken } from '../metering';
import { invalidField, preferredWait, unknownUnit } from './problems';

class LimitQuery {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly user!: string;
}

class ResetQuery extends LimitQuery {
  @IsString() @IsNotEmpty() readonly amount!: string;
}

class OverrideRequest {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly user!: string;
  @IsIn(['LIMITED', 'RELEASED', 'AUTOMATIC']) readonly state!: 'LIMITED' | 'RELEASED' | 'AUTOMATIC';
  @IsOptional() @IsString() readonly until?: string | null;
  @IsOptional() @IsString() @MaxLength(1024) readonly reason?: string | null;
}

/** The original's limiter, with `remaining` floored at -1 and `reset` in milliseconds to the end of the window; null: no limit, no window. */
type LimiterJson = {
  readonly unit: string;
  readonly user: string;
  readonly current: number;
  readonly remaining: number | null;
  readonly reset: number | null;
  readonly limit: number | null;
  readonly limited: boolean;
  readonly exhausted: boolean;
  /** Records that were billed and limited nothing, because of their time. */
  readonly outsideWindow: number;
};

@Controller()
export class LimitsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  /**
   * What this process took before is in the answer. `Prefer: wait=0` does not wait for that to be counted, and `wait=1`
   * at most one second.
   */
  @Get('meter/limit/check/:unit')
  async check(
    @Param('unit') name: string,
    @Query() { user }: LimitQuery,
    @RequestCtx() { tenantId }: RequestContext,
    @Req() request: FastifyRequest,
  ): Promise<LimiterJson> {
    const seconds = preferredWait(request);
    await this.metering.usageVisible(tenantId, user, seconds === null ? undefined : seconds * 1_000);
    return this.limiter(tenantId, user, name);
  }

  /** Sets the running counter of a SUM unit; a gauge has none and stays as it is. */
  @Put('meter/limit/reset/:unit')
  async reset(
    @Param('unit') name: string,
    @Query() { user, amount: text }: ResetQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<LimiterJson> {
    const unit = await this.existing(context.tenantId, name);
    const amount = amountOf(text);
    return this.act(context, user, unit, { type: 'CounterSet', data: { unit: name, user, amount } });
  }

  /** A state set by hand until an instant, or until it is made AUTOMATIC again. */
  @Put('v1/usage/limits/:unit')
  async override(
    @Param('unit') name: string,
    @Body() body: OverrideRequest,
    @RequestCtx() context: RequestContext,
  ): Promise<LimiterJson> {
    const unit = await this.existing(context.tenantId, name);
    const { user, state, until, reason } = body;
    const override =
      state === 'AUTOMATIC' ? null : { state, until: untilOf(until), reason: reason ?? context.actor.reason ?? '' };
    return this.act(context, user, unit, { type: 'OverrideSet', data: { unit: name, user, override } });
  }

  private async act(
    context: RequestContext,
    user: string,
    unit: UnitView,
    command: Parameters<Metering['limit']>[1],
  ): Promise<LimiterJson> {
    const { runtime, limit } = this.metering;
    const stream = usageLimitStream(derivedId('limits', context.tenantId, user));
    const done = unwrap(await limit(stream, command, commandContext(context, runtime.clock)), () =>
      unknownUnit(unit.name),
    );
    await runtime.visible(done.position);
    return this.limiter(context.tenantId, user, unit.name);
  }

  private async limiter(tenantId: string, user: string, name: string): Promise<LimiterJson> {
    const now = this.metering.runtime.clock.now(tenantId);
    const check = await this.checked({ tenantId, user, unit: name, at: now });
    const { rule, subscriptionId } = chooseRule(check.unit.rules, heldAt(check.intervals, now));
    const limit = user === anonymousUser ? null : (rule?.limitAmount ?? null);
    const state = stateUnder(check, subscriptionId);
    return { ...limiterJson({ unit: name, user, now }, verdict(state, now, limit)), outsideWindow: state.passedOver };
  }

  /** A unit that is not there yet may be on its way into the read model. */
  private async checked(asked: LimitQuestion): Promise<LimitCheck> {
    const { runtime, limitChecks } = this.metering;
    const seen = await limitChecks.check(asked);
    if (seen !== null) return seen;
    await runtime.caughtUp();
    const found = await limitChecks.check(asked);
    if (found === null) throw unknownUnit(asked.unit);
    return found;
  }

  private async existing(tenantId: string, name: string): Promise<UnitView> {
    const { runtime } = this.metering;
    const now = runtime.clock.now(tenantId);
    const seen = await unitInForce(runtime.database, tenantId, name, now);
    if (seen !== null) return seen;
    await runtime.caughtUp();
    const found = await unitInForce(runtime.database, tenantId, name, now);
    if (found === null) throw unknownUnit(name);
    return found;
  }
}

type About = { readonly unit: string; readonly user: string; readonly now: Instant };

const numberOf = (amount: Decimal | null): number | null => (amount === null ? null : toNumber(amount));

const limiterJson = (
  { unit, user, now }: About,
  { current, remaining, limit, limited, exhausted, resetAt }: LimitVerdict,
): Omit<LimiterJson, 'outsideWindow'> => ({
  unit,
  user,
  current: toNumber(current),
  remaining: numberOf(remaining),
  reset: resetAt === null ? null : epochMs(resetAt) - epochMs(now),
  limit: numberOf(limit),
  limited,
  exhausted,
});

const amountOf = (text: string): Decimal => {
  const amount = parseDecimal(text);
  if (amount === null || amount.startsWith('-'))
    throw invalidField('query:amount', 'is a decimal number that is not negative');
  return decimal(amount);
};

const untilOf = (text: string | null | undefined): Instant | null => {
  if (text === undefined || text === null) return null;
  const until = parseInstant(text);
  if (until === null) throw invalidField('/until', 'is an ISO 8601 instant');
  return until;
};
