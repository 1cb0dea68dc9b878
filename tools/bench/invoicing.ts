import { eventStoreDb } from '@billstream/eventstoredb';
import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { accountInvoicesStreams } from '@billstream/invoicing-domain';
import { instantOfMs } from '@billstream/kernel';
import { EventStoreDBClient, NO_STREAM, jsonEvent } from '@eventstore/db-client';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import pino from 'pino';
import { heapFlag, root } from '../services/child';
import { seedDueAccounts } from './due-accounts';
import { type Figure, inLanes, samplesOf } from './measure';
import { type Ground, ownGround, startStore } from './world';

const logger = pino({ level: 'warn' });
const dayMs = 86_400_000;
const aim = 300;

type Run = {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
  /** In use after a full collection, at most. */
  readonly heldMiB: number;
  readonly statements: number;
};

/** The services in a process of their own, whose memory is theirs alone. */
const runServices = (env: Readonly<Record<string, string>>): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [heapFlag, '-r', path.join(root, 'tools/register.cjs'), path.join(root, 'tools/bench/invoicing-services.ts')],
      { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (piece: string) => (text += piece));
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(text) as Run) : reject(new Error(`the services ended with ${String(code)}`)),
    );
  });

/** So many appends are enough to see how fast the bare client is; all of a large month end would not fit into memory. */
const floorAppends = 15_000;

type Written = {
  /** The first of them, each as it was appended. */
  readonly appends: readonly (readonly RecordedEvent[])[];
  readonly appendsInAll: number;
  readonly events: number;
};

/** What the runs wrote. */
const writtenSince = async (store: EventStore, after: bigint): Promise<Written> => {
  const appends = new Map<string, RecordedEvent[]>();
  let events = 0;
  for (let position = after; ;) {
    const page = await store.readAll({ after: position, prefixes: [accountInvoicesStreams, 'usageClosing-'] });
    events += page.events.length;
    for (const event of page.events) {
      const key = `${event.stream} ${event.metadata.commandId}`;
      const known = appends.get(key) ?? [];
      if (appends.size < floorAppends || known.length > 0) known.push(event);
      appends.set(key, known);
    }
    if (page.caughtUp)
      return { appends: [...appends.values()].filter(({ length }) => length > 0), appendsInAll: appends.size, events };
    position = page.position;
  }
};

/** The same appends by the bare client to streams that nobody reads; appends a second. */
const bareAppends = async (url: string, appends: Written['appends']): Promise<number> => {
  const client = EventStoreDBClient.connectionString(url);
  try {
    const { seconds } = await inLanes(16, appends.length, async (piece) => {
      const events = (appends[piece] ?? []).map(({ type, data, metadata }) =>
        jsonEvent({
          id: randomUUID(),
          type,
          data: data as Record<string, unknown>,
          metadata: { ...metadata },
        }),
      );
      await client.appendToStream(`bare-${randomUUID()}`, events, { expectedRevision: NO_STREAM });
    });
    return appends.length / seconds;
  } finally {
    await client.dispose();
  }
};

const monthEnd = async (
  ground: Ground,
  accounts: number,
): Promise<Run & { readonly rate: number; readonly floor: number; readonly events: number }> => {
  const server = await startStore(ground);
  const store = eventStoreDb({ connectionString: server.url, logger });
  try {
    await seedDueAccounts(store, accounts, instantOfMs(Math.ceil(Date.now() / dayMs + 1) * dayMs));
    const seeded = await store.head();
    const env = {
      BENCH_DATABASE: ground.databaseUrl,
      BENCH_STORE: server.url,
      BENCH_ACCOUNTS: String(accounts),
      BENCH_AHEAD_MS: String(3 * dayMs),
    };
    const run = await runServices(env);
    const { appends, appendsInAll, events } = await writtenSince(store, seeded);
    const floor = ((await bareAppends(server.url, appends)) * accounts) / appendsInAll;
    return { ...run, rate: accounts / run.seconds, floor, events };
  } finally {
    await store.close();
    await server.stop();
  }
};

/**
 * The end of a month: every account has one recurring line and one usage line due at the same instant. From the instant
 * on which they fall due until all invoices are in the log and in the read model, metering included; beside it the same
 * appends by the bare client. With few accounts and with many, to see whether memory grows.
 */
export const invoicingBench = async (ground: Ground, counts: readonly number[]): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const accounts of counts) {
    const own = await ownGround(ground.databaseUrl);
    try {
      const { rate, floor, seconds, cpuSeconds, peakRssMiB, heldMiB, statements, events } = await monthEnd(
        own,
        accounts,
      );
      figures.push({
        name: `invoices of ${accounts} accounts due at once`,
        unit: 'invoices/s',
        measured: samplesOf([rate]),
        floor: { name: 'the same appends, accounts/s', measured: samplesOf([floor]), ratio: samplesOf([rate / floor]) },
        aim,
        notes: [
          `${seconds.toFixed(1)} s`,
          `${((cpuSeconds * 1000) / accounts).toFixed(1)} ms of processor time an invoice`,
          `at most ${peakRssMiB} MiB resident, ${heldMiB} MiB of them in use after a full collection`,
          `${(events / accounts).toFixed(1)} events and ${(statements / accounts).toFixed(1)} SQL statements an invoice`,
        ],
      });
    } finally {
      await own.drop();
    }
  }
  return figures;
};
