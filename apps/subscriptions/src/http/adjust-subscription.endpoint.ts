import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { type Instant, type LocalDate, derivedId, instantOf, localDateOf, parseLocalDate } from '@billstream/kernel';
import {
  type Bundle,
  type BundleCommand,
  type SubscriberAccount,
  bundleStream,
} from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { type Subscriptions, stepOf, subscriberOf, subscriptionsToken } from '../subscriptions';
import { findSubscription } from './find-bundle';
import { bundleProblem, invalidValue, unknownAccount } from './problems';

class BillCycleDayRequest {
  @IsInt() @Min(1) @Max(31) readonly billCycleDayLocal!: number;
}
class QuantityRequest {
  @IsInt() @Min(1) @Max(1_000_000_000) readonly quantity!: number;
}
class EffectiveQuery {
  @IsOptional() @IsString() readonly effectiveFromDate?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly forceNewBcdWithPastEffectiveDate?: string;
  @IsOptional() @IsIn(['true', 'false']) readonly forceNewQuantityWithPastEffectiveDate?: string;
}

type About = {
  readonly subscriptionId: string;
  readonly bundle: Bundle;
  readonly account: SubscriberAccount;
  readonly now: Instant;
};

/** Takes back what is pending, and sets what a subscription has beside its plan: bill cycle day and quantity. */
@Controller('1.0/kb/subscriptions/:subscriptionId')
export class AdjustSubscriptionEndpoint {
  constructor(@Inject(subscriptionsToken) private readonly subscriptions: Subscriptions) {}

  @Put('uncancel')
  @HttpCode(204)
  async uncancel(@Param('subscriptionId') id: string, @RequestCtx() context: RequestContext): Promise<void> {
    await this.issue(id, context, ({ subscriptionId, now }) => ({
      type: 'UndoCancellation',
      data: { subscriptionId, now },
    }));
  }

  @Put('undoChangePlan')
  @HttpCode(204)
  async undoChangePlan(@Param('subscriptionId') id: string, @RequestCtx() context: RequestContext): Promise<void> {
    await this.issue(id, context, ({ subscriptionId, now }) => ({
      type: 'UndoPlanChange',
      data: { subscriptionId, now },
    }));
  }

  @Put('bcd')
  @HttpCode(204)
  async changeBillCycleDay(
    @Param('subscriptionId') id: string,
    @Body() { billCycleDayLocal }: BillCycleDayRequest,
    @Query() query: EffectiveQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const forced = query.forceNewBcdWithPastEffectiveDate === 'true';
    await this.issue(id, context, (about) => ({
      type: 'ChangeBillCycleDay',
      data: {
        subscriptionId: about.subscriptionId,
        now: about.now,
        changeId: derivedId(context.commandId, 'bcd'),
        billCycleDayLocal,
        from: dayFrom(query, about, forced),
      },
    }));
  }

  @Put('quantity')
  @HttpCode(204)
  async changeQuantity(
    @Param('subscriptionId') id: string,
    @Body() { quantity }: QuantityRequest,
    @Query() query: EffectiveQuery,
    @RequestCtx() context: RequestContext,
  ): Promise<void> {
    const forced = query.forceNewQuantityWithPastEffectiveDate === 'true';
    await this.issue(id, context, (about) => ({
      type: 'ChangeQuantity',
      data: {
        subscriptionId: about.subscriptionId,
        now: about.now,
        changeId: derivedId(context.commandId, 'quantity'),
        quantity,
        account: about.account,
        effectiveAt: effectiveFrom(query, about, forced),
      },
    }));
  }

  private async issue(id: string, context: RequestContext, commandOf: (about: About) => BundleCommand): Promise<void> {
    const { subscriptions } = this;
    const { bundle, subscription } = await findSubscription(subscriptions, context.tenantId, id);
    const facts = await subscriptions.accountOf(context.tenantId, bundle.accountId);
    if (facts === null) throw unknownAccount(bundle.accountId);
    const step = stepOf(context, subscriptions, 'adjust');
    const account = { ...subscriberOf(facts), time: bundle.time };
    const command = commandOf({ subscriptionId: subscription.subscriptionId, bundle, account, now: step.at });
    const done = unwrap(await subscriptions.bundle(bundleStream(bundle.bundleId), command, step), bundleProblem);
    await subscriptions.runtime.visible(done.position);
  }
}

/** Null without a date; in the past only when forced. */
const dayFrom = ({ effectiveFromDate }: EffectiveQuery, { bundle, now }: About, forced: boolean): LocalDate | null => {
  if (effectiveFromDate === undefined || effectiveFromDate === '') return null;
  const day = parseLocalDate(effectiveFromDate);
  if (day === null) throw invalidValue(`effectiveFromDate: ${effectiveFromDate} is not a date`);
  const today = localDateOf(now, bundle.time);
  if (day < today && !forced) throw invalidValue(`effectiveFromDate: ${day} is in the past`);
  return day;
};

/** Today is now; another day is that day at the account's reference time. */
const effectiveFrom = (query: EffectiveQuery, about: About, forced: boolean): Instant => {
  const day = dayFrom(query, about, forced);
  return day === null ? about.now : instantOf(day, about.bundle.time);
};
