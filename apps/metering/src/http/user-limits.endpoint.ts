import { RequestCtx, type RequestContext } from '@billstream/http';
import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { type Metering, meteringToken } from '../metering';
import { type UnitStanding, type UserStanding, userStanding } from '../user-limits';
import { invalidField } from './problems';

/** A page of units by name: those after `next` of the page before. */
class UnitsQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(1_000) readonly limit: number = 100;
  @IsOptional() @IsString() @MaxLength(255) readonly after?: string;
}

const userLengthMax = 255;

/** What a user may use, and how much of it is left. Amounts are exact decimals, as text. */
@Controller('v1/users/:user')
export class UserLimitsEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  /** State of each limit, with its counters by subscription; units that nothing limits are left out. */
  @Get('limits')
  async limits(
    @Param('user') user: string,
    @Query() query: UnitsQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    const standing = await this.standing(tenantId, user, query);
    return {
      ...answerOf(user, standing, query),
      limits: standing.units.filter(isLimit).map(limitJson),
    };
  }

  /** Every unit, whether the user may use it now, and by which of the plans held. */
  @Get('entitlements')
  async entitlements(
    @Param('user') user: string,
    @Query() query: UnitsQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ): Promise<object> {
    const standing = await this.standing(tenantId, user, query);
    return {
      ...answerOf(user, standing, query),
      plans: standing.held.map(({ subscriptionId, planName, category }) => ({ subscriptionId, planName, category })),
      entitlements: standing.units.map(entitlementJson),
    };
  }

  private async standing(tenantId: string, user: string, query: UnitsQuery): Promise<UserStanding> {
    if (user.length > userLengthMax) throw invalidField('path:user', `is longer than ${userLengthMax} characters`);
    await this.metering.usageVisible(tenantId, user);
    const { limit, after = null } = query;
    return userStanding(this.metering.runtime, { tenantId, user, after, limit });
  }
}

const answerOf = (user: string, { at, freshness, units }: UserStanding, { limit }: UnitsQuery) => ({
  user,
  at,
  freshness,
  next: units.length < limit ? null : (units.at(-1)?.unit ?? null),
});

const isLimit = ({ verdict, override }: UnitStanding): boolean => verdict.limit !== null || override !== null;

const limitJson = (standing: UnitStanding) => {
  const { unit, method, ruleVersion, rule, subscriptionId, verdict, override, changedAt, counters } = standing;
  const { current, limit, remaining, limited, exhausted, resetAt } = verdict;
  return {
    ...{ unit, countingMethod: method, ruleVersion, subscriptionId },
    state: limited ? 'LIMITED' : 'RELEASED',
    ...{ exhausted, current, limit, remaining, resetAt },
    refreshInterval: rule?.limitRefreshInterval ?? null,
    override,
    changedAt,
    counters: counters.map(({ subscriptionId: id, state }) => ({
      subscriptionId: id,
      current: state.current,
      windowFrom: state.windowFrom,
      windowTo: state.windowTo,
      outsideWindow: state.passedOver,
    })),
  };
};

const entitlementJson = ({ unit, rule, ruleVersion, subscriptionId, verdict, override }: UnitStanding) => ({
  unit,
  entitled: !verdict.limited,
  subscriptionId,
  basePlan: rule?.basePlan ?? null,
  addonPlan: rule?.addonPlan ?? null,
  ruleVersion,
  used: verdict.current,
  limit: verdict.limit,
  remaining: verdict.remaining,
  resetAt: verdict.resetAt,
  setByHand: override !== null,
});
