type Limits = {
  /** Of all tenants together. */
  readonly concurrency: number;
  /** Of one tenant; as many as of all where tenants need not be kept apart. */
  readonly tenantConcurrency: number;
  readonly slowMs: number;
};

type Share = { readonly begunAt: Set<{ readonly at: number }>; isSlow: boolean };

/**
 * Who of the tenants gets how much of a worker, where their work may hang: a tenant gets fewer the fewer are free, so that
 * some hanging ones do not fill it. Slow tenants, whose work takes longer than `slowMs`, get one at a time and a quarter of
 * all together until some of it is quick again, so that those who hang for good leave room, however many they are.
 */
export const tenantShares = (
  { concurrency, tenantConcurrency, slowMs }: Limits,
  now: () => number = () => performance.now(),
) => {
  const shares = new Map<string, Share>();
  const isApart = tenantConcurrency < concurrency;
  const runningOf = (tenantId: string): number => shares.get(tenantId)?.begunAt.size ?? 0;
  const running = (tenantId?: string): number =>
    tenantId === undefined
      ? [...shares.values()].reduce((sum, { begunAt }) => sum + begunAt.size, 0)
      : runningOf(tenantId);

  /** Notes a piece of work; what it gives is to be called at its end. */
  const begin = (tenantId: string): (() => void) => {
    const share = shares.get(tenantId) ?? { begunAt: new Set(), isSlow: false };
    const begun = { at: now() };
    shares.set(tenantId, share);
    share.begunAt.add(begun);
    return () => {
      share.begunAt.delete(begun);
      share.isSlow = isApart && now() - begun.at > slowMs;
      if (share.begunAt.size === 0 && !share.isSlow) shares.delete(tenantId);
    };
  };

  const noteSlow = (): void => {
    for (const share of shares.values())
      if ([...share.begunAt].some(({ at }) => now() - at > slowMs)) share.isSlow = true;
  };

  /** How many may be begun now, and of whom none. */
  const next = (): { readonly free: number; readonly without: readonly string[] } => {
    const left = concurrency - running();
    if (!isApart) return { free: left, without: [] };
    noteSlow();
    const most = left > concurrency / 2 ? tenantConcurrency : Math.max(1, Math.floor(tenantConcurrency / 4));
    const all = [...shares];
    const ofSlow = all.reduce((sum, [, { isSlow, begunAt }]) => (isSlow ? sum + begunAt.size : sum), 0);
    const slowLeft = Math.floor(concurrency / 4) - ofSlow;
    const without = all.flatMap(([tenantId, { isSlow, begunAt }]) => {
      const isFull = begunAt.size >= (isSlow ? 1 : most);
      return isFull || (isSlow && slowLeft <= 0) ? [tenantId] : [];
    });
    return { free: Math.min(left, most), without };
  };

  return { begin, next, running };
};
