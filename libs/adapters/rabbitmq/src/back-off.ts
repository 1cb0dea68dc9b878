import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after the time or when the signal aborts, whichever is first; true when the time is over. */
export const pause = (ms: number, signal: AbortSignal): Promise<boolean> =>
  delay(ms, true, { signal }).catch(() => false);

/** Asked through a call, because a flag that was false a line ago may have changed while something was awaited. */
export const hasEnded = (signal: AbortSignal): boolean => signal.aborted;

/** 100 ms, doubling to 5 s, each varied by a quarter so that services that fell together do not come back together. */
export const backOffMs = (attempt: number): number =>
  Math.min(5_000, 100 * 2 ** Math.min(attempt, 10)) * (0.75 + Math.random() / 2);

/** What `work` gives, or `otherwise` once the signal aborts. Leaves no listener behind on a signal that lives long. */
export const unlessAborted = async <T, U>(
  work: Promise<T>,
  signal: AbortSignal,
  otherwise: () => U,
): Promise<T | U> => {
  let wake: () => void = () => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    wake = () => resolve('aborted');
    if (signal.aborted) wake();
    else signal.addEventListener('abort', wake, { once: true });
  });
  try {
    const first = await Promise.race([work.then((result) => ({ result })), aborted]);
    return first === 'aborted' ? otherwise() : first.result;
  } finally {
    signal.removeEventListener('abort', wake);
  }
};
