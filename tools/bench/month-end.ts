import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { heapFlag, root } from '../services/child';
import { tenantId } from './due-accounts';
import type { Share } from './invoicing-services';
import { backendsOf, processesNamed, processorWatch } from './processor-time';

/** Which services share a process. Several processes have the broker between them; one has its bus in memory. */
export type Shape = {
  readonly name: string;
  readonly processes: readonly (readonly ('invoicing' | 'metering')[])[];
  readonly rabbitMqUrl: string | null;
};

export type MonthEndParts = {
  readonly shape: Shape;
  readonly databaseUrl: string;
  readonly store: { readonly url: string; readonly pid: () => number | null };
  readonly accounts: number;
  /** How far the tenant's clock is moved, so that all of them are due. */
  readonly aheadMs: number;
};

export type MonthEnd = {
  readonly seconds: number;
  /** By process, in the order of the shape. */
  readonly shares: readonly (Share & { readonly name: string })[];
  /**
   * Processor seconds of the processes that the services work with: PostgreSQL's that serve this database, its store's and
   * read models' connections together, and the whole broker, whoever else uses it.
   */
  readonly others: Readonly<Record<'event store' | 'PostgreSQL' | 'RabbitMQ', number>>;
};

type Running = {
  readonly name: string;
  begin(): void;
  /** What it has used since it was told to begin; it ends by itself then. */
  end(): Promise<Share>;
  kill(): void;
};

const profileFlags = (): readonly string[] => {
  const directory = process.env['BENCH_PROFILES'];
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];
};

const nextMessage = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the services ended with ${String(code)}`));
    child.once('exit', ended);
    child.once('error', reject);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message);
    });
  });

const startProcess = async (
  services: Shape['processes'][number],
  { shape, databaseUrl, store }: MonthEndParts,
): Promise<Running> => {
  const child = spawn(
    process.execPath,
    [
      heapFlag,
      ...profileFlags(),
      ...['-r', path.join(root, 'tools/register.cjs')],
      path.join(root, 'tools/bench/invoicing-services.ts'),
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        BENCH_SERVICES: services.join(','),
        BENCH_DATABASE: databaseUrl,
        BENCH_STORE: store.url,
        ...(shape.rabbitMqUrl === null ? {} : { BENCH_BROKER: shape.rabbitMqUrl }),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  await nextMessage(child);
  return {
    name: services.join(' and '),
    begin: () => void child.send('begin'),
    end: async () => {
      const told = nextMessage(child);
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.send('end');
      const share = (await told) as Share;
      await exited;
      return share;
    },
    kill: () => void child.kill('SIGKILL'),
  };
};

const counter = (pool: Pool) => {
  const count = async (sql: string): Promise<number> =>
    Number((await pool.query<{ n: string }>(`select count(*) as n from ${sql}`)).rows[0]?.n ?? 0);
  return async (table: string, wanted: number): Promise<void> => {
    while ((await count(table)) < wanted) await sleep(200);
  };
};

/** From the moment on which the accounts fall due until every invoice is in the read model. */
export const playMonthEnd = async (parts: MonthEndParts): Promise<MonthEnd> => {
  const { accounts, aheadMs, store } = parts;
  const pool = new Pool({ connectionString: parts.databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  const until = counter(pool);
  const running: Running[] = [];
  try {
    for (const services of parts.shape.processes) running.push(await startProcess(services, parts));
    await until('invoicing.due_work', accounts);
    await until('metering.usage_reports', accounts);
    const watches = {
      'event store': processorWatch(() => Promise.resolve([store.pid() ?? []].flat())),
      PostgreSQL: processorWatch(() => backendsOf(pool)),
      RabbitMQ: processorWatch(() =>
        Promise.resolve(parts.shape.rabbitMqUrl === null ? [] : processesNamed('beam.smp')),
      ),
    };
    const look = async (): Promise<void> => {
      for (const watch of Object.values(watches)) await watch.look();
    };
    await look();
    for (const one of running) one.begin();
    const started = performance.now();
    for (const schema of ['invoicing', 'metering'])
      await pool.query(`insert into "${schema}".tenant_clock (tenant_id, distance_ms) values ($1, $2)`, [
        tenantId,
        aheadMs,
      ]);
    const looking = setInterval(() => void look().catch(() => undefined), 1_000);
    await until('invoicing.invoices', 2 * accounts);
    const seconds = (performance.now() - started) / 1000;
    clearInterval(looking);
    await look();
    const shares = await Promise.all(running.map(async (one) => ({ name: one.name, ...(await one.end()) })));
    return {
      seconds,
      shares,
      others: {
        'event store': watches['event store'].seconds(),
        PostgreSQL: watches.PostgreSQL.seconds(),
        RabbitMQ: watches.RabbitMQ.seconds(),
      },
    };
  } finally {
    for (const one of running) one.kill();
    await pool.end();
  }
};
