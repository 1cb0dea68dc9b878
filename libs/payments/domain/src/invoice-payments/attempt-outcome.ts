import { type Decision, accept } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { AbortReason, AttemptFacts, InvoicePaymentsEvent, NotExecutedReason } from './invoice-payments.events';
import type { InvoicePayments, OpenAttempt } from './invoice-payments';
import {
  type RetryPolicy,
  nextPendingLook,
  nextUnknownLook,
  retryAfterDecline,
  retryAfterFailure,
  standardRetryPolicy,
} from './retry-policy';

/** What is known of an attempt, whichever provider said it. Minor units. */
export type AttemptOutcome =
  | {
      readonly kind: 'succeeded';
      readonly gatewayRef: string | null;
      readonly amountMinor: number;
      readonly currency: string;
      readonly feeMinor: number | null;
      /** The provider's own time of the movement. */
      readonly movedAt: string;
      /** An earlier attempt of the same payment moved it. */
      readonly isAdopted: boolean;
    }
  | { readonly kind: 'pending'; readonly why: string; readonly gatewayRef: string | null }
  | {
      readonly kind: 'declined';
      /** hard: this credential will not work again. */
      readonly hardness: 'hard' | 'soft';
      readonly code: string;
      readonly message: string | null;
      /** Nobody has classified the code: worth one more try, not three. */
      readonly isUnlisted: boolean;
      readonly retryNotBefore: Instant | null;
    }
  | {
      readonly kind: 'not-executed';
      readonly why: NotExecutedReason;
      readonly code: string | null;
      readonly message: string | null;
    }
  | { readonly kind: 'unknown'; readonly code: string | null };

export type RecordOutcome = {
  readonly type: 'RecordOutcome';
  readonly data: {
    readonly transactionId: string;
    /**
     * Who found it out, or whose call was looked up: the holder that the attempt had then; null: before it was sent.
     * Another holder since then may be charging the payer at this moment, so only a success still counts.
     */
    readonly holder: string | null;
    readonly outcome: AttemptOutcome;
    /** The tenant's; Kill Bill's unless given. */
    readonly policy?: RetryPolicy;
    /** A failure is the end of it, whatever the policy: the account was closed meanwhile. */
    readonly isLast?: boolean;
    readonly now: Instant;
  };
};

type Events = readonly InvoicePaymentsEvent[];
type Of<Kind extends AttemptOutcome['kind']> = Extract<AttemptOutcome, { readonly kind: Kind }>;
type Context = {
  readonly state: InvoicePayments;
  readonly facts: AttemptFacts;
  readonly open: OpenAttempt;
  readonly policy: RetryPolicy;
  readonly isLast: boolean;
};

/** Answers that come twice, or after the attempt has ended, change nothing, except for a success: money is never lost. */
export const recordOutcome = (
  { transactionId, holder, outcome, policy = standardRetryPolicy, isLast = false, now }: RecordOutcome['data'],
  state: InvoicePayments,
): Decision<InvoicePaymentsEvent, never> => {
  const { invoice, open } = state;
  if (invoice === null) return accept();
  if (open?.transactionId !== transactionId) return accept(...lateSuccess(transactionId, outcome, state, now));
  if (open.holder !== holder && outcome.kind !== 'succeeded') return accept();
  // An attempt that was never sent can end only one way: somebody found out that it cannot be sent.
  if (open.status === 'requested' && outcome.kind !== 'not-executed') return accept();
  const { invoiceId, accountId } = invoice;
  const { paymentId, amountMinor, currency } = open;
  const facts = { invoiceId, accountId, paymentId, transactionId, amountMinor, currency, at: now };
  return accept(...eventsOf(outcome, { state, facts, open, policy, isLast }));
};

const eventsOf = (outcome: AttemptOutcome, context: Context): Events => {
  switch (outcome.kind) {
    case 'succeeded':
      return succeeded(outcome, context);
    case 'pending': {
      const { facts, open } = context;
      const nextLookAt = nextPendingLook(open.looks + 1, facts.at);
      const { why, gatewayRef } = outcome;
      return [{ type: 'PaymentPending', data: { ...facts, why, gatewayRef, nextLookAt } }];
    }
    case 'declined':
      return declined(outcome, context);
    case 'not-executed':
      return notExecuted(outcome, context);
    case 'unknown':
      return unknown(outcome.code, context);
  }
};

const unknown = (code: string | null, { facts, open }: Context): Events => {
  const look = open.looks + 1;
  return [{ type: 'PaymentUnknown', data: { ...facts, code, look, nextLookAt: nextUnknownLook(look, facts.at) } }];
};

const succeeded = (outcome: Of<'succeeded'>, context: Context): Events => {
  const { facts, open, state } = context;
  // An earlier attempt at the payment moved it, and said so late.
  if (isCounted(outcome, state)) return [endedBy(facts, 'paid-meanwhile')];
  // Money in another currency is not what was asked for. Somebody has to look; nothing may be charged meanwhile.
  if (outcome.currency !== open.currency)
    return [
      { type: 'PaymentUnknown', data: { ...facts, code: 'currency-differs', look: open.looks + 1, nextLookAt: null } },
    ];
  return [successOf(facts, outcome, false)];
};

const successOf = (facts: AttemptFacts, outcome: Of<'succeeded'>, isLate: boolean): InvoicePaymentsEvent => {
  const { gatewayRef, amountMinor, feeMinor, movedAt, isAdopted } = outcome;
  return {
    type: 'PaymentSucceeded',
    data: { ...facts, amountMinor, gatewayRef, feeMinor, movedAt, isAdopted, isLate },
  };
};

const isCounted = ({ gatewayRef }: Of<'succeeded'>, { movements }: InvoicePayments): boolean =>
  gatewayRef !== null && movements.includes(gatewayRef);

const lateSuccess = (transactionId: string, outcome: AttemptOutcome, state: InvoicePayments, at: Instant): Events => {
  const { invoice, closed } = state;
  const attempt = closed[transactionId];
  if (outcome.kind === 'succeeded' && isCounted(outcome, state)) return [];
  if (outcome.kind !== 'succeeded' || invoice === null || attempt?.currency !== outcome.currency) return [];
  const { invoiceId, accountId } = invoice;
  const { paymentId, currency } = attempt;
  const { amountMinor } = outcome;
  return [successOf({ invoiceId, accountId, paymentId, transactionId, amountMinor, currency, at }, outcome, true)];
};

const declined = (outcome: Of<'declined'>, context: Context): Events => {
  const { state, facts, policy } = context;
  const { hardness, code, message } = outcome;
  const nth = state.declines + 1;
  const planned = outcome.isUnlisted && nth > 1 ? null : retryAfterDecline(policy, nth, facts.at);
  const told = outcome.retryNotBefore;
  const retryAt = planned !== null && told !== null && told > planned ? told : planned;
  return [
    { type: 'PaymentDeclined', data: { ...facts, hardness, code, message } },
    hardness === 'hard' ? aborted(facts, 'method-unusable') : retryOrEnd(context, retryAt),
  ];
};

const notExecuted = (outcome: Of<'not-executed'>, context: Context): Events => {
  const { state, facts, policy } = context;
  const { why, code, message } = outcome;
  const ended: InvoicePaymentsEvent = { type: 'PaymentNotExecuted', data: { ...facts, why, code, message } };
  // An amount that the provider cannot write stays so.
  if (why === 'invalid') return [ended, aborted(facts, 'not-expressible')];
  return [ended, retryOrEnd(context, retryAfterFailure(policy, state.failures + 1, facts.at))];
};

const retryOrEnd = ({ facts, open, isLast }: Context, retryAt: Instant | null): InvoicePaymentsEvent => {
  if (open.isOnce) return aborted(facts, 'asked-for-once');
  if (isLast) return aborted(facts, 'cancelled');
  if (retryAt === null) return aborted(facts, 'retries-exhausted');
  const { invoiceId, accountId, paymentId } = facts;
  return { type: 'RetryScheduled', data: { invoiceId, accountId, paymentId, retryAt } };
};

const endedBy = (
  { invoiceId, accountId, paymentId, transactionId, at }: AttemptFacts,
  reason: AbortReason,
): InvoicePaymentsEvent => ({
  type: 'PaymentAborted',
  data: { invoiceId, accountId, paymentId, transactionId, reason, at },
});

const aborted = ({ invoiceId, accountId, paymentId, at }: AttemptFacts, reason: AbortReason): InvoicePaymentsEvent => ({
  type: 'PaymentAborted',
  data: { invoiceId, accountId, paymentId, transactionId: null, reason, at },
});
