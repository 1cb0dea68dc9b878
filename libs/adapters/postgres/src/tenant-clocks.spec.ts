import type { Sql } from './database';
import { tenantClocks } from './tenant-clocks';

const hour = 3_600_000;

/** A table whose rows are read at once and handed over when asked to. */
const slowTable = () => {
  const answers: (() => void)[] = [];
  const query = (text: string): Promise<readonly unknown[]> =>
    text.startsWith('select')
      ? new Promise((resolve) => answers.push(() => resolve([{ tenant_id: 't', distance_ms: 0n }])))
      : Promise.resolve([]);
  return { sql: { query } as Sql, answer: () => answers.shift()?.() };
};

it('does not put a clock back that was moved while the table was read', async () => {
  const { sql, answer } = slowTable();
  const clocks = tenantClocks(sql);
  const refreshed = clocks.refresh();
  await clocks.move(sql, 't', { distanceMs: hour });
  answer();
  await refreshed;
  expect(Date.parse(clocks.clock.now('t')) - Date.now()).toBeGreaterThan(hour / 2);
});
