import { countUnknownPayments, dispatchedAttempts } from '@billstream/payments-read-models';
import { setTimeout as delay } from 'node:timers/promises';
import type { Payments } from './payments';

const measureEveryMs = 10_000;

/**
 * At start: whatever was sent by a process that died before it could write down the answer is looked up now, not when
 * the next look is due. Afterwards: how many payments nobody knows the outcome of, for the alarm.
 */
export const lookAfterPayments = async (payments: Payments, signal: AbortSignal): Promise<void> => {
  await resolveOrphans(payments);
  while (!signal.aborted) {
    await measure(payments);
    await delay(measureEveryMs, undefined, { signal }).catch(() => undefined);
  }
};

export const resolveOrphans = async ({ runtime, executor }: Payments): Promise<void> => {
  await runtime.caughtUp();
  for (const attempt of await dispatchedAttempts(runtime.database)) {
    const dueAt = runtime.clock.now(attempt.tenantId);
    try {
      await executor.resolve({ ...attempt, dueAt, correlationId: attempt.transactionId });
    } catch (error) {
      // The attempt's own due work looks again; the others must not wait for it.
      runtime.logger.warn({ err: error, transactionId: attempt.transactionId }, 'orphaned payment not resolved yet');
    }
  }
};

const measure = async ({ runtime }: Payments): Promise<void> => {
  try {
    runtime.metrics.gauge('payments_unknown', await countUnknownPayments(runtime.database));
  } catch (error) {
    runtime.logger.warn({ err: error }, 'unknown payments not counted');
  }
};
