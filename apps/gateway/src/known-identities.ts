import { createHmac, randomBytes } from 'node:crypto';
import type { Credentials, Identity } from './inner-api';

/** So long an identity is believed without another question. */
const freshMs = 5_000;
/** Until then a request is answered by what is known while the question is asked: nobody waits for it who comes often. */
const askedBehindMs = 10_000;
/** So long an identity without roles of the log outlives a service that cannot be asked. */
const keptMs = 60_000;
const keptMax = 10_000;

type Kept = {
  readonly identity: Identity;
  /** When the question was asked. */
  readonly askedAt: number;
  readonly until: number;
};

export type KnownIdentities = {
  readonly identify: (credentials: Credentials) => Promise<Identity>;
  /** Whether they were good a moment ago, or are being asked about. */
  readonly isKnown: (credentials: Credentials) => boolean;
};

/**
 * What was found good of credentials is kept under an HMAC of what was presented (the key lives in this process alone);
 * a refusal is never kept. Whoever was taken their credentials or roles is refused, or has the new ones, 10 s later at the
 * latest. Where accounts cannot be asked, administrators and tenants are let in for up to 60 s after they were last known.
 */
export const knownIdentities = (
  authenticate: (credentials: Credentials) => Promise<Identity>,
  now: () => number,
): KnownIdentities => {
  const key = randomBytes(32);
  const kept = new Map<string, Kept>();
  const asked = new Map<string, Promise<Identity>>();

  const nameOf = (credentials: Credentials): string =>
    createHmac('sha256', key)
      .update(JSON.stringify(Object.values(credentials)))
      .digest('base64');
  const knownAs = (name: string): Kept | null => {
    const known = kept.get(name);
    if (known && known.until > now()) return known;
    kept.delete(name);
    return null;
  };

  const learn = async (name: string, credentials: Credentials): Promise<Identity> => {
    const askedAt = now();
    const identity = await authenticate(credentials);
    if (identity.problems.length > 0) kept.delete(name);
    else {
      if (kept.size >= keptMax) kept.clear();
      const isLasting = identity.user === null || identity.permissions.includes('*');
      kept.set(name, { identity, askedAt, until: askedAt + (isLasting ? keptMs : askedBehindMs) });
    }
    return identity;
  };
  /** However many present the same at once, it is one question. */
  const ask = (name: string, credentials: Credentials): Promise<Identity> => {
    const pending = asked.get(name) ?? learn(name, credentials).finally(() => asked.delete(name));
    asked.set(name, pending);
    return pending;
  };

  const identify = async (credentials: Credentials): Promise<Identity> => {
    const name = nameOf(credentials);
    const known = knownAs(name);
    if (known === null) return ask(name, credentials);
    const age = now() - known.askedAt;
    if (age < freshMs) return known.identity;
    const answer = ask(name, credentials).catch((error: unknown) => {
      if (known.until > now()) return known.identity;
      throw error;
    });
    if (age >= askedBehindMs) return answer;
    answer.catch(() => undefined);
    return known.identity;
  };

  const isKnown = (credentials: Credentials): boolean => {
    const name = nameOf(credentials);
    return knownAs(name) !== null || asked.has(name);
  };

  return { identify, isKnown };
};
