import { postgresLog, startEventStoreServer } from '@billstream/event-store-server';
import pino from 'pino';

const DEFAULT_PORT = 2113;

const required = (environment: NodeJS.ProcessEnv): string => {
  const url = environment['EVENTSTORE_DATABASE_URL'] ?? environment['DATABASE_URL'];
  if (url === undefined || url === '')
    throw new Error('EVENTSTORE_DATABASE_URL or DATABASE_URL must name a PostgreSQL database');
  return url;
};

const portIn = (environment: NodeJS.ProcessEnv): number => {
  const port = Number(environment['EVENTSTORE_PORT'] ?? DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('EVENTSTORE_PORT must be a port number');
  return port;
};

const main = async (environment: NodeJS.ProcessEnv): Promise<void> => {
  const logger = pino({ base: { service: 'event-store' } });
  const schema = environment['EVENTSTORE_SCHEMA'] ?? 'eventstore';
  const server = await startEventStoreServer({
    log: postgresLog({
      connectionString: required(environment),
      schema,
      report: (news) => logger.warn({ schema }, news),
    }),
    port: portIn(environment),
    host: environment['HOST'] ?? '127.0.0.1',
  });
  logger.info(
    { url: server.connectionString, schema },
    'embedded single-node event store is up: meant for development, not a replacement for a production cluster',
  );
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'stopping');
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
};

main(process.env).catch((error: unknown) => {
  pino({ base: { service: 'event-store' } }).fatal({ err: error }, 'event store could not start');
  process.exit(1);
});
