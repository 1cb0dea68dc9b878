import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database';

type Waiter = { readonly position: bigint; readonly resolve: (passed: boolean) => void };

const pollMs = 25;
const minimumSql = 'select min(position)::text as position from read_models';

/**
 * Who waits for a position of the read models. When another process projects, its progress is only seen in the database,
 * so it is asked there.
 */
export const positionWaiters = (
  database: Database,
  progress: () => { readonly position: bigint; readonly isActive: boolean },
) => {
  const waiting = new Set<Waiter>();

  const inProcess = (position: bigint, withinMs: number): Promise<boolean> =>
    new Promise((resolve) => {
      const waiter: Waiter = {
        position,
        resolve: (passed) => {
          clearTimeout(timer);
          waiting.delete(waiter);
          resolve(passed);
        },
      };
      const timer = setTimeout(() => {
        waiter.resolve(progress().position >= position);
      }, withinMs);
      waiting.add(waiter);
    });

  const inDatabase = async (position: bigint, withinMs: number): Promise<boolean> => {
    for (const end = Date.now() + withinMs; ;) {
      if (progress().position >= position) return true;
      if (progress().isActive) return inProcess(position, Math.max(0, end - Date.now()));
      const [row] = await database.query<{ position: string | null }>(minimumSql, [], 'checkpoints-minimum');
      if (row?.position != null && BigInt(row.position) >= position) return true;
      if (Date.now() >= end) return false;
      await sleep(pollMs);
    }
  };

  return {
    visible: (position: bigint, withinMs: number): Promise<boolean> => {
      const { position: reached, isActive } = progress();
      if (isActive && reached >= position) return Promise.resolve(true);
      return isActive ? inProcess(position, withinMs) : inDatabase(position, withinMs);
    },
    reached: (position: bigint): void => {
      for (const waiter of [...waiting]) if (waiter.position <= position) waiter.resolve(true);
    },
    close: (): void => {
      for (const waiter of [...waiting]) waiter.resolve(false);
    },
  };
};
