import { type Instant, plusMs } from '@billstream/kernel';

const secondMs = 1_000;
const dayMs = 86_400 * secondMs;

export type RetryPolicy = {
  /** The n-th decline is tried again after the n-th of these. */
  readonly declinedRetryDays: readonly number[];
  /** The same for the n-th attempt that did not reach the provider or was turned away by it. */
  readonly failedRetrySeconds: readonly number[];
};

/** Kill Bill's defaults: for plugin failures 300 s, doubled, eight times; the first interval comes twice. */
export const standardRetryPolicy: RetryPolicy = {
  declinedRetryDays: [8, 8, 8],
  failedRetrySeconds: [300, 300, 600, 1_200, 2_400, 4_800, 9_600, 19_200],
};
/** Kill Bill's janitor looks after 5 minutes, 1 hour, then daily, five times. */
const unknownLooksMs = [300 * secondMs, 3_600 * secondMs, dayMs, dayMs, dayMs, dayMs, dayMs] as const;
/** 1 hour, then daily for a week: an eCheck takes days to clear. */
const pendingLooksMs = [3_600 * secondMs, dayMs, dayMs, dayMs, dayMs, dayMs, dayMs, dayMs] as const;

const after = (delays: readonly number[], nth: number, now: Instant): Instant | null => {
  const delayMs = delays[nth - 1];
  return delayMs === undefined ? null : plusMs(now, delayMs);
};

/** When the `nth` decline (from 1) of a payment is tried again; null: not any more. */
export const retryAfterDecline = ({ declinedRetryDays }: RetryPolicy, nth: number, now: Instant): Instant | null =>
  after(
    declinedRetryDays.map((days) => days * dayMs),
    nth,
    now,
  );

export const retryAfterFailure = ({ failedRetrySeconds }: RetryPolicy, nth: number, now: Instant): Instant | null =>
  after(
    failedRetrySeconds.map((seconds) => seconds * secondMs),
    nth,
    now,
  );

/** When to look for a lost answer after `looks` looks in vain, the call itself being the first. */
export const nextUnknownLook = (looks: number, now: Instant): Instant | null => after(unknownLooksMs, looks, now);
export const nextPendingLook = (looks: number, now: Instant): Instant | null => after(pendingLooksMs, looks, now);
