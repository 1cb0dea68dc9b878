import type { Pool } from 'pg';

const positionSql = `select (select coalesce(max(position), 0) from eventstore.events)::text as head, (select min(position) from metering.read_models)::text as reached`;

/** Waits until metering's read models have passed everything that the log held when this was called. */
export const counted = async (pool: Pool): Promise<void> => {
  let head: bigint | undefined;
  for (const deadline = Date.now() + 120_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const { rows } = await pool.query<{ head: string; reached: string | null }>({
      name: 'bench-position',
      text: positionSql,
      values: [],
    });
    head ??= BigInt(rows[0]?.head ?? 0);
    if (BigInt(rows[0]?.reached ?? -1) >= head) return;
    if (Date.now() > deadline) throw new Error('the read model did not follow');
  }
};

/**
 * The same for many who wait at once: one question at a time is asked for all of them, so that a read model that is behind
 * is not kept back by those who look at it. A wait ends when the position is known that the log had when it began, or later.
 */
export const countedWatch = (pool: Pool): { readonly counted: () => Promise<void> } => {
  let waiting: { head: bigint | null; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  let isLooking = false;
  const look = async (): Promise<void> => {
    while (waiting.length > 0) {
      const { rows } = await pool.query<{ head: string; reached: string | null }>({
        name: 'bench-position',
        text: positionSql,
        values: [],
      });
      const [head, reached] = [BigInt(rows[0]?.head ?? 0), BigInt(rows[0]?.reached ?? -1)];
      for (const one of waiting) one.head ??= head;
      const done = waiting.filter((one) => one.head !== null && reached >= one.head);
      waiting = waiting.filter((one) => !done.includes(one));
      for (const { resolve } of done) resolve();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    isLooking = false;
  };
  return {
    counted: () =>
      new Promise((resolve, reject) => {
        waiting.push({ head: null, resolve, reject });
        if (isLooking) return;
        isLooking = true;
        look().catch((error: unknown) => {
          isLooking = false;
          for (const one of waiting.splice(0)) one.reject(error);
        });
      }),
  };
};
