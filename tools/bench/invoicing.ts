import { eventStoreDb } from '@billstream/eventstoredb';
import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { accountInvoicesStreams } from '@billstream/invoicing-domain';
import { instantOfMs } from '@billstream/kernel';
import { EventStoreDBClient, NO_STREAM, jsonEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { seedDueAccounts } from './due-accounts';
import { type Figure, inLanes, samplesOf } from './measure';
import { type MonthEnd, type Shape, playMonthEnd } from './month-end';
import { type Ground, ownGround, ownVirtualHost, startStore } from './world';

const logger = pino({ level: 'warn' });
const dayMs = 86_400_000;
const aim = 300;

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

type Played = MonthEnd & {
  /** The same appends by the bare client, in accounts a second. */
  readonly bare: number;
  readonly events: number;
};

const monthEnd = async (ground: Ground, accounts: number, shape: Shape): Promise<Played> => {
  const server = await startStore(ground);
  const store = eventStoreDb({ connectionString: server.url, logger });
  try {
    await seedDueAccounts(store, accounts, instantOfMs(Math.ceil(Date.now() / dayMs + 1) * dayMs));
    const seeded = await store.head();
    const parts = { shape, databaseUrl: ground.databaseUrl, store: server, accounts, aheadMs: 3 * dayMs };
    const played = await playMonthEnd(parts);
    const { appends, appendsInAll, events } = await writtenSince(store, seeded);
    const bare = ((await bareAppends(server.url, appends)) * accounts) / appendsInAll;
    return { ...played, bare, events };
  } finally {
    await store.close();
    await server.stop();
  }
};

const figuresOf = (shape: Shape, accounts: number, played: Played): readonly Figure[] => {
  const { seconds, shares, others, bare, events } = played;
  const perInvoice = (cpuSeconds: number): number => (cpuSeconds * 1000) / accounts;
  const times = [
    ...shares.map(({ name, cpuSeconds }): [string, number] => [name, perInvoice(cpuSeconds)]),
    ...Object.entries(others).map(([name, cpuSeconds]): [string, number] => [name, perInvoice(cpuSeconds)]),
  ];
  const inAll = times.reduce((sum, [, ms]) => sum + ms, 0);
  const statements = shares.reduce((sum, one) => sum + one.statements, 0);
  const what = `invoices of ${accounts} accounts due at once, ${shape.name}`;
  return [
    {
      name: what,
      unit: 'invoices/s',
      measured: samplesOf([accounts / seconds]),
      aim,
      notes: [
        `${seconds.toFixed(1)} s`,
        `${(events / accounts).toFixed(1)} events and ${(statements / accounts).toFixed(1)} SQL statements an invoice`,
        `the same appends by the bare client: ${Math.round(bare)} accounts/s`,
      ],
    },
    {
      name: `processor time of ${what}`,
      unit: 'ms an invoice',
      measured: samplesOf([inAll]),
      notes: times.map(([name, ms]) => `${name} ${ms.toFixed(2)}`),
    },
    ...shares.map((one): Figure => ({
      name: `memory of ${one.name} at ${what}`,
      unit: 'MiB resident at most',
      measured: samplesOf([one.peakRssMiB]),
      notes: [
        `${one.heldMiB} MiB of the heap in use after a full collection`,
        `${one.externalMiB} MiB outside of the heap at most`,
      ],
    })),
  ];
};

/**
 * The end of a month: every account has one recurring line and one usage line due at the same instant. From the instant
 * on which they fall due until all invoices are in the log and in the read model, metering included: in the processes of
 * production, with the broker between them, and in one process. With few accounts and with many, to see whether memory
 * grows.
 */
export const invoicingBench = async (
  ground: Ground,
  counts: readonly number[],
  rabbitMqUrl: string,
): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const accounts of counts) {
    const host = await ownVirtualHost(rabbitMqUrl);
    try {
      const shapes: readonly Shape[] = [
        { name: 'processes of their own', processes: [['invoicing'], ['metering']], rabbitMqUrl: host.url },
        { name: 'one process', processes: [['invoicing', 'metering']], rabbitMqUrl: null },
      ];
      for (const shape of shapes) figures.push(...(await onOwnGround(ground, accounts, shape)));
    } finally {
      await host.drop();
    }
  }
  return figures;
};

const onOwnGround = async (ground: Ground, accounts: number, shape: Shape): Promise<readonly Figure[]> => {
  const own = await ownGround(ground.databaseUrl);
  try {
    return figuresOf(shape, accounts, await monthEnd(own, accounts, shape));
  } finally {
    await own.drop();
  }
};
