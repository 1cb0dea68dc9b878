import type { ControlTag } from '@billstream/accounts-contracts';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { Decimal, DurationUnit } from '@billstream/kernel';

export type OverdueInterval = { readonly unit: DurationUnit; readonly number: number };

/** Kill Bill's PaymentResponse: why a gateway declined. */
export const paymentResponses = [
  'INVALID_CARD',
  'EXPIRED_CARD',
  'LOST_OR_STOLEN_CARD',
  'DO_NOT_HONOR',
  'INSUFFICIENT_FUNDS',
  'DECLINE',
  'PROCESSING_ERROR',
  'INVALID_AMOUNT',
  'DUPLICATE_TRANSACTION',
  'OTHER',
] as const;
export type PaymentResponse = (typeof paymentResponses)[number];

export const cancellationPolicies = ['NONE', 'IMMEDIATE', 'END_OF_TERM'] as const;
export type OverdueCancellation = (typeof cancellationPolicies)[number];

/** Everything stated must hold; what is null (or an empty list) is not asked (Kill Bill 2.16). */
export type OverdueCondition = {
  readonly unpaidInvoices: number | null;
  /** In units of the account's currency. */
  readonly unpaidBalance: Decimal | null;
  /** Since the invoice date of the oldest unpaid invoice. */
  readonly timeSinceEarliest: OverdueInterval | null;
  readonly failedPaymentResponses: readonly PaymentResponse[];
  readonly withTag: ControlTag | null;
  readonly withoutTag: ControlTag | null;
};

export type OverdueStateDefinition = {
  readonly name: string;
  readonly isClear: boolean;
  /** Null: nothing leads here. */
  readonly condition: OverdueCondition | null;
  readonly externalMessage: string | null;
  readonly blockChanges: boolean;
  /** Blocks changes, entitlement and billing. */
  readonly disableEntitlement: boolean;
  readonly cancellationPolicy: OverdueCancellation;
  readonly autoReevaluationInterval: OverdueInterval | null;
};

/** A tenant's overdue states, the most severe first. None: nobody is ever overdue. */
export type OverdueConfig = {
  readonly initialReevaluationInterval: OverdueInterval | null;
  readonly states: readonly OverdueStateDefinition[];
};

export const clearStateName = '__KILLBILL__CLEAR__OVERDUE_STATE__';

export const noOverdueConfig: OverdueConfig = { initialReevaluationInterval: null, states: [] };

const nameLengthMax = 50;
/** A hundred years: whoever means longer means never. */
const intervalMax: Readonly<Record<DurationUnit, number>> = { DAYS: 36_500, WEEKS: 5_200, MONTHS: 1_200, YEARS: 100 };

const intervalError = (interval: OverdueInterval | null, where: string): readonly string[] => {
  if (interval === null) return [];
  const { unit, number } = interval;
  return Number.isInteger(number) && number > 0 && number <= intervalMax[unit]
    ? []
    : [`${where}: the number of ${unit} must be a whole number from 1 to ${intervalMax[unit]}, not ${number}`];
};

const conditionErrors = (condition: OverdueCondition | null, where: string): readonly string[] => {
  if (condition === null) return [];
  const { unpaidInvoices, unpaidBalance, timeSinceEarliest } = condition;
  return [
    ...(unpaidInvoices === null || (Number.isInteger(unpaidInvoices) && unpaidInvoices >= 0)
      ? []
      : [`${where}/numberOfUnpaidInvoicesEqualsOrExceeds: must be a whole number, not ${unpaidInvoices}`]),
    ...(unpaidBalance === null || !unpaidBalance.startsWith('-')
      ? []
      : [`${where}/totalUnpaidInvoiceBalanceEqualsOrExceeds: must not be negative`]),
    ...intervalError(timeSinceEarliest, `${where}/timeSinceEarliestUnpaidInvoiceEqualsOrExceeds`),
  ];
};

const stateErrors = ({ name, isClear, condition, autoReevaluationInterval }: OverdueStateDefinition, index: number) => {
  const where = `state[${index}]${name === '' ? '' : ` (${name})`}`;
  return [
    ...(name === '' || name.length > nameLengthMax ? [`${where}/name: needs 1 to ${nameLengthMax} characters`] : []),
    ...(name === clearStateName && !isClear ? [`${where}/name: ${clearStateName} is the name of being clear`] : []),
    ...conditionErrors(condition, `${where}/condition`),
    ...intervalError(autoReevaluationInterval, `${where}/autoReevaluationInterval`),
  ];
};

/** What is wrong with a configuration, each with the element's name and place; empty when nothing is. */
export const overdueConfigErrors = ({ initialReevaluationInterval, states }: OverdueConfig): readonly string[] => {
  const names = states.map(({ name }) => name);
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const clear = states.filter(({ isClear }) => isClear);
  return [
    ...intervalError(initialReevaluationInterval, 'initialReevaluationInterval'),
    ...states.flatMap(stateErrors),
    ...[...new Set(repeated)].map((name) => `state/name: ${name} stands for more than one state`),
    ...(clear.length > 1 ? ['state/isClearState: there is one clear state at most'] : []),
  ];
};

export type OverdueConfigEvent = {
  readonly type: 'OverdueConfigUploaded';
  readonly data: { readonly tenantId: string; readonly config: OverdueConfig };
};
export type UploadOverdueConfig = { readonly type: 'UploadOverdueConfig'; readonly data: OverdueConfigEvent['data'] };

/** The overdue states of a tenant: a stream `overdueConfig-<tenantId>`. An upload replaces what was there. */
export const overdueConfigDecider: Decider<UploadOverdueConfig, OverdueConfigEvent, OverdueConfig | null, never> = {
  initial: null,
  decide: ({ data }) => accept<OverdueConfigEvent>({ type: 'OverdueConfigUploaded', data }),
  evolve: (_, { data }) => data.config,
};

export const overdueConfigStreams = 'overdueConfig-';
export const overdueConfigStream = (tenantId: string): string => `${overdueConfigStreams}${tenantId}`;
export const overdueConfigSchema = defineSchema<OverdueConfigEvent>({
  OverdueConfigUploaded: 'overdueConfig.uploaded.v1',
});
