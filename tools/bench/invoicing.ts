import { eventStoreDb } from '@billstream/eventstoredb';
import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { accountInvoicesStreams } from '@billstream/invoicing-domain';
import { instantOfMs } from '@billstream/kernel';
import { EventStoreDBClient, NO_STREAM, jsonEvent } from '@eventstore/db-client';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import pino from 'pino';
import { root } from '../services/child';
import { seedDueAccounts } from './due-accounts';
import { type Figure, inLanes, samplesOf } from './measure';
import { type Ground, ownGround, startStore } from './world';

const logger = pino({ level: 'warn' });
const dayMs = 86_400_000;
const aim = 300;

type Run = { readonly seconds: number; readonly cpuSeconds: number; readonly peakRssMiB: number };

/** The services in a process of their own, whose memory is theirs alone. */
const runServices = (env: Readonly<Record<string, string>>): Promise<Run> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ['-r', path.join(root, 'tools/register.cjs'), path.join(root, 'tools/bench/invoicing-services.ts')],
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

/** What the runs wrote, in the groups in which it was appended. */
const writtenSince = async (store: EventStore, after: bigint): Promise<readonly (readonly RecordedEvent[])[]> => {
  const groups = new Map<string, RecordedEvent[]>();
  for (let position = after; ;) {
    const page = await store.readAll({ after: position, prefixes: [accountInvoicesStreams, 'usageClosing-'] });
    for (const event of page.events) {
      const key = `${event.stream} ${event.metadata.commandId}`;
      groups.set(key, [...(groups.get(key) ?? []), event]);
    }
    if (page.caughtUp) return [...groups.values()];
    position = page.position;
  }
};

/** The same appends by the bare client to streams that nobody reads; accounts a second. */
const bareAppends = async (
  url: string,
  groups: readonly (readonly RecordedEvent[])[],
  accounts: number,
): Promise<number> => {
  const client = EventStoreDBClient.connectionString(url);
  try {
    const { seconds } = await inLanes(16, groups.length, async (piece) => {
      const events = (groups[piece] ?? []).map(({ type, data, metadata }) =>
        jsonEvent({
          id: randomUUID(),
          type,
          data: data as Record<string, unknown>,
          metadata: { ...metadata },
        }),
      );
      await client.appendToStream(`bare-${randomUUID()}`, events, { expectedRevision: NO_STREAM });
    });
    return accounts / seconds;
  } finally {
    await client.dispose();
  }
};

const monthEnd = async (
  ground: Ground,
  accounts: number,
): Promise<Run & { readonly rate: number; readonly floor: number }> => {
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
    const floor = await bareAppends(server.url, await writtenSince(store, seeded), accounts);
    return { ...run, rate: accounts / run.seconds, floor };
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
      const { rate, floor, seconds, cpuSeconds, peakRssMiB } = await monthEnd(own, accounts);
      figures.push({
        name: `invoices of ${accounts} accounts due at once`,
        unit: 'invoices/s',
        measured: samplesOf([rate]),
        floor: { name: 'the same appends, accounts/s', measured: samplesOf([floor]), ratio: samplesOf([rate / floor]) },
        aim,
        notes: [
          `${seconds.toFixed(1)} s`,
          `${((cpuSeconds * 1000) / accounts).toFixed(1)} ms of processor time an invoice`,
          `at most ${peakRssMiB} MiB resident`,
        ],
      });
    } finally {
      await own.drop();
    }
  }
  return figures;
};
