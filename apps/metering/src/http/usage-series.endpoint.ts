import { RequestCtx, type RequestContext } from '@billstream/http';
import {
  type Decimal,
  type Instant,
  type LocalDate,
  parseInstant,
  parseLocalDate,
  plusMs,
  startOfDay,
  sum,
  toNumber,
  zonedDateOf,
} from '@billstream/kernel';
import { type Counted, type Stretch, count, stretchesOf } from '@billstream/metering-domain';
import {
  type UnitView,
  type UserView,
  unitByName,
  unitVersions,
  unitsPage,
  unratedUsage,
  usageOfEveryone,
  usageQuarters,
  userByName,
  userOfAccount,
} from '@billstream/metering-read-models';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { IsIn, IsNotEmpty, IsOptional, IsString } from 'class-validator';
import { type Metering, meteringToken } from '../metering';
import { invalidField, unknownUnit } from './problems';

const divisions = ['15m', '1h', '1d'] as const;
type Division = (typeof divisions)[number];

class SeriesQuery {
  @IsOptional() @IsString() @IsNotEmpty() readonly unit?: string;
  @IsOptional() @IsString() @IsNotEmpty() readonly user?: string;
  @IsString() readonly start!: string;
  @IsString() readonly end!: string;
  @IsOptional() @IsIn(divisions) readonly division?: Division;
}

class ItemsQuery {
  @IsString() @IsNotEmpty() readonly accountId!: string;
  @IsString() readonly start!: string;
  @IsString() readonly end!: string;
}

type Span = { readonly fromAt: Instant; readonly toAt: Instant; readonly timeZone: string };
type CountedStretch = { readonly stretch: Stretch; readonly counted: Counted };

const unitsMax = 1_000;
const spanDaysMax = 400;

/** What was used: by a user, as each of the user's plans counts it, or by everyone. Half-open ranges in the account's zone. */
@Controller('meter')
export class UsageSeriesEndpoint {
  constructor(@Inject(meteringToken) private readonly metering: Metering) {}

  @Get('record/series')
  async series(
    @Query() { unit, user, start, end, division = '1h' }: SeriesQuery,
    @RequestCtx() { tenantId }: RequestContext,
  ) {
    const units = await this.unitsAsked(tenantId, unit);
    if (user === undefined) {
      await this.metering.runtime.caughtUp();
      return this.everyone(tenantId, units, spanOf(start, end, 'UTC'));
    }
    await this.metering.usageVisible(tenantId, user);
    const known = await userByName(this.metering.runtime.database, tenantId, user);
    const span = spanOf(start, end, known.timeZone);
    const answers = [];
    for (const one of units) answers.push(await this.ofUser({ tenantId, user, known, span }, one, division));
    return answers;
  }

  /** For a Kill Bill usage plugin that pulls: usage bound to subscriptions, by unit and day, after free amounts. */
  @Get('record/items')
  async items(@Query() { accountId, start, end }: ItemsQuery, @RequestCtx() { tenantId }: RequestContext) {
    const { database } = this.metering.runtime;
    const account = await userOfAccount(database, tenantId, accountId);
    if (account === null) return [];
    const known = await userByName(database, tenantId, account.user);
    const span = spanOf(start, end, known.timeZone);
    const items = [];
    for (const unit of await this.unitsAsked(tenantId, undefined))
      for (const { stretch, counted } of await this.counted({ tenantId, user: account.user, known, span }, unit))
        if (stretch.subscriptionId !== null)
          for (const { date, total } of counted.days)
            if (total !== '0')
              items.push({
                subscriptionId: stretch.subscriptionId,
                unitType: unit.name,
                date,
                amount: toNumber(total),
              });
    return items;
  }

  /** Units that were used and never defined: kept, and rated once they are. */
  @Get('record/unrated')
  unrated(@RequestCtx() { tenantId }: RequestContext) {
    return unratedUsage(this.metering.runtime.database, tenantId);
  }

  private async unitsAsked(tenantId: string, name: string | undefined): Promise<readonly UnitView[]> {
    const { runtime } = this.metering;
    if (name === undefined)
      return (await unitsPage(runtime.database, tenantId, { nameLike: null, limit: unitsMax, offset: 0 })).units;
    const seen = await unitByName(runtime.database, tenantId, name);
    if (seen !== null) return [seen];
    await runtime.caughtUp();
    const found = await unitByName(runtime.database, tenantId, name);
    if (found === null) throw unknownUnit(name);
    return [found];
  }

  private async counted(asked: Asked, unit: UnitView): Promise<readonly CountedStretch[]> {
    const { database } = this.metering.runtime;
    const { tenantId, user, known, span } = asked;
    const versions = await unitVersions(database, tenantId, unit.name);
    const result: CountedStretch[] = [];
    for (const stretch of stretchesOf({ versions, intervals: known.intervals }, span)) {
      const { rule, method, fromAt, toAt } = stretch;
      if (rule === null || method === null) continue;
      const quarters = await usageQuarters(database, { tenantId, user, unit: unit.name }, { fromAt, toAt });
      if (quarters.length > 0)
        result.push({
          stretch,
          counted: count(quarters, { method, rule, range: { fromAt, toAt, timeZone: span.timeZone } }),
        });
    }
    return result;
  }

  private async ofUser(asked: Asked, unit: UnitView, division: Division) {
    const stretches = await this.counted(asked, unit);
    const { database } = this.metering.runtime;
    const series = { tenantId: asked.tenantId, user: asked.user, unit: unit.name };
    return {
      unit: unit.name,
      user: asked.user,
      countingMethod: unit.countingMethod,
      timeZone: asked.span.timeZone,
      subscriptions: await Promise.all(
        stretches.map(async ({ stretch, counted }) => ({
          ...stretchJson(stretch),
          series:
            division === '15m'
              ? quartersJson(await usageQuarters(database, series, stretch))
              : seriesJson(counted, division),
          hours: hoursJson(counted),
          days: counted.days.map(({ date, usage, free, total }) => ({
            date,
            usage: toNumber(usage),
            free: toNumber(free),
            total: toNumber(total),
          })),
          usage: toNumber(counted.usage),
          free: toNumber(counted.free),
          total: toNumber(counted.total),
          records: counted.records,
          syntheticHours: counted.syntheticHours,
          gapsTooLong: counted.gapsTooLong,
          rounding: stretch.rule?.rounding ?? null,
        })),
      ),
    };
  }

  private everyone(tenantId: string, units: readonly UnitView[], span: Span) {
    return Promise.all(
      units.map(async ({ name: unit, countingMethod }) => {
        const hours = await usageOfEveryone(
          this.metering.runtime.database,
          { tenantId, unit, method: countingMethod },
          span,
        );
        const series = hours.map(({ at, value, records }) => ({ time: at, amount: toNumber(value), records }));
        return { unit, user: null, countingMethod, series, total: toNumber(sum(hours.map(({ value }) => value))) };
      }),
    );
  }
}

type Asked = { readonly tenantId: string; readonly user: string; readonly known: UserView; readonly span: Span };

const stretchJson = ({ subscriptionId, rule, version, fromAt, toAt }: Stretch) => ({
  subscriptionId,
  basePlan: rule?.basePlan ?? null,
  addonPlan: rule?.addonPlan ?? null,
  ruleVersion: version,
  from: fromAt,
  to: toAt,
});

const hoursJson = ({ hours }: Counted) =>
  hours.map(({ at, value, records, synthetic }) => ({ time: at, amount: toNumber(value), records, synthetic }));

const seriesJson = (
  counted: Counted,
  division: Division,
): readonly { readonly time: string; readonly amount: number }[] =>
  division === '1d'
    ? counted.days.map(({ date, usage }) => ({ time: date, amount: toNumber(usage) }))
    : hoursJson(counted).map(({ time, amount }) => ({ time, amount }));

const quartersJson = (
  quarters: readonly { readonly at: Instant; readonly sum: Decimal; readonly count: number; readonly max: Decimal }[],
) =>
  quarters.map(({ at, sum, count: records, max }) => ({
    time: at,
    amount: toNumber(sum),
    max: toNumber(max),
    records,
  }));

/** `yyyy-MM-dd HH` in the account's zone, as the original has it; a day alone, or an ISO instant, will do too. */
const spanOf = (start: string, end: string, timeZone: string): Span => {
  const fromAt = instantIn(start, timeZone, 'query:start');
  const toAt = instantIn(end, timeZone, 'query:end');
  if (toAt <= fromAt) throw invalidField('query:end', 'is after start');
  if (toAt > plusMs(fromAt, spanDaysMax * 86_400_000))
    throw invalidField('query:end', `is at most ${spanDaysMax} days after start`);
  return { fromAt, toAt, timeZone };
};

const instantIn = (text: string, timeZone: string, pointer: string): Instant => {
  const shape = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}))?$/.exec(text);
  const date = parseLocalDate(shape?.[1] ?? '');
  const hour = Number(shape?.[2] ?? '0');
  const instant = date === null ? parseInstant(text) : hour <= 24 ? hourOf(date, hour, timeZone) : null;
  if (instant === null) throw invalidField(pointer, 'is a time like 2024-05-01 13');
  return instant;
};

/** On a day on which the clock changes, hours after the change are counted from the end of the day. */
const hourOf = (date: LocalDate, hour: number, timeZone: string): Instant => {
  const fromStart = plusMs(startOfDay(date, timeZone), hour * 3_600_000);
  return hour === 24 || zonedDateOf(fromStart, timeZone) === date
    ? fromStart
    : startOfDay(zonedDateOf(fromStart, timeZone), timeZone);
};
