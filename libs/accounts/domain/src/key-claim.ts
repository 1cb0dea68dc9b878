import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';

/** One stream a key: whoever appends to it first owns the key for ever. `ownerId` is an account's or a tenant's id. */
export type KeyClaimed = { readonly type: 'KeyClaimed'; readonly data: { readonly ownerId: string } };
export type ClaimKey = { readonly type: 'ClaimKey'; readonly data: { readonly ownerId: string } };
export type KeyTaken = { readonly code: 'key-taken'; readonly ownerId: string };
export type KeyClaim = { readonly ownerId: string | null };

/**
 * The claim comes before what it is for. A claim whose owner was never created (a crash in between) names the id under
 * which the next one with the same key creates it.
 */
export const keyClaim: Decider<ClaimKey, KeyClaimed, KeyClaim, KeyTaken> = {
  initial: { ownerId: null },
  decide: ({ data: { ownerId } }, claim) => {
    if (claim.ownerId === null) return accept({ type: 'KeyClaimed', data: { ownerId } });
    return claim.ownerId === ownerId ? accept() : reject({ code: 'key-taken', ownerId: claim.ownerId });
  },
  evolve: (_claim, { data: { ownerId } }) => ({ ownerId }),
};

export const accountKeySchema = defineSchema<KeyClaimed>({ KeyClaimed: 'accountKey.key-claimed.v1' });
export const tenantKeySchema = defineSchema<KeyClaimed>({ KeyClaimed: 'tenantKey.key-claimed.v1' });
