import type { ControlTag } from '@billstream/accounts-contracts';
import { type Currency, type LocalDate, compare, money, plusDuration, toDecimal } from '@billstream/kernel';
import type { EnteredState, OverdueFacts } from './overdue';
import { clearState } from './overdue';
import type { OverdueCondition, OverdueConfig, OverdueInterval, PaymentResponse } from './overdue-config';

/** An invoice that asks for money. `balanceMinor`: minor units, positive. */
export type Debt = {
  readonly invoiceId: string;
  readonly invoiceDate: LocalDate;
  readonly targetDate: LocalDate;
  readonly balanceMinor: number;
};

/** What the account that pays owes, as the account invoices say it. */
export type Debts = {
  readonly payerAccountId: string;
  readonly currency: Currency | null;
  readonly unpaid: readonly Debt[];
};

/** Invoices whose target day is still to come are not late (Kill Bill 2.16). */
export const overdueFacts = ({ payerAccountId, currency, unpaid }: Debts, today: LocalDate): OverdueFacts => {
  const due = unpaid.filter(({ targetDate, balanceMinor }) => balanceMinor > 0 && targetDate <= today);
  const [earliest] = due.map(({ invoiceDate }) => invoiceDate).toSorted();
  return {
    payerAccountId,
    currency,
    unpaidInvoices: due.length,
    unpaidMinor: due.reduce((total, { balanceMinor }) => total + balanceMinor, 0),
    earliestUnpaidDate: earliest ?? null,
  };
};

/** Kill Bill takes every failed payment for one that lacked funds. */
const responseAssumed: PaymentResponse = 'INSUFFICIENT_FUNDS';

const hasPassed = (since: LocalDate | null, { unit, number }: OverdueInterval, today: LocalDate): boolean =>
  since !== null && plusDuration(since, unit, number) <= today;

const reaches = ({ currency, unpaidMinor }: OverdueFacts, condition: OverdueCondition): boolean =>
  condition.unpaidBalance === null ||
  (currency !== null && compare(toDecimal(money(unpaidMinor, currency)), condition.unpaidBalance) >= 0);

const holds = (
  condition: OverdueCondition,
  facts: OverdueFacts,
  { tags, today }: { readonly tags: readonly ControlTag[]; readonly today: LocalDate },
): boolean => {
  const { unpaidInvoices, timeSinceEarliest, failedPaymentResponses, withTag, withoutTag } = condition;
  return (
    (unpaidInvoices === null || facts.unpaidInvoices >= unpaidInvoices) &&
    reaches(facts, condition) &&
    (timeSinceEarliest === null || hasPassed(facts.earliestUnpaidDate, timeSinceEarliest, today)) &&
    (failedPaymentResponses.length === 0 || failedPaymentResponses.includes(responseAssumed)) &&
    (withTag === null || tags.includes(withTag)) &&
    (withoutTag === null || !tags.includes(withoutTag))
  );
};

/** The first state, from the most severe on, whose condition holds; else the account is clear (Kill Bill 2.16). */
export const overdueStateOf = (
  { states }: OverdueConfig,
  facts: OverdueFacts,
  at: { readonly tags: readonly ControlTag[]; readonly today: LocalDate },
): EnteredState => {
  const found = states.find(({ isClear, condition }) => !isClear && condition !== null && holds(condition, facts, at));
  if (found === undefined) return clearState;
  const { name, isClear, externalMessage, blockChanges, disableEntitlement } = found;
  const { cancellationPolicy, autoReevaluationInterval } = found;
  return {
    ...{ name, isClear, externalMessage, blockChanges, disableEntitlement },
    ...{ cancellationPolicy, autoReevaluationInterval },
  };
};
