import { Pool } from 'pg';
import { bareInserts, rowsPerInsert } from '../bare-inserts';
import { counted } from '../counted';
import { type Figure, type Plan, against, quantile, samplesOf } from '../measure';
import type { World } from '../world';
import { type Dataset, bodiesOf, datasetOf, totalsOf } from './dataset';
import { defineUnits, tenantOf } from './ground';
import { type Latencies, underHalfLoad } from './half-load';
import { ingestWithKills } from './kill';
import { originalMissing } from './original';
import { originalFigures } from './original-figures';
import { connections, perBody, sendOverHttp, sendOverRabbitMq } from './producers';
import { expectExact, recordsOf, stored, storedTotals } from './read-model';

export type MeteringPlan = Plan & {
  readonly seed: number;
  /** Records of each timed run and of the run with kills. */
  readonly records: number;
  /** How long each round at half load lasts. */
  readonly seconds: number;
};

/** Half of what the project wants to take over HTTP, where two cores and producers beside it take more than that. */
const wantedRate = 20_000;

/** Usage of many users, a few of them busy, over both ways in; what a user waits for meanwhile; and what a kill leaves. */
export const meteringBench = async (world: World, plan: MeteringPlan): Promise<readonly Figure[]> => {
  const pool = new Pool({ connectionString: world.databaseUrl, max: connections });
  pool.on('error', () => undefined);
  const dataset = (name: string): Dataset => datasetOf({ seed: plan.seed, name, beginMs: Date.now() });
  try {
    await defineUnits(world);
    const http = await overHttp(world, pool, plan, dataset);
    const rate = http.find(({ floor }) => floor !== undefined)?.measured?.median ?? wantedRate;
    return [
      ...http,
      ...(await overRabbitMq(world, pool, plan, dataset)),
      ...(await atHalfLoad(world, pool, { plan, dataset, recordsPerSecond: Math.min(rate, wantedRate) / 2 })),
      ...(await afterKills(world, pool, plan, dataset)),
      ...(await originals(world, plan, dataset)),
    ];
  } finally {
    await pool.end();
  }
};

type DatasetNamed = (name: string) => Dataset;

/** Sends, waits until all is visible, and throws unless exactly that is there. Gives records a second. */
const timed = async (
  pool: Pool,
  dataset: Dataset,
  records: number,
  send: (bodies: readonly string[]) => Promise<unknown>,
): Promise<number> => {
  const bodies = bodiesOf(dataset, records, perBody);
  const before = await storedTotals(pool);
  const started = performance.now();
  await send(bodies);
  await counted(pool);
  const seconds = (performance.now() - started) / 1000;
  expectExact(before, await storedTotals(pool), totalsOf(dataset, 0, records));
  return records / seconds;
};

const overHttp = async (
  world: World,
  pool: Pool,
  plan: MeteringPlan,
  dataset: DatasetNamed,
): Promise<readonly Figure[]> => {
  const { records } = plan;
  const run = await against(
    plan,
    (round) => {
      const bare = dataset(`bare${round}`);
      return bareInserts(pool, connections, rowsOf(bare, records));
    },
    (round) => timed(pool, dataset(`http${round}`), records, (bodies) => sendOverHttp(world, bodies)),
  );
  await pool.query('drop table bench_usage');
  const name = `durable, deduplicated and visible, HTTP, ${perBody} a body, ${world.name}`;
  const floor = { name: `inserts of ${rowsPerInsert} rows, records/s`, measured: run.floor, ratio: run.ratio };
  return [
    { name, unit: 'records/s', measured: run.measured, floor, notes: [`${records} records a round`] },
    { name: `least rate over HTTP, ${world.name}`, unit: 'records/s', measured: run.measured, aim: wantedRate },
  ];
};

const rowsOf = (dataset: Dataset, count: number) =>
  Array.from({ length: count }, (_, number) => dataset.at(number).row).filter((row) => row !== null);

const overRabbitMq = async (
  world: World,
  pool: Pool,
  plan: MeteringPlan,
  dataset: DatasetNamed,
): Promise<readonly Figure[]> => {
  const { rabbitMqUrl } = world;
  if (rabbitMqUrl === null) return [];
  const tenantId = await tenantOf(world);
  const rates: number[] = [];
  for (let round = -plan.warmUps; round < plan.rounds; round += 1) {
    const records = dataset(`amqp${round}`);
    const wanted = recordsOf(totalsOf(records, 0, plan.records)) + recordsOf(await storedTotals(pool));
    const rate = await timed(pool, records, plan.records, async (bodies) => {
      await sendOverRabbitMq(rabbitMqUrl, tenantId, bodies);
      await stored(pool, wanted);
    });
    if (round >= 0) rates.push(rate);
  }
  const name = `durable, deduplicated and visible, RabbitMQ, ${perBody} a message, ${world.name}`;
  return [{ name, unit: 'records/s', measured: samplesOf(rates), notes: [`${plan.records} records a round`] }];
};

const atHalfLoad = async (
  world: World,
  pool: Pool,
  {
    plan,
    dataset,
    recordsPerSecond,
  }: { readonly plan: MeteringPlan; readonly dataset: DatasetNamed; readonly recordsPerSecond: number },
): Promise<readonly Figure[]> => {
  const rounds: Latencies[] = [];
  for (let round = -plan.warmUps; round < plan.rounds; round += 1) {
    const load = { recordsPerSecond, seconds: plan.seconds, name: `${world.name.replace(/\W/g, '')}-${round}` };
    const latencies = await underHalfLoad(world, pool, dataset(`half${round}`), load);
    if (round >= 0) rounds.push(latencies);
  }
  const at = `at ${Math.round(recordsPerSecond)} records/s, ${world.name}`;
  const figure = (name: string, what: keyof Latencies, q: number, atMost?: number): Figure => ({
    name: `${name} p${q * 100} ${at}`,
    unit: 'ms',
    measured: samplesOf(rounds.map((one) => quantile(one[what], q))),
    ...(atMost === undefined ? {} : { atMost }),
    notes: [`${rounds[0]?.[what].length ?? 0} a round`],
  });
  return [
    figure('acknowledged', 'ack', 0.5),
    figure('acknowledged', 'ack', 0.99, 50),
    figure('visible after the answer', 'visible', 0.99),
    figure('limit decided after the answer', 'decided', 0.99, 250),
    figure('limit told to listeners after the answer', 'told', 0.99),
    figure('limit check over HTTP', 'check', 0.5),
    figure('limit check over HTTP', 'check', 0.99, 5),
    figure('limit check over HTTP with Prefer: wait=0', 'checkAtOnce', 0.5),
    figure('limit check over HTTP with Prefer: wait=0', 'checkAtOnce', 0.99, 5),
    figure('limit check in process', 'checkInProcess', 0.5),
    figure('limit check in process', 'checkInProcess', 0.99),
  ];
};

const afterKills = async (
  world: World,
  pool: Pool,
  plan: MeteringPlan,
  dataset: DatasetNamed,
): Promise<readonly Figure[]> => {
  const { records, amount, kills } = await ingestWithKills(world, pool, dataset('kill'), plan.records);
  const notes = [`${kills} kills while ${plan.records} records are sent, unanswered bodies again`];
  const figure = (name: string, value: number, unit: string): Figure => ({
    name: `${name} after kill -9, ${world.name}`,
    unit,
    measured: samplesOf([value]),
    atMost: 0,
    notes,
  });
  return [
    figure('lost', records.missing, 'records'),
    figure('doubled', records.surplus, 'records'),
    figure('amount that is wrong', amount.missing + amount.surplus, 'units'),
  ];
};

/** The other side of the comparison; it knows nothing of Billstream, so it is measured beside one of the worlds only. */
const originals = async (world: World, plan: MeteringPlan, dataset: DatasetNamed): Promise<readonly Figure[]> => {
  if (world.rabbitMqUrl === null) return [];
  const missing = await originalMissing();
  if (missing === null) return originalFigures(plan, dataset);
  return [{ name: "the original's pattern", unit: '', measured: null, notes: [missing] }];
};
