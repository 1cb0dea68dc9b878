/**
 * `npm run start:services`: every service as its own process against DATABASE_URL and RABBITMQ_URL; EVENTSTORE_URL too,
 * or the embedded event store server as a process of its own. Secrets that are not given are made up and printed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './services/child';
import { startServices } from './services/services';

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') {
    console.error(
      `${name} is not set. Example: DATABASE_URL=postgres://postgres@127.0.0.1:5432/billstream RABBITMQ_URL=amqp://guest:guest@127.0.0.1:5672 npm run start:services`,
    );
    process.exit(1);
  }
  return value;
};
const optional = (name: string, key: string): Record<string, string> => {
  const value = process.env[name];
  return value === undefined || value === '' ? {} : { [key]: value };
};

const main = async (): Promise<void> => {
  const dataDirectory = path.resolve(root, process.env.DATA_DIR ?? '.billstream-services');
  mkdirSync(dataDirectory, { recursive: true });
  const services = await startServices({
    databaseUrl: required('DATABASE_URL'),
    rabbitMqUrl: required('RABBITMQ_URL'),
    dataDirectory,
    port: Number(process.env.PORT ?? 8080),
    testClock: process.env.TEST_CLOCK === '1',
    ...optional('EVENTSTORE_URL', 'eventStoreUrl'),
    ...optional('ADMIN_USER', 'adminUser'),
    ...optional('ADMIN_PASSWORD', 'adminPassword'),
    ...optional('BOOTSTRAP_TENANT_KEY', 'tenantKey'),
    ...optional('BOOTSTRAP_TENANT_SECRET', 'tenantSecret'),
  });
  const { url, emulatorUrl, credentials, children } = services;
  writeFileSync(
    path.join(dataDirectory, 'run.json'),
    JSON.stringify(
      {
        url,
        emulatorUrl,
        ...services.env,
        processes: Object.fromEntries([...children].map(([name, child]) => [name, child.pid()])),
      },
      null,
      2,
    ),
    { mode: 0o600 },
  );
  console.log(`Billstream is ready at ${url} (API: ${url}/api.html), gateway emulator at ${emulatorUrl}`);
  console.log(
    `user ${credentials.user} / ${credentials.password}, tenant ${credentials.apiKey} / ${credentials.apiSecret}; logs in ${dataDirectory}/log`,
  );
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    void services.stop().then(() => process.exit(0));
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
};

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
