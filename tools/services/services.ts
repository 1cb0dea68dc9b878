import { derivedId } from '@billstream/kernel';
import { installationSecrets } from '@billstream/secrets';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Child, freePort, startChild } from './child';

export type ServicesOptions = {
  readonly databaseUrl: string;
  readonly rabbitMqUrl: string;
  /** Unset: the embedded event store server runs as a process of its own, its log in `databaseUrl`. */
  readonly eventStoreUrl?: string;
  /** Where the event-store process reaches PostgreSQL, if not at `databaseUrl`. */
  readonly eventStoreDatabaseUrl?: string;
  readonly dataDirectory: string;
  readonly port?: number;
  readonly testClock?: boolean;
  readonly adminUser?: string;
  readonly adminPassword?: string;
  readonly tenantKey?: string;
  readonly tenantSecret?: string;
  /** More environment for every service, e.g. a switched-off inbox for a negative control. */
  readonly env?: Readonly<Record<string, string>>;
};

export type Services = {
  readonly url: string;
  readonly emulatorUrl: string;
  readonly eventStoreUrl: string;
  readonly credentials: {
    readonly user: string;
    readonly password: string;
    readonly apiKey: string;
    readonly apiSecret: string;
  };
  readonly children: ReadonlyMap<string, Child>;
  readonly urls: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
};

const contexts = ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'] as const;

/** Every service as an operating-system process of its own, on loopback, each started again when it dies. */
export const startServices = async (options: ServicesOptions): Promise<Services> => {
  const logFolder = path.join(options.dataDirectory, 'log');
  mkdirSync(options.dataDirectory, { recursive: true });
  const secrets = installationSecrets(options.dataDirectory);
  // Made from the installation's own secret: the same at each start, because the tenant's is in the log from the first one on.
  const madeUp = (what: string): string => derivedId(secrets.secretsKey, what).replaceAll('-', '');
  const children = new Map<string, Child>();
  const start = (name: string, entry: string, env: Readonly<Record<string, string>>, readyUrl?: string): Child => {
    const child = startChild({ name, entry, env, logFolder, ...(readyUrl === undefined ? {} : { readyUrl }) });
    children.set(name, child);
    return child;
  };
  const eventStorePort = await freePort();
  const eventStoreUrl = options.eventStoreUrl ?? `esdb://127.0.0.1:${eventStorePort}?tls=false`;
  if (options.eventStoreUrl === undefined)
    start('event-store', 'apps/event-store/src/main.ts', {
      DATABASE_URL: options.eventStoreDatabaseUrl ?? options.databaseUrl,
      EVENTSTORE_PORT: String(eventStorePort),
    });
  const emulatorPort = await freePort();
  const emulatorUrl = `http://127.0.0.1:${emulatorPort}`;
  start(
    'gateway-emulator',
    'apps/gateway-emulator/src/main.ts',
    { EMULATOR_PORT: String(emulatorPort), EMULATOR_JOURNAL: path.join(options.dataDirectory, 'emulator.jsonl') },
    `${emulatorUrl}/health`,
  );

  const credentials = {
    user: options.adminUser ?? 'admin',
    password: options.adminPassword ?? madeUp('administrator'),
    apiKey: options.tenantKey ?? 'main',
    apiSecret: options.tenantSecret ?? madeUp('tenant'),
  };
  const ports = Object.fromEntries(
    await Promise.all([...contexts, 'gateway'].map(async (name) => [name, await freePort()] as const)),
  );
  const urls = Object.fromEntries(contexts.map((name) => [name, `http://127.0.0.1:${ports[name]}`]));
  const env = {
    NODE_ENV: 'production',
    DATABASE_URL: options.databaseUrl,
    RABBITMQ_URL: options.rabbitMqUrl,
    EVENTSTORE_URL: eventStoreUrl,
    DATA_DIR: options.dataDirectory,
    HOST: '127.0.0.1',
    SECRETS_KEY: secrets.secretsKey,
    INNER_SECRET: secrets.innerSecret,
    ADMIN_USER: credentials.user,
    ADMIN_PASSWORD: credentials.password,
    BOOTSTRAP_TENANT_KEY: credentials.apiKey,
    BOOTSTRAP_TENANT_SECRET: credentials.apiSecret,
    PAYPAL_MODE: 'emulator',
    EMULATOR_URL: emulatorUrl,
    METRICS_PORT: '0',
    ...(options.testClock === true ? { TEST_CLOCK: '1' } : {}),
    ...options.env,
  };
  for (const name of contexts)
    start(name, `apps/${name}/src/main.ts`, { ...env, PORT: String(ports[name]) }, `${urls[name]}/health/ready`);
  const port = options.port ?? ports.gateway ?? (await freePort());
  const url = `http://127.0.0.1:${port}`;
  start(
    'gateway',
    'apps/gateway/src/main.ts',
    {
      ...env,
      PORT: String(port),
      ...Object.fromEntries(contexts.map((name) => [`${name.toUpperCase()}_URL`, urls[name] ?? ''])),
    },
    `${url}/health/ready`,
  );
  const services: Services = {
    url,
    emulatorUrl,
    eventStoreUrl,
    credentials,
    children,
    urls,
    env,
    stop: async () => {
      await Promise.all(['gateway', ...contexts].map(async (name) => children.get(name)?.stop()));
      await Promise.all([...children.values()].map((child) => child.stop()));
    },
  };
  try {
    await Promise.all([...children.values()].map((child) => child.ready(60_000)));
  } catch (error) {
    await services.stop();
    throw error;
  }
  return services;
};
