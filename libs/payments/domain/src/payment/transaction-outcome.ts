import { type Instant, plusMs } from '@billstream/kernel';
import type { AttemptOutcome } from '../invoice-payments/attempt-outcome';
import { nextPendingLook, nextUnknownLook } from '../invoice-payments/retry-policy';
import { type OpenedPayment, type Payment, type Transaction, transactionOf } from './payment';
import type { PaymentEvent, TransactionFacts } from './payment.events';

/** `holder`: of the transaction when this was found out; null: before it was sent. */
export type RecordTransactionOutcome = {
  readonly type: 'RecordTransactionOutcome';
  readonly data: {
    readonly transactionId: string;
    readonly holder: string | null;
    readonly outcome: AttemptOutcome;
    readonly now: Instant;
  };
};

/** An operator knows better than the records. */
export type CorrectTransaction = {
  readonly type: 'CorrectTransaction';
  readonly data: {
    readonly transactionId: string;
    readonly state: 'SUCCESS' | 'PENDING' | 'UNKNOWN' | 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE';
    readonly now: Instant;
  };
};

export const factsOf = (
  { paymentId, accountId, invoiceId, currency }: OpenedPayment,
  transaction: Transaction,
  at: Instant,
): TransactionFacts => {
  const { transactionId, externalKey, transactionType, amountMinor, isAdjusted, itemAdjustments } = transaction;
  return {
    ...{ paymentId, accountId, invoiceId, transactionId, externalKey, transactionType, amountMinor, currency, at },
    ...(isAdjusted ? { isAdjusted, itemAdjustments } : {}),
  };
};

const ended: ReadonlySet<string> = new Set(['SUCCESS', 'PAYMENT_FAILURE', 'PLUGIN_FAILURE'] as const);

/**
 * What a provider said. Only the run that holds the right to call may say that it failed; a success counts whoever found
 * it, even after the transaction was given up: money is never lost.
 */
export const recordTransactionOutcome = (
  { transactionId, holder, outcome, now }: RecordTransactionOutcome['data'],
  state: Payment,
): readonly PaymentEvent[] => {
  const transaction = transactionOf(state, transactionId);
  if (state.opened === null || transaction === null || transaction.state === 'SUCCESS') return [];
  const mayEnd = transaction.holder === holder && !ended.has(transaction.state);
  if (!mayEnd && outcome.kind !== 'succeeded') return [];
  if (transaction.state === 'REQUESTED' && outcome.kind !== 'not-executed') return [];
  return eventsOf(outcome, factsOf(state.opened, transaction, now), transaction);
};

const eventsOf = (
  outcome: AttemptOutcome,
  facts: TransactionFacts,
  { looks }: Transaction,
): readonly PaymentEvent[] => {
  switch (outcome.kind) {
    case 'succeeded':
      // Money in another currency is not what was asked for: somebody has to look.
      return outcome.currency === facts.currency
        ? [{ type: 'TransactionSucceeded', data: { ...facts, ...movedBy(outcome, facts) } }]
        : [
            {
              type: 'TransactionUnknown',
              data: { ...facts, code: 'currency-differs', look: looks + 1, nextLookAt: null },
            },
          ];
    case 'pending': {
      const { why, gatewayRef } = outcome;
      const nextLookAt = nextPendingLook(looks + 1, facts.at);
      return [{ type: 'TransactionPending', data: { ...facts, why, gatewayRef, nextLookAt } }];
    }
    case 'declined':
      return [failed(facts, 'PAYMENT_FAILURE', outcome)];
    case 'not-executed':
      return [failed(facts, 'PLUGIN_FAILURE', { code: outcome.code ?? outcome.why, message: outcome.message })];
    case 'unknown': {
      const look = looks + 1;
      const nextLookAt = nextUnknownLook(look, facts.at);
      return [{ type: 'TransactionUnknown', data: { ...facts, code: outcome.code, look, nextLookAt } }];
    }
  }
};

/** A void moves nothing, whatever amount it freed. */
const movedBy = (
  { amountMinor, gatewayRef }: Extract<AttemptOutcome, { readonly kind: 'succeeded' }>,
  { transactionType }: TransactionFacts,
) => ({ amountMinor: transactionType === 'VOID' ? 0 : amountMinor, gatewayRef });

const failed = (
  facts: TransactionFacts,
  status: 'PAYMENT_FAILURE' | 'PLUGIN_FAILURE',
  { code, message }: { readonly code: string | null; readonly message: string | null },
): PaymentEvent => ({ type: 'TransactionFailed', data: { ...facts, status, code, message } });

const corrected = 'corrected';
/** An operator who says that nobody knows gives the records a minute to say more. */
const lookAgainMs = 60_000;

export const correctTransaction = (
  { transactionId, state: wanted, now }: CorrectTransaction['data'],
  state: Payment,
): readonly PaymentEvent[] => {
  const transaction = transactionOf(state, transactionId);
  if (state.opened === null || transaction === null || transaction.state === wanted) return [];
  const facts = factsOf(state.opened, transaction, now);
  const { gatewayRef, looks } = transaction;
  switch (wanted) {
    case 'SUCCESS':
      return [{ type: 'TransactionSucceeded', data: { ...facts, gatewayRef } }];
    case 'PENDING':
      return [{ type: 'TransactionPending', data: { ...facts, why: corrected, gatewayRef, nextLookAt: null } }];
    case 'UNKNOWN': {
      const nextLookAt = transaction.dispatchedAt === null ? null : plusMs(now, lookAgainMs);
      return [{ type: 'TransactionUnknown', data: { ...facts, code: corrected, look: looks, nextLookAt } }];
    }
    case 'PAYMENT_FAILURE':
    case 'PLUGIN_FAILURE':
      return [failed(facts, wanted, { code: corrected, message: null })];
  }
};
