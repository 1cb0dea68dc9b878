import { startEmulator } from '@billstream/app/gateway-emulator';
import type { PlatformConfig } from '@billstream/config';
import { startEmbeddedPostgres } from '@billstream/embedded-postgres';
import { postgresLog, startEventStoreServer } from '@billstream/event-store-server';
import type { Settings } from '@billstream/service-runtime';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Stack } from './stack';

export const hostOf = (config: PlatformConfig): string => config.HOST ?? '127.0.0.1';
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

type Wish = { readonly dataDirectory: string; readonly logger: Logger; readonly started: Stack };

/** The given PostgreSQL, or a real one of our own under the data directory. */
export const databaseOf = async (config: PlatformConfig, { dataDirectory, logger, started }: Wish): Promise<string> => {
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL;
  const postgres = started.add(
    'embedded PostgreSQL',
    await startEmbeddedPostgres({
      dataDirectory: path.join(dataDirectory, 'postgres'),
      log: (message) => logger.debug({ part: 'postgres' }, message),
    }),
    (it) => it.stop(),
  );
  return postgres.url;
};

/** The given EventStoreDB, or the embedded server with its log in PostgreSQL. */
export const eventStoreOf = async (
  config: PlatformConfig,
  databaseUrl: string,
  { logger, started }: Wish,
): Promise<string> => {
  if (config.EVENTSTORE_URL !== undefined) return config.EVENTSTORE_URL;
  const log = postgresLog({ connectionString: config.EVENTSTORE_DATABASE_URL ?? databaseUrl, schema: 'eventstore' });
  const server = started.add('event store', await startEventStoreServer({ log }), (it) => it.close());
  logger.info(
    { port: server.port },
    'embedded event store: a single node for development, not a replacement for a cluster',
  );
  return server.connectionString;
};

/** Where browsers and payments find the payment gateway's emulator; empty when a real gateway is asked for. */
export const emulatorOf = async (config: PlatformConfig, { dataDirectory, started }: Wish): Promise<string> => {
  if (config.EMULATOR_URL !== undefined) return config.EMULATOR_URL;
  if (config.PAYPAL_MODE !== 'emulator') return '';
  const emulator = started.add(
    'gateway emulator',
    await startEmulator({ port: config.EMULATOR_PORT, journal: path.join(dataDirectory, 'emulator.jsonl') }),
    (it) => it.close(),
  );
  return emulator.url;
};

type Pair = { readonly name: string; readonly secret: string };

/** What was given, or the guide's `admin`/`password` where it may serve; null when a half is missing. */
const pairOf = (name: string | undefined, secret: string | undefined, guide: boolean): Pair | null => {
  const given = { name: name ?? (guide ? 'admin' : ''), secret: secret ?? (guide ? 'password' : '') };
  return given.name === '' || given.secret === '' ? null : given;
};

type Known = { readonly dataDirectory: string; readonly emulatorUrl: string; readonly secretsKey: string };

/**
 * The embedded mode (no EVENTSTORE_URL) on loopback has the guide's credentials. Anywhere else there are none: they
 * must be given, and what is missing is named.
 */
export const settingsOf = (config: PlatformConfig, known: Known): Settings => {
  const embedded = config.EVENTSTORE_URL === undefined;
  const guide = embedded && isLoopback(hostOf(config));
  const administrator = pairOf(config.ADMIN_USER, config.ADMIN_PASSWORD, guide);
  if (administrator === null)
    throw new Error(
      'ADMIN_USER and ADMIN_PASSWORD must be set: there are default credentials only in the embedded mode on 127.0.0.1',
    );
  const tenant = pairOf(config.BOOTSTRAP_TENANT_KEY, config.BOOTSTRAP_TENANT_SECRET, guide);
  return {
    embedded,
    testClock: config.TEST_CLOCK,
    // On a system that bills real people nothing switches it off.
    recogniseRepeats: config.RECOGNISE_REPEATS || !config.TEST_CLOCK,
    administrator: { user: administrator.name, password: administrator.secret },
    bootstrapTenant: tenant === null ? null : { apiKey: tenant.name, apiSecret: tenant.secret },
    backfillDays: config.USAGE_BACKFILL_DAYS,
    ...(config.PRIVATE_CALLBACKS === undefined ? {} : { privateCallbacks: config.PRIVATE_CALLBACKS }),
    payPalMode: config.PAYPAL_MODE,
    publicUrl: config.PUBLIC_URL ?? `http://127.0.0.1:${config.PORT}`,
    ...known,
  };
};
