import { RequestCtx, type RequestContext, commandContext, killBillProblem, unwrap } from '@billstream/http';
import {
  type Decimal,
  type Instant,
  derivedId,
  epochMs,
  parseDecimal,
  parseInstant,
  parseLocalDate,
  parseUuid,
  startOfDay,
  toNumber,
} from '@billstream/kernel';
import { type ReportedUsage, subscriptionUsageStream } from '@billstream/metering-domain';
import { type SubscriptionView, reportedUsage, subscriptionById } from '@billstream/metering-read-models';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsNotEmpty,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Metering, meteringToken } from '../metering';

class UsageRecordRequest {
  @IsString() readonly recordDate!: string;
  @IsNotEmpty() readonly amount!: number | string;
}

class UnitUsageRequest {
  @IsString() @IsNotEmpty() @MaxLength(255) readonly unitType!: string;
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(10_000)
  @ValidateNested({ each: true })
  @Type(() => UsageRecordRequest)
  readonly usageRecords!: UsageRecordRequest[];
}

class SubscriptionUsageRequest {
  @IsString() readonly subscriptionId!: string;
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(128) readonly trackingId?: string | null;
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(1_000)
  @ValidateNested({ each: true })
  @Type(() => UnitUsageRequest)
  readonly unitUsageRecords!: UnitUsageRequest[];
}

class RangeQuery {
  @IsOptional() @IsString() readonly startDate?: string;
  @IsOptional() @IsString() readonly endDate?: string;
}

const recordsMax = 10_000;

/** Usage that was counted elsewhere and is reported for a subscription (Kill Bill 1.17 and 3.2). */
@Controller('1.0/kb/usages')
export class SubscriptionUsagesEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  /** 201 without a body and without a Location, as Kill Bill answers. */
  @Post()
  @HttpCode(201)
  async recordUsage(@Body() body: SubscriptionUsageRequest, @RequestCtx() context: RequestContext): Promise<void> {
    const { runtime, reported } = this.metering;
    const subscriptionId = parseUuid(body.subscriptionId);
    const subscription = subscriptionId === null ? null : await this.subscription(context.tenantId, subscriptionId);
    if (subscriptionId === null || subscription === null) throw unknownSubscription(body.subscriptionId);
    const records = recordsOf(body, subscription);
    if (records.length > recordsMax) throw invalid(`unitUsageRecords: at most ${recordsMax} records at once`);
    const trackingId = body.trackingId ?? derivedId('tracking-id', context.commandId);
    const handled = await reported(
      subscriptionUsageStream(subscriptionId),
      { subscriptionId, trackingId, records },
      commandContext(context, runtime.clock),
    );
    await runtime.visible(unwrap(handled, (refusal) => trackingIdUsed(refusal.trackingId)).position);
  }

  @Get(':subscriptionId')
  all(@Param('subscriptionId') id: string, @Query() query: RangeQuery, @RequestCtx() { tenantId }: RequestContext) {
    return this.rolledUp(tenantId, { id, unit: null }, query);
  }

  @Get(':subscriptionId/:unitType')
  one(
    @Param('subscriptionId') id: string,
    @Param('unitType') unit: string,
    @Query() query: RangeQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    return this.rolledUp(tenantId, { id, unit }, query);
  }

  /** Always the sum, also of units that are priced by their level (Kill Bill 3.2). */
  private async rolledUp(
    tenantId: string,
    { id, unit }: { readonly id: string; readonly unit: string | null },
    query: RangeQuery,
  ) {
    const subscriptionId = parseUuid(id);
    const subscription = subscriptionId === null ? null : await this.subscription(tenantId, subscriptionId);
    if (subscriptionId === null || subscription === null) throw unknownSubscription(id);
    const fromAt = dateOf(query.startDate, subscription.timeZone);
    const toAt = dateOf(query.endDate, subscription.timeZone);
    if (fromAt === null || toAt === null) throw invalid('startDate and endDate are dates');
    const totals = await reportedUsage(
      this.metering.runtime.database,
      { tenantId, subscriptionId, unit },
      { fromAt, toAt },
    );
    return {
      subscriptionId,
      startDate: query.startDate,
      endDate: query.endDate,
      rolledUpUnits: totals.map(({ unit: unitType, sum }) => ({ unitType, amount: toNumber(sum) })),
    };
  }

  /** A subscription is heard of over the bus: one that was just created is waited for. */
  private async subscription(tenantId: string, subscriptionId: string): Promise<SubscriptionView | null> {
    const { database } = this.metering.runtime;
    const end = performance.now() + heardWithinMs;
    for (;;) {
      const found = await subscriptionById(database, tenantId, subscriptionId);
      if (found !== null || performance.now() > end) return found;
      await sleep(pollMs);
    }
  }
}

const heardWithinMs = 1_000;
const pollMs = 25;

const invalid = (detail: string) => killBillProblem(400, null, 'IllegalArgumentException', detail);
const trackingIdUsed = (trackingId: string) =>
  killBillProblem(400, 50000, 'UsageApiException', `Usage record already exists for tracking id ${trackingId}`);
const unknownSubscription = (id: string) =>
  killBillProblem(404, 4500, 'EntitlementApiException', `Subscription does not exist for id ${id}`);

const recordsOf = (
  { unitUsageRecords }: SubscriptionUsageRequest,
  subscription: SubscriptionView,
): readonly ReportedUsage[] =>
  unitUsageRecords.flatMap(({ unitType: unit, usageRecords }) =>
    usageRecords.map(({ recordDate, amount }) => ({
      unit,
      atMs: recordedMs(recordDate, subscription),
      amount: amountOf(amount),
    })),
  );

const amountOf = (value: number | string): Decimal => {
  const amount = parseDecimal(value);
  if (amount === null || !/^-?\d{1,18}(\.\d{1,9})?$/.test(amount))
    throw invalid('amount is a decimal number with at most nine digits behind the point');
  return amount;
};

const noonMs = 12 * 3_600_000;

/** A day without a time is taken at noon, so that it stays that day in whatever offset the account is billed. */
const recordedMs = (text: string, { timeZone, intervals }: SubscriptionView): number => {
  const ms = dayOrInstantMs(text, timeZone);
  if (ms === null) throw invalid(`recordDate: ${text} is neither a date nor an instant`);
  const last = intervals.at(-1)?.toAt;
  if (last != null && ms > epochMs(last)) throw invalid(`recordDate: the subscription ended at ${last}`);
  return ms;
};

const dayOrInstantMs = (text: string, timeZone: string): number | null => {
  const date = parseLocalDate(text);
  if (date !== null) return epochMs(startOfDay(date, timeZone)) + noonMs;
  const at = parseInstant(text);
  return at === null ? null : epochMs(at);
};

const dateOf = (text: string | undefined, timeZone: string): Instant | null => {
  const date = parseLocalDate(text ?? '');
  return date === null ? parseInstant(text ?? '') : startOfDay(date, timeZone);
};
