import { eventStoreDb } from '@billstream/eventstoredb';
import type { EventStore } from '@billstream/event-sourcing';
import { type Database, openDatabase } from '@billstream/postgres';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type Connections = {
  readonly store: EventStore;
  /** A service's own schema. */
  readonly databaseOf: (context: string) => Database;
  close(): Promise<void>;
};

type Addresses = { readonly databaseUrl: string; readonly eventStoreUrl: string };
type Environment = Readonly<Record<string, string | undefined>>;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/**
 * DATABASE_URL and EVENTSTORE_URL, else what the running system wrote into its data directory (`npm start`:
 * .billstream/run.json; `npm run start:services`: .billstream-services/run.json).
 */
const addressesOf = (environment: Environment): Addresses => {
  const { DATABASE_URL, EVENTSTORE_URL, DATA_DIR } = environment;
  if (text(DATABASE_URL) !== undefined && text(EVENTSTORE_URL) !== undefined)
    return { databaseUrl: DATABASE_URL ?? '', eventStoreUrl: EVENTSTORE_URL ?? '' };
  const folders = DATA_DIR === undefined ? ['.billstream', '.billstream-services'] : [DATA_DIR];
  for (const file of folders.map((folder) => path.resolve(folder, 'run.json'))) {
    if (!existsSync(file)) continue;
    const run = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
    const databaseUrl = text(DATABASE_URL) ?? text(run.databaseUrl) ?? text(run.DATABASE_URL);
    const eventStoreUrl = text(EVENTSTORE_URL) ?? text(run.eventStoreUrl) ?? text(run.EVENTSTORE_URL);
    if (databaseUrl !== undefined && eventStoreUrl !== undefined) return { databaseUrl, eventStoreUrl };
  }
  throw new Error(
    'no running system found: start one in this folder, name its DATA_DIR, or set DATABASE_URL and EVENTSTORE_URL',
  );
};

export const connect = (environment: Environment): Connections => {
  const { databaseUrl, eventStoreUrl } = addressesOf(environment);
  const store = eventStoreDb({ connectionString: eventStoreUrl });
  const databases = new Map<string, Database>();
  return {
    store,
    databaseOf: (context) => {
      const database =
        databases.get(context) ??
        openDatabase({ url: databaseUrl, schema: context, applicationName: 'billstream-replay', poolSize: 4 });
      databases.set(context, database);
      return database;
    },
    close: async () => {
      await Promise.all([...databases.values()].map((database) => database.close()));
      await store.close();
    },
  };
};
