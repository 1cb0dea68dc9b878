import { Pool } from 'pg';
import { bareInserts, piecesOf, rowsPerInsert, type UsageRow } from './bare-inserts';
import { callerOf } from './caller';
import { counted } from './counted';
import { onDatabase } from './machine';
import { type Figure, type Plan, against, inLanes, randomOf } from './measure';
import type { World } from './world';

const connections = 16;
const recordsPerBody = 100;
const bodies = 400;
const usersMax = 2_000;
/** One record in fifty was sent before: clients repeat what they are not sure of. */
const repeatedEvery = 50;

const recordsOf = (name: string, seed: number): readonly UsageRow[] => {
  const random = randomOf(seed);
  const begin = Date.UTC(2026, 0, 1);
  const records: UsageRow[] = [];
  for (let i = 0; i < bodies * recordsPerBody; i += 1) {
    const earlier = i % repeatedEvery === repeatedEvery - 1 ? records[Math.floor(random() * i)] : undefined;
    records.push(
      earlier ?? {
        unit: 'analytics',
        user: `user-${Math.floor(random() * usersMax)}`,
        amount: 1 + Math.floor(random() * 100),
        time: begin + Math.floor(random() * 30 * 86_400_000),
        source: 'bench',
        id: `${name}-${i}`,
      },
    );
  }
  return records;
};

const countOf = async (pool: Pool): Promise<number> =>
  Number(
    (await pool.query<{ count: string }>('select count(*) as count from metering.usage_records')).rows[0]?.count ?? 0,
  );

type Ingest = { readonly rate: number; readonly answeredRate: number };

const ingest = async (world: World, pool: Pool, records: readonly UsageRow[]): Promise<Ingest> => {
  const before = await countOf(pool);
  const bodiesOf = piecesOf(records, recordsPerBody).map((batch) => JSON.stringify(batch));
  const caller = callerOf(world, connections);
  try {
    const started = performance.now();
    const { seconds } = await inLanes(connections, bodiesOf.length, async (piece) => {
      await caller.expect(202, 'POST', '/meter/record/json', bodiesOf[piece] ?? '');
    });
    await counted(pool);
    const whole = (performance.now() - started) / 1000;
    const added = (await countOf(pool)) - before;
    const wanted = new Set(records.map(({ id }) => id)).size;
    if (added !== wanted) throw new Error(`${added} records are in the read model, ${wanted} different ones were sent`);
    return { rate: records.length / whole, answeredRate: records.length / seconds };
  } finally {
    await caller.close();
  }
};

/**
 * Usage through the gateway, 16 connections, 100 records a body, until the last one is deduplicated and visible, against
 * batched inserts of the same records into the same PostgreSQL.
 */
export const usageBench = async (world: World, plan: Plan, seed: number): Promise<readonly Figure[]> => {
  const pool = new Pool({ connectionString: world.databaseUrl, max: connections });
  pool.on('error', () => undefined);
  try {
    const answered: number[] = [];
    const run = await against(
      plan,
      (round) => bareInserts(pool, connections, recordsOf(`bare-${round}`, seed + round)),
      async (round) => {
        const { rate, answeredRate } = await ingest(world, pool, recordsOf(`${world.name}-${round}`, seed + round));
        answered.push(answeredRate);
        return rate;
      },
    );
    const size = await onDatabase(
      world.databaseUrl,
      async (client) =>
        (
          await client.query<{ events: string }>(
            `select count(*) as events from eventstore.events e join eventstore.streams s on s.id = e.stream_id where s.name like 'usage-%'`,
          )
        ).rows[0]?.events,
    );
    const notes = [
      `${bodies * recordsPerBody} records a round, every ${repeatedEvery}th a repetition`,
      `answered at ${Math.round(Math.max(...answered))}/s at best`,
      `${size ?? '?'} usage events in all`,
    ];
    return [
      {
        name: `usage, POST /meter/record/json, ${world.name}`,
        unit: 'records/s',
        measured: run.measured,
        floor: { name: `inserts of ${rowsPerInsert} rows, records/s`, measured: run.floor, ratio: run.ratio },
        aim: 0.3,
        notes,
      },
      { name: `usage, least rate, ${world.name}`, unit: 'records/s', measured: run.measured, aim: 10_000 },
    ];
  } finally {
    await pool.end();
  }
};
