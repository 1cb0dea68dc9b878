import { type Decimal, parseDecimal, toNumber } from '@billstream/kernel';
import {
  type CountingMethod,
  type Interval,
  type RefreshInterval,
  type Rule,
  defaultRule,
} from '@billstream/metering-domain';
import type { UnitView } from '@billstream/metering-read-models';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';

const intervals: readonly Interval[] = ['HOUR', 'DAY', 'SUBSCRIPTION_CYCLE'];
const refreshIntervals: readonly RefreshInterval[] = [...intervals, 'MANUAL'];
const gapPolicies: readonly Rule['gapPolicy'][] = ['INTERPOLATE_NEIGHBOURS', 'PREVIOUS'];
const roundings: readonly Rule['rounding'][] = ['NONE', 'CEIL', 'HALF_EVEN'];
const anchors: readonly Rule['windowAnchor'][] = ['CLOCK', 'FIRST_USE'];
const methods: readonly CountingMethod[] = ['AVG', 'PEAK', 'SUM'];

/** A number, or the text of one for who needs all digits; at most nine of them behind the point. */
const IsAmount = (): PropertyDecorator =>
  ValidateBy({
    name: 'isAmount',
    validator: {
      validate: (value) => /^-?\d{1,18}(\.\d{1,9})?$/.test(parseDecimal(value) ?? ''),
      defaultMessage: () => '$property is a decimal number with at most nine digits behind the point',
    },
  });

/** A rule as the original's editor sends it, and the settings it did not have. Fields that are left out are at their defaults. */
export class RuleRequest {
  @IsOptional() @IsBoolean() readonly applyPlan?: boolean | null;
  @IsOptional() @IsString() @MaxLength(255) readonly basePlan?: string | null;
  @IsOptional() @IsString() @MaxLength(255) readonly addonPlan?: string | null;
  @IsOptional() @IsIn(intervals) readonly periodSplitting?: Interval | null;
  @IsOptional() @IsAmount() readonly limitAmount?: number | string | null;
  @IsOptional() @IsIn(refreshIntervals) readonly limitRefreshInterval?: RefreshInterval | null;
  @IsOptional() @IsAmount() readonly freeAmount?: number | string | null;
  @IsOptional() @IsIn(intervals) readonly freePeriod?: Interval | null;
  @IsOptional() @IsBoolean() readonly putEmptyPeriod?: boolean | null;
  @IsOptional() @IsIn(gapPolicies) readonly gapPolicy?: Rule['gapPolicy'] | null;
  @IsOptional() @IsInt() @Min(0) @Max(8784) readonly maxGapHours?: number | null;
  @IsOptional() @IsIn(roundings) readonly rounding?: Rule['rounding'] | null;
  @IsOptional() @IsIn(anchors) readonly windowAnchor?: Rule['windowAnchor'] | null;
}

export class UnitPatch {
  @IsOptional() @IsString() @IsNotEmpty() readonly name?: string | null;
  @IsOptional() @IsIn(methods) readonly countingMethod?: CountingMethod | null;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RuleRequest)
  readonly rules?: RuleRequest[] | null;
}

export class UnitRequest {
  @Matches(/^[^\p{Cc}/]{1,255}$/u, { message: 'name is a text of 1 to 255 characters without a slash' })
  readonly name!: string;
  @IsIn(methods) readonly countingMethod!: CountingMethod;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RuleRequest)
  readonly rules?: RuleRequest[] | null;
}

const amountOf = (amount: number | string | null | undefined): Decimal | null =>
  amount == null ? null : parseDecimal(amount);
const planOf = (plan: string | null | undefined): string | null => (plan === '' ? null : (plan ?? null));

export const ruleOf = (request: RuleRequest, method: CountingMethod): Rule => {
  const unset = defaultRule(method);
  return {
    applyPlan: request.applyPlan ?? false,
    basePlan: planOf(request.basePlan),
    addonPlan: planOf(request.addonPlan),
    periodSplitting: request.periodSplitting ?? null,
    limitAmount: amountOf(request.limitAmount),
    limitRefreshInterval: request.limitRefreshInterval ?? null,
    freeAmount: amountOf(request.freeAmount),
    freePeriod: request.freePeriod ?? null,
    putEmptyPeriod: request.putEmptyPeriod ?? false,
    gapPolicy: request.gapPolicy ?? unset.gapPolicy,
    maxGapHours: request.maxGapHours ?? unset.maxGapHours,
    rounding: request.rounding ?? unset.rounding,
    windowAnchor: request.windowAnchor ?? unset.windowAnchor,
  };
};

export const ruleJson = (rule: Rule, countingMethod: CountingMethod) => ({
  ...rule,
  countingMethod,
  limitAmount: rule.limitAmount === null ? null : toNumber(rule.limitAmount),
  freeAmount: rule.freeAmount === null ? null : toNumber(rule.freeAmount),
});

/** A unit with the links that Spring Data REST puts beside each entity. `self` is the absolute URL of the collection. */
export const unitJson = ({ unitId, name, countingMethod, version, rules }: UnitView, self: string) => ({
  id: unitId,
  name,
  countingMethod,
  version,
  rules: rules.map((rule) => ruleJson(rule, countingMethod)),
  _links: { self: { href: `${self}/${unitId}` }, unit: { href: `${self}/${unitId}` } },
});
