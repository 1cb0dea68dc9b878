import { parseInstant } from '@billstream/kernel';
import type { AttemptOutcome, OpenAttempt } from '@billstream/payments-domain';
import type { Fetched, GatewayFact, Outcome } from '@billstream/payments-gateways';

/** A provider's answer in the words of the domain. */
export const outcomeOf = (answer: Outcome): AttemptOutcome => {
  switch (answer.kind) {
    case 'Succeeded':
      return successOf(answer, answer.adopted === true);
    case 'Pending':
      // Another call under the same key is still running there: what comes of it has to be looked up, like a lost answer.
      return answer.why === 'in-progress'
        ? { kind: 'unknown', code: 'in-progress' }
        : { kind: 'pending', why: answer.why, gatewayRef: answer.gatewayRef ?? null };
    case 'ActionRequired':
      // The payer is not here to act. Until a later try the payer may have: a decline for now.
      return { ...declined(`action-required-${answer.action}`), message: answer.evidence.message ?? null };
    case 'Declined':
      return declineOf(answer);
    case 'NotExecuted':
      return {
        kind: 'not-executed',
        why: answer.why,
        code: answer.evidence.code ?? null,
        message: answer.evidence.message ?? null,
      };
    case 'Unknown':
      return { kind: 'unknown', code: answer.evidence.code ?? null };
  }
};

const declineOf = (answer: Extract<Outcome, { readonly kind: 'Declined' }>): AttemptOutcome => ({
  ...declined(answer.code),
  hardness: answer.hardness,
  message: answer.evidence.message ?? null,
  isUnlisted: answer.unlisted === true,
  retryNotBefore: answer.retryNotBefore === undefined ? null : parseInstant(answer.retryNotBefore),
});

const declined = (code: string): Extract<AttemptOutcome, { readonly kind: 'declined' }> => ({
  kind: 'declined',
  hardness: 'soft',
  code,
  message: null,
  isUnlisted: false,
  retryNotBefore: null,
});

/** What the provider's records say about an attempt. absent: proven that nothing moved. */
export type Finding =
  | { readonly kind: 'outcome'; readonly outcome: AttemptOutcome }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unsure'; readonly code: string };

const paid: ReadonlySet<GatewayFact['status']> = new Set(['succeeded', 'refunded', 'partially-refunded']);

/** Payments the provider has under the reference; more than one means that the payer was charged twice. */
export const paidFacts = (fetched: Fetched): readonly GatewayFact[] =>
  fetched.kind === 'Fetched'
    ? fetched.facts
        .filter(({ kind, status }) => kind === 'payment' && paid.has(status))
        .sort((a, b) => (a.at < b.at ? -1 : 1))
    : [];

export const findingOf = (fetched: Fetched, open: Pick<OpenAttempt, 'gatewayRef' | 'status'>): Finding => {
  if (fetched.kind !== 'Fetched') return { kind: 'unsure', code: fetched.evidence.code ?? 'not-answered' };
  const [success] = paidFacts(fetched);
  if (success !== undefined) return { kind: 'outcome', outcome: successOf(success, false) };
  const payments = fetched.facts.filter(({ kind }) => kind === 'payment');
  const pending = payments.find(({ status }) => status === 'pending');
  if (pending !== undefined)
    return { kind: 'outcome', outcome: { kind: 'pending', why: 'review', gatewayRef: pending.gatewayRef } };
  const own = payments.find(({ gatewayRef }) => gatewayRef === open.gatewayRef);
  if (own?.status === 'failed') return { kind: 'outcome', outcome: declined('status-failed') };
  // Money that came and went again: neither paid nor to be charged again without a person looking at it.
  if (payments.some(({ status }) => status === 'reversed')) return { kind: 'unsure', code: 'reversed' };
  if (open.status === 'pending') return { kind: 'unsure', code: 'not-listed' };
  return fetched.completeness === 'final' ? { kind: 'absent' } : { kind: 'unsure', code: 'not-listed-yet' };
};

const successOf = (
  { gatewayRef, money, fee, at }: Pick<GatewayFact, 'gatewayRef' | 'money' | 'fee' | 'at'>,
  isAdopted: boolean,
): AttemptOutcome => ({
  kind: 'succeeded',
  gatewayRef,
  amountMinor: money.minor,
  currency: money.currency,
  feeMinor: fee?.minor ?? null,
  movedAt: at,
  isAdopted,
});
