import { createHash } from 'node:crypto';

/** A name may fail `burst` times at once, and after that as often as the rate gives. */
type Allowance = { readonly perSecond: number; readonly burst: number };

export type LoginAttempts = {
  /** Counts an attempt as failed and answers null; or how many whole seconds these have to wait before the next one. */
  begin(names: AttemptNames): number | null;
  /** Takes the failure back. */
  succeeded(names: AttemptNames): void;
};

export type AttemptNames = { readonly address: string; readonly login: string };

/** One login from one address fails rarely; an address may be a proxy before many logins. */
const ofLogin: Allowance = { perSecond: 0.1, burst: 20 };
const ofAddress: Allowance = { perSecond: 2, burst: 100 };
const bucketsMax = 20_000;

/** Whoever has one IPv6 address has the 2^64 of its network; an IPv4 address stands for itself. */
const networkOf = (address: string): string => {
  const [plain = ''] = address.split('%', 1);
  if (!plain.includes(':') || plain.includes('.')) return address;
  const [before = '', after] = plain.split('::', 2);
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const left = groups(before);
  const right = after === undefined ? [] : groups(after);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0');
  const network = [...left, ...(after === undefined ? [] : zeros), ...right].slice(0, 4);
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
};

/** A name is as long as a header may be, and many are kept. */
const shortened = (login: string): string =>
  login.length <= 64 ? login : createHash('sha256').update(login).digest('base64');

/**
 * Counts failed logins, so that secrets cannot be guessed and the slow check of a secret cannot be used to keep the
 * platform busy. It is asked before a secret is checked, so that many at once are counted too; credentials that are known
 * to be good never come here.
 */
export const loginAttempts = (now: () => number = Date.now): LoginAttempts => {
  const buckets = new Map<string, { readonly tokens: number; readonly at: number }>();
  const tokensOf = (name: string, { perSecond, burst }: Allowance): number => {
    const bucket = buckets.get(name);
    return bucket === undefined ? burst : Math.min(burst, bucket.tokens + ((now() - bucket.at) / 1000) * perSecond);
  };
  const change = (name: string, allowance: Allowance, by: 1 | -1): void => {
    const tokens = Math.min(allowance.burst, tokensOf(name, allowance) + by);
    buckets.delete(name);
    // In the order of use: the oldest is the fullest.
    if (buckets.size >= bucketsMax)
      for (const oldest of [...buckets.keys()].slice(0, bucketsMax / 10)) buckets.delete(oldest);
    buckets.set(name, { tokens: Math.max(tokens, 0), at: now() });
  };
  const allowances = ({ address, login }: AttemptNames): readonly (readonly [string, Allowance])[] => [
    [`address ${networkOf(address)}`, ofAddress],
    [`login ${networkOf(address)} ${shortened(login)}`, ofLogin],
  ];
  return {
    begin: (names) => {
      const waits = allowances(names).map(([name, allowance]) => (1 - tokensOf(name, allowance)) / allowance.perSecond);
      const longest = Math.max(...waits);
      if (longest > 0) return Math.max(1, Math.ceil(longest));
      for (const [name, allowance] of allowances(names)) change(name, allowance, -1);
      return null;
    },
    succeeded: (names) => {
      for (const [name, allowance] of allowances(names)) change(name, allowance, 1);
    },
  };
};
