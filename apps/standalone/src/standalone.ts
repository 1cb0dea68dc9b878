import { accountsService } from '@billstream/app/accounts';
import { generousLimits, localDispatch, startGateway } from '@billstream/app/gateway';
import { invoicingService } from '@billstream/app/invoicing';
import { meteringService } from '@billstream/app/metering';
import { paymentsService } from '@billstream/app/payments';
import { subscriptionsService } from '@billstream/app/subscriptions';
import type { PlatformConfig } from '@billstream/config';
import { eventStoreDb } from '@billstream/eventstoredb';
import { type Metrics, createMetrics, serveMetrics } from '@billstream/observability';
import { type Bus, inProcessBus, rabbitMqBus } from '@billstream/rabbitmq';
import {
  type ContextName,
  type RunningService,
  busReport,
  listenerOf,
  startService,
} from '@billstream/service-runtime';
import { installationSecrets } from '@billstream/secrets';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { databaseOf, emulatorOf, eventStoreOf, hostOf, isLoopback, settingsOf } from './parts';
import { type Stack, stack } from './stack';

export type Standalone = {
  readonly url: string;
  readonly emulatorUrl: string;
  /** Where the parts listen; written to `DATA_DIR/run.json` for tools. */
  readonly inner: { readonly databaseUrl: string; readonly eventStoreUrl: string; readonly rabbitMqUrl: string | null };
  readonly services: Readonly<Record<ContextName, RunningService>>;
  stop(): Promise<void>;
};

export type Choices = {
  /** Parts that would keep others waiting run in threads of their own. Only where Node itself loads TypeScript can they. */
  readonly threads?: boolean;
};

const definitions = [accountsService, subscriptionsService, meteringService, invoicingService, paymentsService];
const listeners = definitions.map(listenerOf);

/**
 * All services, the gateway and the payment gateway's emulator in this process, on what is given (DATABASE_URL,
 * RABBITMQ_URL, EVENTSTORE_URL) and on embedded parts for what is not. Rejects with a message for people, and with
 * everything stopped again.
 */
export const startStandalone = async (
  config: PlatformConfig,
  logger: Logger,
  choices: Choices = {},
): Promise<Standalone> => {
  const started = stack((message, facts) => logger.error(facts, message));
  try {
    return await startOn(config, { logger, started, ...choices });
  } catch (error) {
    await started.stop();
    throw error;
  }
};

const busOf = (config: PlatformConfig, logger: Logger, metrics: Metrics): Promise<Bus> =>
  config.RABBITMQ_URL === undefined
    ? Promise.resolve(inProcessBus({ listeners, report: busReport(metrics) }))
    : rabbitMqBus({ url: config.RABBITMQ_URL, service: 'standalone', logger, listeners, report: busReport(metrics) });

type On = Choices & { readonly logger: Logger; readonly started: Stack };

const startOn = async (config: PlatformConfig, { logger, started, threads = false }: On): Promise<Standalone> => {
  const dataDirectory = path.resolve(config.DATA_DIR);
  mkdirSync(dataDirectory, { recursive: true });
  const secrets = installationSecrets(dataDirectory);
  const innerSecret = config.INNER_SECRET ?? secrets.innerSecret;
  const wish = { dataDirectory, logger, started };
  const databaseUrl = await databaseOf(config, wish);
  const eventStoreUrl = await eventStoreOf(config, databaseUrl, wish);
  const emulatorUrl = await emulatorOf(config, wish);
  const settings = settingsOf(config, {
    dataDirectory,
    emulatorUrl,
    secretsKey: config.SECRETS_KEY ?? secrets.secretsKey,
  });
  const store = started.add('event store client', eventStoreDb({ connectionString: eventStoreUrl, logger }), (it) =>
    it.close(),
  );
  const metrics = createMetrics();
  const figures = started.add(
    'metrics',
    await serveMetrics(metrics, { port: config.METRICS_PORT, host: hostOf(config) }),
    (it) => it.close(),
  );
  logger.info({ port: figures.port }, 'metrics');
  const bus = started.add('bus', await busOf(config, logger, metrics), (it) => it.close());
  const start = async (definition: (typeof definitions)[number]): Promise<readonly [ContextName, RunningService]> => {
    const running = await startService(definition, {
      ...{ store, databaseUrl, bus, settings, logger, innerSecret, metrics },
      ...(threads ? { eventStoreUrl } : {}),
    });
    return [definition.name, started.add(definition.name, running, (it) => it.stop())];
  };
  const services = Object.fromEntries(await Promise.all(definitions.map(start))) as Record<ContextName, RunningService>;
  const gateway = started.add(
    'gateway',
    await startGateway({
      host: hostOf(config),
      ports: [config.PORT, ...(config.KILLBILL_PORT === undefined ? [] : [config.KILLBILL_PORT])],
      upstreams: {
        accounts: localDispatch(services.accounts.fastify),
        subscriptions: localDispatch(services.subscriptions.fastify),
        metering: localDispatch(services.metering.fastify),
        invoicing: localDispatch(services.invoicing.fastify),
        payments: localDispatch(services.payments.fastify),
      },
      innerSecret,
      logger: logger.child({ service: 'gateway' }),
      testClock: config.TEST_CLOCK,
      defaultTenant: settings.embedded ? settings.bootstrapTenant : null,
      limits: settings.embedded ? null : generousLimits,
    }),
    (it) => it.close(),
  );
  const url = `http://${isLoopback(hostOf(config)) ? '127.0.0.1' : hostOf(config)}:${gateway.ports[0] ?? config.PORT}`;
  return {
    url,
    emulatorUrl,
    services,
    inner: { databaseUrl, eventStoreUrl, rabbitMqUrl: config.RABBITMQ_URL ?? null },
    stop: () => started.stop(),
  };
};
