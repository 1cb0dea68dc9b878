import { type RequestContext, RequestCtx, unwrap } from '@billstream/http';
import { type Instant, derivedId, instantOf, localDateOf, parseLocalDate } from '@billstream/kernel';
import { type Bundle, type BundleCommand, bundleStream } from '@billstream/subscriptions-domain';
import { Body, Controller, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { IsIn, IsInt, IsOptional, IsString, Max, Min } from 'class-validator';
import { type Subscriptions, stepOf, subscriptionsToken } from '../subscriptions';
import { findSubscription } from './find-bundle';
import { bundleProblem, invalidValue } from './problems';

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

type About = { readonly subscriptionId: string; readonly bundle: Bundle; readonly now: Instant };

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
        effectiveAt: effectiveFrom(query, about, forced),
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
        effectiveAt: effectiveFrom(query, about, forced),
      },
    }));
  }

  private async issue(id: string, context: RequestContext, commandOf: (about: About) => BundleCommand): Promise<void> {
    const { subscriptions } = this;
    const { bundle, subscription } = await findSubscription(subscriptions, context.tenantId, id);
    const step = stepOf(context, subscriptions, 'adjust');
    const command = commandOf({ subscriptionId: subscription.subscriptionId, bundle, now: step.at });
    const done = unwrap(await subscriptions.bundle(bundleStream(bundle.bundleId), command, step), bundleProblem);
    await subscriptions.runtime.visible(done.position);
  }
}

/** Today is now; another day is that day at the account's reference time, in the past only when forced. */
const effectiveFrom = ({ effectiveFromDate }: EffectiveQuery, { bundle, now }: About, forced: boolean): Instant => {
  if (effectiveFromDate === undefined || effectiveFromDate === '') return now;
  const day = parseLocalDate(effectiveFromDate);
  if (day === null) throw invalidValue(`effectiveFromDate: ${effectiveFromDate} is not a date`);
  const today = localDateOf(now, bundle.time);
  if (day < today && !forced) throw invalidValue(`effectiveFromDate: ${day} is in the past`);
  return instantOf(day, bundle.time);
};
