import { readFileSync, readdirSync } from 'node:fs';
import type { Pool } from 'pg';

/** The kernel counts processor time in hundredths of a second wherever Linux runs. */
const ticksPerSecond = 100;

/** Processor seconds that a process has taken so far, user and system; null: it is gone, or this is no Linux. */
export const processorSecondsOf = (pid: number): number | null => {
  try {
    // The second field, the name, may hold blanks and brackets; the ones after its last bracket do not.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return null;
  }
};

/** Processes by the name that the kernel knows them by. */
export const processesNamed = (name: string): readonly number[] => {
  try {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number)
      .filter((pid) => nameOf(pid) === name);
  } catch {
    return [];
  }
};

const nameOf = (pid: number): string | null => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
};

/** PostgreSQL's processes that serve the pool's database, where they are processes of this machine. */
export const backendsOf = async (pool: Pool): Promise<readonly number[]> => {
  const { rows } = await pool.query<{ pid: number }>(
    'select pid from pg_stat_activity where datname = current_database()',
  );
  return rows.map(({ pid }) => pid).filter((pid) => nameOf(pid)?.startsWith('postgres') === true);
};

/**
 * Processor seconds of processes that come and go, since it was made: each counts until it was last seen. Look now and then.
 */
export const processorWatch = (pidsNow: () => Promise<readonly number[]>) => {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  let isFirstLook = true;
  return {
    look: async (): Promise<void> => {
      for (const pid of await pidsNow()) {
        const seconds = processorSecondsOf(pid);
        if (seconds === null) continue;
        // Who was not there at the first look has begun since.
        if (!first.has(pid)) first.set(pid, isFirstLook ? seconds : 0);
        last.set(pid, seconds);
      }
      isFirstLook = false;
    },
    seconds: (): number => [...last].reduce((sum, [pid, seconds]) => sum + seconds - (first.get(pid) ?? 0), 0),
  };
};
