import type { Pool } from 'pg';
import { counted } from '../counted';
import type { World } from '../world';
import { type Dataset, bodiesOf, totalsOf } from './dataset';
import { perBody, sendOverHttp } from './producers';
import { type Difference, differenceOf, storedTotals } from './read-model';

export type AfterKill = {
  readonly records: Difference;
  readonly amount: Difference;
  readonly kills: number;
};

/**
 * Kills the process that takes usage, and the one that keeps the log, in the middle of being sent to. Clients send
 * whatever was not answered again. What is there at the end is compared with what was sent.
 */
export const ingestWithKills = async (
  world: World,
  pool: Pool,
  dataset: Dataset,
  count: number,
): Promise<AfterKill> => {
  // What was sent before and is taken, but not yet counted, is none of what this sends.
  await counted(pool);
  const before = await storedTotals(pool);
  const bodies = bodiesOf(dataset, count, perBody);
  const victims = [...world.children].filter(([name]) => ['metering', 'event-store', 'standalone'].includes(name));
  // Each of them twice, at even distances.
  const plan = [...victims, ...victims].map(([, child], index, all) => ({
    child,
    at: Math.floor(((index + 1) * bodies.length) / (all.length + 1)),
  }));
  await sendOverHttp(world, bodies, {
    isPatient: true,
    onAnswer: (sent) => {
      for (const { child } of plan.filter(({ at }) => at === sent)) child.kill9();
    },
  });
  await counted(pool);
  const [after, wanted] = [await storedTotals(pool), totalsOf(dataset, 0, count)];
  return {
    records: differenceOf(before, after, wanted, 'records'),
    amount: differenceOf(before, after, wanted, 'amount'),
    kills: plan.length,
  };
};
