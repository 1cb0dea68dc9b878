import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after the time or when the signal aborts, whichever is first; true when the time is over. */
export const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  delay(ms, true, { signal }).catch(() => false);

/** 100 ms, doubling to 5 s, each varied by a quarter so that services that fell together do not come back together. */
export const backOffMs = (attempt: number): number =>
  Math.min(5_000, 100 * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 2);
