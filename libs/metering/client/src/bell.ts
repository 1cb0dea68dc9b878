/** Lets several wait for the next time that something happens, with nothing left behind by those who stop waiting. */
export type Bell = {
  readonly ring: () => void;
  /** Resolves at the next ring, or after the time. `keepsAlive`: the process does not end while this waits. */
  rung(options?: { readonly withinMs?: number; readonly keepsAlive?: boolean }): Promise<void>;
};

export const createBell = (): Bell => {
  const waiting = new Set<() => void>();
  return {
    ring: () => {
      for (const wake of [...waiting]) wake();
    },
    rung: ({ withinMs, keepsAlive = false } = {}) =>
      new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = withinMs === undefined ? undefined : setTimeout(wake, withinMs);
        if (!keepsAlive) timer?.unref();
        waiting.add(wake);
      }),
  };
};
