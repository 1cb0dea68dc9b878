import { ConfigurationError, ServiceConfig, loadConfig } from '@billstream/config';
import { eventStoreDb } from '@billstream/eventstoredb';
import { createLogger, createMetrics, serveMetrics } from '@billstream/observability';
import { rabbitMqBus } from '@billstream/rabbitmq';
import type { Logger } from 'pino';
import { listenersFor } from './audience';
import { busReport } from './reporting';
import type { ServiceDefinition, Settings } from './service';
import { startService } from './start-service';

const stopWithinMs = 30_000;

/** A service in a process of its own: configuration from the environment, until SIGTERM or SIGINT. */
export const runService = async (definition: ServiceDefinition): Promise<void> => {
  const config = loadConfig(ServiceConfig);
  const settings = settingsOf(config);
  assertAdministrator(definition, settings);
  const logger = createLogger({ service: definition.name, level: config.LOG_LEVEL });
  dieLoudly(logger);
  const metrics = createMetrics();
  const store = eventStoreDb({ connectionString: config.EVENTSTORE_URL, logger });
  const bus = await rabbitMqBus({
    url: config.RABBITMQ_URL,
    service: definition.name,
    logger,
    listeners: listenersFor(definition),
    report: busReport(metrics),
  });
  const service = await startService(definition, {
    store,
    eventStoreUrl: config.EVENTSTORE_URL,
    databaseUrl: config.DATABASE_URL,
    bus,
    settings,
    logger,
    innerSecret: config.INNER_SECRET,
    metrics,
    port: config.PORT,
    host: config.HOST,
  });
  const figures = await serveMetrics(metrics, { port: config.METRICS_PORT, host: config.HOST });
  logger.info({ url: service.url, metricsPort: figures.port }, 'listening');
  onStopSignal(logger, async () => {
    await service.stop();
    await bus.close();
    await store.close();
    await figures.close();
  });
};

export const settingsOf = (config: ServiceConfig): Settings => ({
  embedded: false,
  testClock: config.TEST_CLOCK,
  // On a system that bills real people nothing switches it off.
  recogniseRepeats: config.RECOGNISE_REPEATS || !config.TEST_CLOCK,
  administrator: administratorOf(config),
  bootstrapTenant: bootstrapTenantOf(config),
  privateCallbacks: config.PRIVATE_CALLBACKS,
  backfillDays: config.USAGE_BACKFILL_DAYS,
  secretsKey: config.SECRETS_KEY,
  dataDirectory: config.DATA_DIR,
  payPalMode: config.PAYPAL_MODE,
  emulatorUrl: config.EMULATOR_URL,
  publicUrl: config.PUBLIC_URL,
});

const administratorOf = ({ ADMIN_USER: user, ADMIN_PASSWORD: password }: ServiceConfig): Settings['administrator'] =>
  user === undefined || password === undefined ? null : { user, password };

const bootstrapTenantOf = (config: ServiceConfig): Settings['bootstrapTenant'] => {
  const { BOOTSTRAP_TENANT_KEY: apiKey, BOOTSTRAP_TENANT_SECRET: apiSecret } = config;
  return apiKey === undefined || apiSecret === undefined ? null : { apiKey, apiSecret };
};

/** Outside of the embedded mode there is no default credential: whoever checks passwords must have been given one. */
const assertAdministrator = ({ name }: ServiceDefinition, settings: Settings): void => {
  if (name === 'accounts' && settings.administrator === null)
    throw new ConfigurationError(['ADMIN_USER and ADMIN_PASSWORD must be set']);
};

/** The first signal stops in order, within thirty seconds; the second one at once. */
export const onStopSignal = (logger: Logger, stop: () => Promise<void>): void => {
  let isStopping = false;
  const hear = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error('it took too long to stop');
      process.exit(1);
    }, stopWithinMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', hear);
  process.on('SIGINT', hear);
};

/**
 * An error that nobody caught leaves the process in a state nobody knows (the event store's client is known to throw
 * from its own event handlers): a restart reads everything from the log again.
 */
export const dieLoudly = (logger: Logger): void => {
  const die = (error: unknown): void => {
    logger.fatal({ err: error }, 'an error that nobody caught');
    logger.flush();
    process.exit(70);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
};
