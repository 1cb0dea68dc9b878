import {
  type EnteredState,
  type OverdueCondition,
  type OverdueConfig,
  type OverdueInterval,
  type OverdueStateDefinition,
  cancellationPolicies,
  clearState,
  paymentResponses,
} from '@billstream/invoicing-domain';
import { parseDecimal, toNumber } from '@billstream/kernel';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Length,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { controlTags, intervalUnits } from './read-overdue-xml';

class IntervalRequest {
  @IsIn(intervalUnits) readonly unit!: (typeof intervalUnits)[number];
  @IsInt() @Min(1) readonly number!: number;
}

class ConditionRequest {
  @IsOptional()
  @ValidateNested()
  @Type(() => IntervalRequest)
  readonly timeSinceEarliestUnpaidInvoiceEqualsOrExceeds?: IntervalRequest | null;
  @IsOptional() @IsIn(controlTags) readonly controlTagInclusion?: (typeof controlTags)[number] | null;
  @IsOptional() @IsIn(controlTags) readonly controlTagExclusion?: (typeof controlTags)[number] | null;
  @IsOptional() @IsInt() @Min(0) readonly numberOfUnpaidInvoicesEqualsOrExceeds?: number | null;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(paymentResponses.length)
  @IsIn(paymentResponses, { each: true })
  readonly responseForLastFailedPayment?: (typeof paymentResponses)[number][] | null;
  @IsOptional() @IsNumber() @Min(0) readonly totalUnpaidInvoiceBalanceEqualsOrExceeds?: number | null;
}

class StateRequest {
  @IsString() @Length(1, 50) readonly name!: string;
  @IsOptional() @IsBoolean() readonly isClearState?: boolean | null;
  @IsOptional() @ValidateNested() @Type(() => ConditionRequest) readonly condition?: ConditionRequest | null;
  @IsOptional() @IsString() @MaxLength(1_000) readonly externalMessage?: string | null;
  @IsOptional() @IsBoolean() readonly isBlockChanges?: boolean | null;
  @IsOptional() @IsBoolean() readonly isDisableEntitlement?: boolean | null;
  @IsOptional()
  @IsIn(cancellationPolicies)
  readonly subscriptionCancellationPolicy?: (typeof cancellationPolicies)[number] | null;
  @IsOptional() @IsInt() @Min(0) readonly autoReevaluationIntervalDays?: number | null;
}

/** Kill Bill's Overdue JSON. Intervals of re-evaluation are days; 0 is none. */
export class OverdueRequest {
  @IsOptional() @IsInt() @Min(0) readonly initialReevaluationInterval?: number | null;
  @IsArray()
  @ArrayMaxSize(100)
  @ValidateNested({ each: true })
  @Type(() => StateRequest)
  readonly overdueStates!: StateRequest[];
}

const inDays = (days: number | null | undefined): OverdueInterval | null =>
  days === null || days === undefined || days === 0 ? null : { unit: 'DAYS', number: days };

const conditionFrom = (condition: ConditionRequest): OverdueCondition => {
  const balance = condition.totalUnpaidInvoiceBalanceEqualsOrExceeds ?? null;
  return {
    unpaidInvoices: condition.numberOfUnpaidInvoicesEqualsOrExceeds ?? null,
    unpaidBalance: balance === null ? null : parseDecimal(balance),
    timeSinceEarliest: condition.timeSinceEarliestUnpaidInvoiceEqualsOrExceeds ?? null,
    failedPaymentResponses: condition.responseForLastFailedPayment ?? [],
    withTag: condition.controlTagInclusion ?? null,
    withoutTag: condition.controlTagExclusion ?? null,
  };
};

const stateFrom = (state: StateRequest): OverdueStateDefinition => ({
  name: state.name,
  isClear: state.isClearState ?? false,
  condition: state.condition == null ? null : conditionFrom(state.condition),
  externalMessage: state.externalMessage ?? null,
  blockChanges: state.isBlockChanges ?? false,
  disableEntitlement: state.isDisableEntitlement ?? false,
  cancellationPolicy: state.subscriptionCancellationPolicy ?? 'NONE',
  autoReevaluationInterval: inDays(state.autoReevaluationIntervalDays),
});

export const overdueConfigFrom = ({ initialReevaluationInterval, overdueStates }: OverdueRequest): OverdueConfig => ({
  initialReevaluationInterval: inDays(initialReevaluationInterval),
  states: overdueStates.map(stateFrom),
});

/** Kill Bill shows days alone: another unit counts 0. */
const daysOf = (interval: OverdueInterval | null): number | null =>
  interval === null ? null : interval.unit === 'DAYS' ? interval.number : 0;

const conditionJson = (condition: OverdueCondition) => ({
  timeSinceEarliestUnpaidInvoiceEqualsOrExceeds: condition.timeSinceEarliest,
  controlTagInclusion: condition.withTag,
  controlTagExclusion: condition.withoutTag,
  numberOfUnpaidInvoicesEqualsOrExceeds: condition.unpaidInvoices,
  responseForLastFailedPayment: condition.failedPaymentResponses,
  totalUnpaidInvoiceBalanceEqualsOrExceeds: condition.unpaidBalance === null ? null : toNumber(condition.unpaidBalance),
});

const stateJson = (state: OverdueStateDefinition) => ({
  name: state.name,
  isClearState: state.isClear,
  condition: state.condition === null ? null : conditionJson(state.condition),
  externalMessage: state.externalMessage,
  isBlockChanges: state.blockChanges,
  isDisableEntitlement: state.disableEntitlement,
  subscriptionCancellationPolicy: state.cancellationPolicy,
  autoReevaluationIntervalDays: daysOf(state.autoReevaluationInterval),
});

/** Without any state of its own a tenant has Kill Bill's lone clear state: overdue is off. */
export const overdueConfigJson = ({ initialReevaluationInterval, states }: OverdueConfig) => ({
  initialReevaluationInterval: daysOf(initialReevaluationInterval),
  overdueStates: (states.length === 0 ? [{ ...clearState, condition: null }] : states).map(stateJson),
});

/** Kill Bill's OverdueState JSON: what an account is in. */
export const overdueStateJson = (state: EnteredState) => ({
  name: state.name,
  externalMessage: state.externalMessage ?? '',
  isDisableEntitlementAndChangesBlocked: state.disableEntitlement,
  isBlockChanges: state.blockChanges || state.disableEntitlement,
  isClearState: state.isClear,
  reevaluationIntervalDays: daysOf(state.autoReevaluationInterval),
});
