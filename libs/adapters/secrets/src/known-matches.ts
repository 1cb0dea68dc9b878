import { createHmac, randomBytes } from 'node:crypto';
import { matchesHash } from './secret-hash';

export type KnownMatchesOptions = {
  /** How long a match is remembered, in milliseconds. */
  readonly keptMs?: number;
  readonly max?: number;
  readonly now?: () => number;
  readonly matches?: (secret: string, hashed: string) => Promise<boolean>;
};

/**
 * Compares a secret with its hash, which is slow on purpose, once for a while. What did match is remembered under an HMAC of
 * both (the key lives in this process alone), so a secret that was changed or taken back, whose hash is another one or none,
 * is judged anew at once. What did not match is never remembered: guessing stays slow.
 */
export const knownMatches = ({
  keptMs = 600_000,
  max = 10_000,
  now = Date.now,
  matches = matchesHash,
}: KnownMatchesOptions = {}): ((secret: string, hashed: string) => Promise<boolean>) => {
  const key = randomBytes(32);
  const kept = new Map<string, number>();
  return async (secret, hashed) => {
    const name = createHmac('sha256', key)
      .update(JSON.stringify([secret, hashed]))
      .digest('base64');
    if ((kept.get(name) ?? 0) > now()) return true;
    kept.delete(name);
    const isMatch = await matches(secret, hashed);
    if (!isMatch) return false;
    const [oldest] = kept.keys();
    if (kept.size >= max && oldest !== undefined) kept.delete(oldest);
    kept.set(name, now() + keptMs);
    return true;
  };
};
