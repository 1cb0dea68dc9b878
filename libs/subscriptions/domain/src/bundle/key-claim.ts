import { type Decider, type Decision, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { digest } from '@billstream/kernel';

/** One stream per external key of a tenant: whoever appends first holds it. The key itself stays out of stream names. */
export type KeyClaimEvent = {
  readonly type: 'KeyClaimed';
  readonly data: { readonly key: string; readonly holderId: string };
};

/** `takenFrom` is the holder that gave the key up; the claim passes on only from that one. */
export type ClaimKey = {
  readonly type: 'ClaimKey';
  readonly data: { readonly key: string; readonly holderId: string; readonly takenFrom: string | null };
};

export type KeyClaimRejection = { readonly code: 'key-held'; readonly holderId: string };

const decide = (
  { data: { key, holderId, takenFrom } }: ClaimKey,
  state: string | null,
): Decision<KeyClaimEvent, KeyClaimRejection> => {
  if (state === holderId) return accept();
  if (state !== null && state !== takenFrom) return reject({ code: 'key-held', holderId: state });
  return accept<KeyClaimEvent>({ type: 'KeyClaimed', data: { key, holderId } });
};

export const keyClaimDecider: Decider<ClaimKey, KeyClaimEvent, string | null, KeyClaimRejection> = {
  initial: null,
  decide,
  evolve: (_, { data }) => data.holderId,
};

export const bundleKeyStream = (tenantId: string, key: string): string => `bundleKey-${digest(`${tenantId}:${key}`)}`;
export const subscriptionKeyStream = (tenantId: string, key: string): string =>
  `subscriptionKey-${digest(`${tenantId}:${key}`)}`;

export const keyClaimSchema = defineSchema<KeyClaimEvent>({ KeyClaimed: 'external-key.claimed.v1' });

const keyLengthMax = 255;

/** What becomes of the key of a bundle that nobody uses any more, when another one takes it (Kill Bill's `cncl` prefix). */
export const unusedKey = (bundleId: string, key: string): string => `cncl-${bundleId}:${key}`.slice(0, keyLengthMax);
