import { accountsReadModel, balancesReadModel } from '@billstream/accounts-read-models';
import { eventStoreDb } from '@billstream/eventstoredb';
import type { EventStore } from '@billstream/event-sourcing';
import {
  dueInvoicesReadModel,
  auditReadModel as invoicesAudit,
  invoicesReadModel,
} from '@billstream/invoicing-read-models';
import { meteringReadModel } from '@billstream/metering-read-models';
import { auditReadModel as paymentsAudit, paymentsReadModel } from '@billstream/payments-read-models';
import {
  type Database,
  type ReadModel,
  openDatabase,
  prepareReadModels,
  rebuildReadModel,
  runProjections,
  runtimeDdl,
} from '@billstream/postgres';
import { bundlesReadModel, auditReadModel as bundlesAudit } from '@billstream/subscriptions-read-models';
import { EventStoreDBClient, START, streamNameFilter } from '@eventstore/db-client';
import pino from 'pino';
import { seedCustomers } from './customers';
import { type Figure, type Plan, against } from './measure';
import { seedInvoicedCustomers } from './invoiced-customers';
import { seedUsage } from './usage-history';
import { type Ground, ownGround, startStore } from './world';

type Case = {
  readonly name: string;
  readonly readModels: readonly ReadModel[];
  readonly prefixes: readonly string[];
  readonly events: number;
  readonly notes?: readonly string[];
  /** Nothing is aimed at where an event is many rows. */
  readonly hasAim?: false;
};

const logger = pino({ level: 'warn' });

/** The same events through the official client alone: the same filter, nothing done with them. */
const bareRead = (client: EventStoreDBClient, { prefixes, events }: Case): Promise<number> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    let seen = 0;
    const call = client.subscribeToAll({ fromPosition: START, filter: streamNameFilter({ prefixes: [...prefixes] }) });
    call.on('error', reject);
    call.on('data', () => {
      seen += 1;
      if (seen < events) return;
      const rate = events / ((performance.now() - started) / 1000);
      call.removeListener('error', reject);
      call.on('error', () => undefined);
      call.unsubscribe().then(() => resolve(rate), reject);
    });
  });

const freshSchema = async (database: Database): Promise<void> => {
  await database.query(`drop schema if exists "${database.schema}" cascade`);
  await database.query(`create schema "${database.schema}"`);
  await database.query(runtimeDdl);
};

/** From an empty schema to the last event, as a service does it at its first start. */
const project = async (
  store: EventStore,
  database: Database,
  { name, readModels, prefixes, events }: Case,
): Promise<number> => {
  await freshSchema(database);
  const stop = new AbortController();
  const started = performance.now();
  let seconds = 0;
  await new Promise<void>((resolve) => {
    const running = runProjections({
      service: `bench-${name.split(' ')[0] ?? ''}`,
      store,
      database,
      readModels,
      prefixes,
      signal: stop.signal,
      logger,
      onProgress: (progress) => {
        if (progress.events < events || seconds > 0) return;
        seconds = (performance.now() - started) / 1000;
        stop.abort();
        void running.done.then(resolve);
      },
    });
  });
  return events / seconds;
};

const rebuild = async (store: EventStore, database: Database, { readModels, events }: Case): Promise<number> => {
  const started = performance.now();
  let rebuilt = 0;
  for (const readModel of readModels) {
    const { outcome, events: built } = await rebuildReadModel({
      store,
      database,
      readModel,
      signal: new AbortController().signal,
    });
    if (outcome !== 'swapped') throw new Error(`the rebuild of ${readModel.name} was ${outcome}`);
    rebuilt += built;
  }
  if (rebuilt < events) throw new Error(`only ${rebuilt} of ${events} events were rebuilt`);
  return rebuilt / ((performance.now() - started) / 1000);
};

const aim = 0.5;

export type ProjectionOptions = { readonly seed: number; readonly events: number };

const caseOf = (name: string, events: number, ...readModels: readonly ReadModel[]): Case => ({
  name,
  readModels,
  prefixes: [...new Set(readModels.flatMap(({ prefixes }) => prefixes))],
  events,
});

type History = (store: EventStore, options: ProjectionOptions) => Promise<readonly Case[]>;

/** Every read model that grows with what customers do. Those of settings have next to no events. */
const histories: readonly History[] = [
  async (store, { seed, events }) => {
    const { accounts, bundles } = await seedCustomers(store, seed, events);
    return [
      caseOf('accounts and balances', accounts, accountsReadModel, balancesReadModel),
      caseOf('bundles', bundles, bundlesReadModel),
      caseOf('the audit trail of bundles', bundles, bundlesAudit),
    ];
  },
  async (store, { seed, events }) => {
    const { invoicing, payments } = await seedInvoicedCustomers(store, seed, events);
    return [
      caseOf('invoices', invoicing, invoicesReadModel),
      caseOf('due invoices', invoicing, dueInvoicesReadModel),
      caseOf('the audit trail of invoices', invoicing, invoicesAudit),
      caseOf('payments', payments, paymentsReadModel),
      caseOf('the audit trail of payments', payments, paymentsAudit),
    ];
  },
  async (store, { seed, events }) => {
    const usage = await seedUsage(store, seed, events);
    return [
      { ...caseOf('usage', usage, meteringReadModel), notes: ['100 records each, every one a row'], hasAim: false },
    ];
  },
];

/**
 * Real read models from zero, and rebuilt beside the live ones, against the bare read of the same events. Each history
 * has a store of its own: a read that has to skip what others wrote would be a lower floor.
 */
export const projectionBench = async (
  serverUrl: string,
  plan: Plan,
  options: ProjectionOptions,
): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const history of histories) {
    const ground = await ownGround(serverUrl);
    try {
      figures.push(...(await measured(ground, plan, (store) => history(store, options))));
    } finally {
      await ground.drop();
    }
  }
  return figures;
};

const measured = async (
  ground: Ground,
  plan: Plan,
  casesIn: (store: EventStore) => Promise<readonly Case[]>,
): Promise<readonly Figure[]> => {
  const server = await startStore(ground);
  const store = eventStoreDb({ connectionString: server.url, logger });
  const bare = EventStoreDBClient.connectionString(server.url);
  const database = openDatabase({ url: ground.databaseUrl, schema: 'bench', applicationName: 'billstream bench' });
  try {
    const cases = await casesIn(store);
    const figures: Figure[] = [];
    for (const one of cases) {
      const notes = [`${one.events} events`, ...(one.notes ?? [])];
      const floorName = 'bare read, events/s';
      const projected = await against(
        plan,
        () => bareRead(bare, one),
        () => project(store, database, one),
      );
      figures.push({
        name: `projecting ${one.name} from zero`,
        unit: 'events/s',
        measured: projected.measured,
        floor: { name: floorName, measured: projected.floor, ratio: projected.ratio },
        ...(one.hasAim === false ? {} : { aim }),
        notes,
      });
      await prepareReadModels(database, one.readModels);
      const rebuilt = await against(
        plan,
        () => bareRead(bare, one),
        () => rebuild(store, database, one),
      );
      figures.push({
        name: `rebuilding ${one.name}, compared and swapped`,
        unit: 'events/s',
        measured: rebuilt.measured,
        floor: { name: floorName, measured: rebuilt.floor, ratio: rebuilt.ratio },
        ...(one.hasAim === false ? {} : { aim }),
        notes,
      });
    }
    return figures;
  } finally {
    await database.close();
    await store.close();
    await bare.dispose();
    await server.stop();
  }
};
