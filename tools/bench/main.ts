/**
 * `npm run bench -- [append|projection|invoicing|usage|reads|metering …] [--rounds 5] [--events 200000] [--seed 20181006]
 *   [--accounts 2000,10000] [--invoices 100,10000] [--records 10000000]
 *   [--seconds 20] [--quick] [--json FILE]`
 *
 * Measures what Billstream does beside what the parts under it can do at best, in one run on one machine. Needs
 * DATABASE_URL (a server on which databases may be created) and, for invoicing, usage and reads, RABBITMQ_URL.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { appendBench } from './append';
import { invoicingBench } from './invoicing';
import { longAccountBench } from './long-account';
import { machineOf } from './machine';
import { meteringMemoryBench } from './metering/memory';
import { meteringBench } from './metering/metering';
import type { Figure, Plan } from './measure';
import { projectionBench } from './projection';
import { type Report, headingOf, tableOf } from './report';
import { readsBench } from './reads';
import { usageBench } from './usage';
import { type Ground, type World, ownGround, servicesWorld, standaloneWorld } from './world';

type Options = {
  readonly plan: Plan;
  readonly seed: number;
  readonly events: number;
  /** Sizes of the month ends that `invoicing` plays. */
  readonly accounts: readonly number[];
  readonly invoices: readonly number[];
  /** What `metering` sends in each timed run, and `metering-memory` in all; null: each its own. */
  readonly records: number | null;
  /** Of each round at half load. */
  readonly seconds: number;
  readonly rabbitMqUrl: () => string;
};
type Bench = (ground: Ground, options: Options) => Promise<readonly Figure[]>;

/** Against separate processes first, then against the one process of `npm start`, on databases of their own. */
const inWorlds =
  (bench: (world: World, options: Options) => Promise<readonly Figure[]>): Bench =>
  async (ground, options) => {
    const inServices = await within(
      () => servicesWorld(ground, options.rabbitMqUrl()),
      (world) => bench(world, options),
    );
    const other = await ownGround(ground.databaseUrl);
    try {
      return [
        ...inServices,
        ...(await within(
          () => standaloneWorld(other),
          (world) => bench(world, options),
        )),
      ];
    } finally {
      await other.drop();
    }
  };

const within = async <T>(start: () => Promise<World>, work: (world: World) => Promise<T>): Promise<T> => {
  const world = await start();
  try {
    return await work(world);
  } finally {
    await world.stop();
  }
};

const benches: Readonly<Record<string, Bench>> = {
  append: (ground, { plan }) => appendBench(ground, plan),
  projection: (ground, { plan, seed, events }) => projectionBench(ground.databaseUrl, plan, { seed, events }),
  invoicing: (ground, { accounts, rabbitMqUrl }) => invoicingBench(ground, accounts, rabbitMqUrl()),
  'long-account': (ground, { invoices }) => longAccountBench(ground, invoices),
  usage: inWorlds((world, { plan, seed }) => usageBench(world, plan, seed)),
  reads: inWorlds((world, { plan }) => readsBench(world, plan)),
  metering: inWorlds((world, { plan, seed, records, seconds }) =>
    meteringBench(world, { ...plan, seed, seconds, records: records ?? 100_000 }),
  ),
  'metering-memory': async (ground, { seed, records, rabbitMqUrl }) =>
    within(
      () => servicesWorld(ground, rabbitMqUrl()),
      (world) => meteringMemoryBench(world, { seed, records: records ?? 1_000_000 }),
    ),
};

const required = (name: string, example: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set, e.g. ${name}=${example}`);
  return value;
};

const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above zero`);
  return value;
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string', default: '5' },
      events: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '20181006' },
      accounts: { type: 'string', default: '2000,10000' },
      invoices: { type: 'string', default: '100,10000' },
      records: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  const unknown = positionals.filter((name) => !(name in benches));
  if (unknown.length > 0)
    throw new Error(`there is no bench named ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  const serverUrl = required('DATABASE_URL', 'postgres://postgres@127.0.0.1:5432/postgres');
  const options: Options = {
    plan: { rounds: values.quick ? 1 : whole('rounds', values.rounds), warmUps: 1 },
    seed: whole('seed', values.seed),
    events: whole('events', values.events),
    accounts: values.accounts.split(',').map((text) => whole('accounts', text)),
    invoices: values.invoices.split(',').map((text) => whole('invoices', text)),
    records: values.records === undefined ? (values.quick ? 20_000 : null) : whole('records', values.records),
    seconds: whole('seconds', values.seconds ?? (values.quick ? '5' : '20')),
    rabbitMqUrl: () => required('RABBITMQ_URL', 'amqp://guest:guest@127.0.0.1:5672'),
  };
  const head = { at: new Date().toISOString(), seed: options.seed, machine: await machineOf(serverUrl) };
  console.log(
    `${headingOf({ ...head, figures: [] })}\n${options.plan.rounds} rounds after ${options.plan.warmUps} of warm-up; load generator and floor on the same machine\n`,
  );
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const ground = await ownGround(serverUrl);
    try {
      const own = await bench(ground, options);
      console.log(`\n${name}\n\n${tableOf(own)}`);
      figures.push(...own);
    } finally {
      await ground.drop();
    }
  }
  const report: Report = { ...head, figures };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
};

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exit(1);
  },
);
