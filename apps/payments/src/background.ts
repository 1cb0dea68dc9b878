import { type OrphanedAttempt, countUnknownPayments, dispatchedAttempts } from '@billstream/payments-read-models';
import { setTimeout as delay } from 'node:timers/promises';
import type { Payments } from './payments';

const measureEveryMs = 10_000;

/**
 * Whatever was sent by a process that died before it could write down the answer is looked up at the start, and as soon
 * as no living process can be calling any more, not when the next look is due. And: how many payments nobody knows the
 * outcome of, for the alarm.
 */
export const lookAfterPayments = async (payments: Payments, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    await resolveOrphans(payments);
    await measure(payments);
    await delay(measureEveryMs, undefined, { signal }).catch(() => undefined);
  }
};

const resolveOrphans = async (payments: Payments): Promise<void> => {
  const { runtime, executor, transactions } = payments;
  for (const attempt of await orphans(payments)) {
    const dueAt = runtime.clock.now(attempt.tenantId);
    try {
      const { invoiceId, transactionId: correlationId } = attempt;
      if (invoiceId === null) await transactions.resolve({ ...attempt, correlationId });
      else await executor.resolve({ ...attempt, invoiceId, dueAt, correlationId });
    } catch (error) {
      // The attempt's own due work looks again; the others must not wait for it.
      runtime.logger.warn({ err: error, transactionId: attempt.transactionId }, 'orphaned payment not resolved yet');
    }
  }
};

/** What is being called by a living process is among them; the executor leaves it alone. */
const orphans = async ({ runtime }: Payments): Promise<readonly OrphanedAttempt[]> => {
  try {
    await runtime.caughtUp();
    return await dispatchedAttempts(runtime.database);
  } catch (error) {
    runtime.logger.warn({ err: error }, 'orphaned payments not looked for');
    return [];
  }
};

const measure = async ({ runtime }: Payments): Promise<void> => {
  try {
    runtime.metrics.gauge('payments_unknown', await countUnknownPayments(runtime.database));
  } catch (error) {
    runtime.logger.warn({ err: error }, 'unknown payments not counted');
  }
};
