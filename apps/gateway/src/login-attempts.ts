/** A name may fail `burst` times at once, and after that as often as the rate gives. */
type Allowance = { readonly perSecond: number; readonly burst: number };

export type LoginAttempts = {
  /** Whole seconds that these have to wait before the next attempt; null: none. */
  waitSeconds(names: AttemptNames): number | null;
  failed(names: AttemptNames): void;
};

export type AttemptNames = { readonly address: string; readonly login: string };

/** One login from one address fails rarely; an address may be a proxy before many logins. */
const ofLogin: Allowance = { perSecond: 0.1, burst: 10 };
const ofAddress: Allowance = { perSecond: 2, burst: 100 };
const bucketsMax = 20_000;

/**
 * Counts failed logins, so that secrets cannot be guessed and the slow check of a secret cannot be used to keep the
 * platform busy. It is asked before a secret is checked; credentials that are known to be good are never held up.
 */
export const loginAttempts = (now: () => number = Date.now): LoginAttempts => {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>();
  const tokensOf = (name: string, { perSecond, burst }: Allowance): number => {
    const bucket = buckets.get(name);
    return bucket === undefined ? burst : Math.min(burst, bucket.tokens + ((now() - bucket.at) / 1000) * perSecond);
  };
  const take = (name: string, allowance: Allowance): void => {
    const tokens = tokensOf(name, allowance) - 1;
    buckets.delete(name);
    // In the order of use: the oldest is the fullest.
    if (buckets.size >= bucketsMax)
      for (const oldest of [...buckets.keys()].slice(0, bucketsMax / 10)) buckets.delete(oldest);
    buckets.set(name, { tokens: Math.max(tokens, 0), at: now() });
  };
  const allowances = ({ address, login }: AttemptNames): readonly (readonly [string, Allowance])[] => [
    [`address ${address}`, ofAddress],
    [`login ${address} ${login}`, ofLogin],
  ];
  return {
    waitSeconds: (names) => {
      const waits = allowances(names).map(([name, allowance]) => (1 - tokensOf(name, allowance)) / allowance.perSecond);
      const longest = Math.max(...waits);
      return longest > 0 ? Math.max(1, Math.ceil(longest)) : null;
    },
    failed: (names) => {
      for (const [name, allowance] of allowances(names)) take(name, allowance);
    },
  };
};
