import type { RouteClass } from './routes';

/** A bucket holds `burst` tokens and gains `perSecond`; a request takes one. */
export type RateLimits = Readonly<Record<RouteClass, { readonly perSecond: number; readonly burst: number }>>;

/** Far above what one tenant needs in ordinary use; meant to keep one tenant's mistake from being everybody's. */
export const generousLimits: RateLimits = {
  read: { perSecond: 500, burst: 1_000 },
  write: { perSecond: 250, burst: 500 },
  ingest: { perSecond: 500, burst: 1_000 },
};

const bucketsMax = 20_000;

/** Takes a token for a caller and answers null, or how many whole seconds until there is one. */
export const rateLimiter = (limits: RateLimits, now: () => number = Date.now) => {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (caller: string, routeClass: RouteClass): number | null => {
    const { perSecond, burst } = limits[routeClass];
    const name = `${routeClass} ${caller}`;
    const at = now();
    const before = buckets.get(name) ?? { tokens: burst, at };
    const tokens = Math.min(burst, before.tokens + ((at - before.at) / 1000) * perSecond);
    buckets.delete(name);
    // Buckets in the order of use: the oldest is the fullest, and a full one may be forgotten.
    if (buckets.size >= bucketsMax)
      for (const oldest of [...buckets.keys()].slice(0, bucketsMax / 10)) buckets.delete(oldest);
    buckets.set(name, { tokens: tokens < 1 ? tokens : tokens - 1, at });
    return tokens < 1 ? Math.max(1, Math.ceil((1 - tokens) / perSecond)) : null;
  };
};
