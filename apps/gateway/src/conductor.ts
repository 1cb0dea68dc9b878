import { type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import { setTimeout as pause } from 'node:timers/promises';
import type { InnerApi } from './inner-api';

type Deadline = { readonly until: number; readonly roundsMax?: number };

const longestMoveMs = 30 * 60_000;
const shortestPauseMs = 2;
const longestPauseMs = 50;

/**
 * Moves test clocks and waits for what follows from that. The log tells when a tenant has come to rest: a fence is
 * appended; once every service has relayed, projected and heard everything before it and nothing is due, and nothing but
 * fences came after it, there is nothing left that could happen.
 */
export const conductor = (api: InnerApi, now: () => number = Date.now) => {
  /** False: the deadline or the number of rounds was reached first. */
  const settle = async (
    tenantId: string,
    { until, roundsMax = Number.MAX_SAFE_INTEGER }: Deadline,
  ): Promise<boolean> => {
    for (let round = 1; round <= roundsMax; round += 1) {
      const fence = await api.fence(tenantId);
      for (
        let wait = shortestPauseMs;
        !(await api.settled(tenantId, fence));
        wait = Math.min(wait * 2, longestPauseMs)
      ) {
        if (now() >= until) return false;
        await pause(wait);
      }
      if (await api.quiet(tenantId, fence)) return true;
      if (now() >= until) return false;
    }
    return false;
  };

  const current = async (tenantId: string): Promise<Instant> =>
    instantOfMs(now() + (await api.clock(tenantId)).distanceMs);

  /**
   * The clock jumps, as Kill Bill's does: what has fallen due is done late, at the clock's new time, but in the order of
   * its dates. What is not its turn yet is held back; what follows from it at the new time is not.
   */
  const move = async (tenantId: string, target: Instant | null): Promise<void> => {
    const until = now() + longestMoveMs;
    // What was done before the move must be known everywhere before time passes: a plan change still on its way would
    // reach invoicing after the bill of the day that the clock is moved to.
    await settle(tenantId, { until });
    const distanceMs = (): number => (target === null ? 0 : epochMs(target) - now());
    for (let last: Instant | null = null; target !== null && now() < until;) {
      const due: Instant | null = await api.nextDue(tenantId, target);
      if (due === null || due === target || due === last) break;
      last = due;
      await api.moveClock(tenantId, distanceMs(), { after: due, until: target });
      await settle(tenantId, { until });
    }
    await api.moveClock(tenantId, distanceMs());
    await settle(tenantId, { until });
  };

  /** A move whose conductor died is brought to its end by whoever waits for the tenant next. */
  const finish = async (tenantId: string): Promise<void> => {
    if ((await api.clock(tenantId)).heldUntil !== null) await move(tenantId, await current(tenantId));
  };

  const tails = new Map<string, Promise<unknown>>();
  /** One thing at a time for a tenant: a wait that comes during a move begins when the move has ended. */
  const inTurn = <T>(tenantId: string, work: () => Promise<T>): Promise<T> => {
    const result = (tails.get(tenantId) ?? Promise.resolve()).then(work, work);
    tails.set(tenantId, result);
    const done = (): void => {
      if (tails.get(tenantId) === result) tails.delete(tenantId);
    };
    result.then(done, done);
    return result;
  };

  return {
    current,
    /** What could not be done and is not waited for: a clock goes on without it. */
    failing: (tenantId: string) => api.failing(tenantId),
    /** Resolves when the move and all that is due are done. A caller that stops waiting does not stop the move. */
    move: (tenantId: string, target: Instant | null) => inTurn(tenantId, () => move(tenantId, target)),
    settle: (tenantId: string, deadline: Deadline) =>
      inTurn(tenantId, async () => {
        await finish(tenantId);
        return settle(tenantId, deadline);
      }),
    /** Without waiting for others who wait: for completion of one call among many. */
    settleNow: settle,
  };
};

export type Conductor = ReturnType<typeof conductor>;

/** What the promise gives within the time, else the word 'late'. The promise goes on. */
export const within = async <T>(seconds: number, work: Promise<T>): Promise<T | 'late'> => {
  const timer = new AbortController();
  const late = pause(seconds * 1000, 'late' as const, { signal: timer.signal, ref: false }).catch(
    () => 'late' as const,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
};
