import type { Evidence, Outcome, Unknown } from '../gateway-port';
import type { NvpVerdict } from './nvp-client';
import type { PayPalClient } from './paypal-client';
import { classOf, type ErrorClass } from './paypal-errors';

const LOOK_AGAIN_MS = { review: 60 * 60 * 1000, clearing: 24 * 60 * 60 * 1000, 'in-progress': 10_000 } as const;

type Failure = { readonly code: string; readonly evidence: Evidence };
type ToOutcome = (client: PayPalClient, failure: Failure) => Outcome;

const FAILURES: { readonly [Class in ErrorClass]: ToOutcome } = {
  hard: (_, { code, evidence }) => ({ kind: 'Declined', hardness: 'hard', code, evidence }),
  soft: (_, { code, evidence }) => ({ kind: 'Declined', hardness: 'soft', code, evidence }),
  pending: (client, { evidence }) => pending(client, 'review', { evidence }),
  'in-progress': (client, { evidence }) => pending(client, 'in-progress', { evidence }),
  'change-funding': (_, { evidence }) => ({ kind: 'ActionRequired', action: 'changeFunding', evidence }),
  reapprove: (_, { evidence }) => ({ kind: 'ActionRequired', action: 'reapprove', evidence }),
  'rate-limited': (_, { evidence }) => ({ kind: 'NotExecuted', why: 'rateLimited', evidence }),
  misconfigured: (_, { evidence }) => ({ kind: 'NotExecuted', why: 'misconfigured', evidence }),
  invalid: (_, { evidence }) => ({ kind: 'NotExecuted', why: 'invalid', evidence }),
  duplicate: (client, { evidence }) => lost(client, evidence),
  unknown: (client, { evidence }) => lost(client, evidence),
};

export const failed = (client: PayPalClient, { code = 'none', evidence }: NvpVerdict): Outcome => {
  const group = classOf(code);
  if (group) return FAILURES[group](client, { code, evidence });
  // Soft, so that it cannot lock a payer out; marked, so that it cannot be retried for ever.
  return { kind: 'Declined', hardness: 'soft', code, unlisted: true, evidence };
};

export const lost = (client: PayPalClient, evidence: Evidence): Unknown => ({
  kind: 'Unknown',
  since: client.now().toISOString(),
  evidence,
});

type PendingFacts = { readonly gatewayRef?: string; readonly evidence: Evidence };

export const pending = (client: PayPalClient, why: keyof typeof LOOK_AGAIN_MS, facts: PendingFacts): Outcome => ({
  kind: 'Pending',
  why,
  nextLookAt: new Date(client.now().getTime() + LOOK_AGAIN_MS[why]).toISOString(),
  ...facts,
});
