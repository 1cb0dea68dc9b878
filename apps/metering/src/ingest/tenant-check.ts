export type TenantStanding = 'KNOWN' | 'NOT_YET' | 'UNKNOWN';

export type TenantCheckParts = {
  readonly isKnown: (tenantId: string) => Promise<boolean>;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs: () => number;
};

/** News of a new tenant comes over the broker too, and may be later than its first usage. */
export const patienceMs = 30_000;
const waitingMax = 1_000;

/**
 * Whether there is such a tenant. One that nobody has told of is `NOT_YET` for a while after it was first asked for, and
 * `UNKNOWN` from then on until somebody tells of it. Who asks for more unknown ones at once than can be remembered is not
 * waited for.
 */
export const tenantCheck = ({ isKnown, nowMs }: TenantCheckParts) => {
  const known = new Set<string>();
  const firstAsked = new Map<string, number>();
  const isOver = (since: number): boolean => nowMs() - since >= patienceMs;
  return async (tenantId: string): Promise<TenantStanding> => {
    if (known.has(tenantId)) return 'KNOWN';
    if (await isKnown(tenantId)) {
      known.add(tenantId);
      firstAsked.delete(tenantId);
      return 'KNOWN';
    }
    const since = firstAsked.get(tenantId);
    if (since !== undefined) return isOver(since) ? 'UNKNOWN' : 'NOT_YET';
    const [oldest] = firstAsked;
    if (firstAsked.size >= waitingMax && oldest !== undefined) {
      if (!isOver(oldest[1])) return 'UNKNOWN';
      firstAsked.delete(oldest[0]);
    }
    firstAsked.set(tenantId, nowMs());
    return 'NOT_YET';
  };
};
