import { Pool } from 'pg';
import { callerOf } from './caller';
import { onDatabase } from './machine';
import { type Figure, type Plan, against, inLanes, randomOf } from './measure';
import type { World } from './world';

const connections = 16;
const recordsPerBody = 100;
const bodies = 400;
const usersMax = 2_000;
const rowsPerInsert = 500;
/** One record in fifty was sent before: clients repeat what they are not sure of. */
const repeatedEvery = 50;

type Record = {
  readonly unit: string;
  readonly user: string;
  readonly amount: number;
  readonly time: number;
  readonly source: string;
  readonly id: string;
};

const recordsOf = (name: string, seed: number): readonly Record[] => {
  const random = randomOf(seed);
  const begin = Date.UTC(2026, 0, 1);
  const records: Record[] = [];
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

const piecesOf = <T>(all: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));

const bareInsert = `
insert into bench_usage (source, id, unit, user_name, amount, at_ms)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[], $6::bigint[])
on conflict (source, id) do nothing`;

/** The same records straight into a table whose key keeps duplicates out: nothing else is done with them. */
const bareInserts = async (pool: Pool, records: readonly Record[]): Promise<number> => {
  await pool.query('drop table if exists bench_usage');
  await pool.query(
    'create table bench_usage (source text, id text, unit text not null, user_name text not null, amount numeric not null, at_ms bigint not null, primary key (source, id))',
  );
  const inserts = piecesOf(records, rowsPerInsert);
  const { seconds } = await inLanes(connections, inserts.length, async (piece) => {
    // In one order everywhere, or two statements with the same keys wait for each other.
    const rows = [...(inserts[piece] ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    const values = [
      rows.map((r) => r.source),
      rows.map((r) => r.id),
      rows.map((r) => r.unit),
      rows.map((r) => r.user),
      rows.map((r) => r.amount),
      rows.map((r) => r.time),
    ];
    await pool.query({ name: 'bench-usage', text: bareInsert, values });
  });
  return records.length / seconds;
};

const positionSql = `select (select coalesce(max(position), 0) from eventstore.events)::text as head, (select min(position) from metering.read_models)::text as reached`;

/** Waits until metering's read models have passed everything that the log held when this was called. */
const counted = async (pool: Pool): Promise<void> => {
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

const countOf = async (pool: Pool): Promise<number> =>
  Number(
    (await pool.query<{ count: string }>('select count(*) as count from metering.usage_records')).rows[0]?.count ?? 0,
  );

type Ingest = { readonly rate: number; readonly answeredRate: number };

const ingest = async (world: World, pool: Pool, records: readonly Record[]): Promise<Ingest> => {
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
      (round) => bareInserts(pool, recordsOf(`bare-${round}`, seed + round)),
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
