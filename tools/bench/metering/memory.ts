import { readFileSync } from 'node:fs';
import { Pool } from 'pg';
import { counted } from '../counted';
import { type Figure, samplesOf } from '../measure';
import type { World } from '../world';
import { bodyOf, datasetOf, recordBytes, totalsOf } from './dataset';
import { defineUnits } from './ground';
import { perBody, sendOverHttp } from './producers';
import { expectExact, recordsOf, storedTotals } from './read-model';

export type MemoryPlan = { readonly seed: number; readonly records: number };

const stages = 10;
const watched = ['gateway', 'metering', 'event-store', 'accounts', 'invoicing'] as const;

/** Resident memory in MiB of each process, as it is now. */
const residentOf = (world: World): ReadonlyMap<string, number> =>
  new Map(
    watched.map((name) => {
      const pid = world.children.get(name)?.pid() ?? null;
      if (pid === null) throw new Error(`${name} does not run`);
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      return [name, Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024];
    }),
  );

const bytesSql = `
select schemaname as schema, sum(pg_total_relation_size(relid))::bigint::text as bytes
from pg_catalog.pg_stat_user_tables where schemaname in ('eventstore', 'metering') group by schemaname`;

const bytesOf = async (pool: Pool): Promise<ReadonlyMap<string, number>> =>
  new Map(
    (await pool.query<{ schema: string; bytes: string }>(bytesSql)).rows.map(({ schema, bytes }) => [
      schema,
      Number(bytes),
    ]),
  );

/** Millions of records in ten stages: what each process holds after each stage, and what a record takes for ever. */
export const meteringMemoryBench = async (world: World, { seed, records }: MemoryPlan): Promise<readonly Figure[]> => {
  const pool = new Pool({ connectionString: world.databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  const dataset = datasetOf({ seed, name: 'memory', beginMs: Date.now() });
  try {
    await defineUnits(world);
    const before = { totals: await storedTotals(pool), bytes: await bytesOf(pool) };
    const resident: ReadonlyMap<string, number>[] = [];
    const rates: number[] = [];
    const bodies = Math.ceil(records / perBody);
    for (let stage = 0; stage < stages; stage += 1) {
      const [from, to] = [stage, stage + 1].map((one) => Math.floor((bodies * one) / stages)) as [number, number];
      const started = performance.now();
      await sendOverHttp(world, bodiesFrom(from, to), { isPatient: true });
      await counted(pool);
      rates.push(((to - from) * perBody) / ((performance.now() - started) / 1000));
      resident.push(residentOf(world));
      const now = watched.map((name) => `${name} ${Math.round(resident.at(-1)?.get(name) ?? 0)}`).join(', ');
      console.log(`${to * perBody} records, ${Math.round(rates.at(-1) ?? 0)}/s; MiB resident: ${now}`);
    }
    const [totals, wanted] = [await storedTotals(pool), totalsOf(dataset, 0, records)];
    expectExact(before.totals, totals, wanted);
    const kept = recordsOf(wanted);
    const bytes = await bytesOf(pool);
    const grown = (schema: string): number => ((bytes.get(schema) ?? 0) - (before.bytes.get(schema) ?? 0)) / kept;
    return [
      { name: 'ingest over all stages', unit: 'records/s', measured: samplesOf(rates), notes: [`${records} records`] },
      ...watched.map((name) => growthFigure(name, resident)),
      ...watched.map((name): Figure => {
        const mib = resident.map((one) => one.get(name) ?? Number.NaN);
        return {
          name: `resident memory, ${name}`,
          unit: 'MiB',
          measured: samplesOf(mib),
          notes: [`after each tenth: ${mib.map((one) => Math.round(one)).join(', ')}`],
        };
      }),
      bytesFigure('log (table and indexes of the event store)', grown('eventstore')),
      bytesFigure('read model of metering (tables and indexes)', grown('metering')),
    ];
  } finally {
    await pool.end();
  }

  function* bodiesFrom(from: number, to: number): Generator<string> {
    for (let body = from; body < to; body += 1) yield bodyOf(dataset, body, perBody, records);
  }
};

/**
 * What a process holds in the last three tenths against the three before them. What is remembered up to a bound, and the
 * heap that the runtime lets itself have, are full by then; what still grows grows for ever.
 */
const growthFigure = (name: string, resident: readonly ReadonlyMap<string, number>[]): Figure => {
  const mean = (from: number, to: number): number =>
    resident.slice(from, to).reduce((sum, one) => sum + (one.get(name) ?? Number.NaN), 0) / (to - from);
  return {
    name: `resident memory in the last three tenths against the three before, ${name}`,
    unit: 'times',
    measured: samplesOf([mean(stages - 3, stages) / mean(stages - 6, stages - 3)]),
    atMost: 1.1,
  };
};

const bytesFigure = (name: string, value: number): Figure => ({
  name: `storage, ${name}`,
  unit: 'bytes a record',
  measured: samplesOf([value]),
  notes: [`of ${recordBytes} as sent`],
});
