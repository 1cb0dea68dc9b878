import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Child } from '../services/child';
import { startServices } from '../services/services';
import { tcpProxy } from '../testing/tcp-proxy';
import { testBroker } from '../testing/test-broker';
import { testDatabase } from '../testing/test-database';
import { type SystemOptions, type SystemUnderTest, environmentOf, recoveryDeadlineMs } from './system';

const proxyTo = async (
  url: string,
  portDefault: number,
): Promise<{ readonly url: string; readonly proxy: Awaited<ReturnType<typeof tcpProxy>> }> => {
  const through = new URL(url);
  const proxy = await tcpProxy({
    targetHost: through.hostname,
    targetPort: Number(through.port === '' ? portDefault : through.port),
  });
  through.hostname = '127.0.0.1';
  through.port = String(proxy.port);
  return { url: through.toString(), proxy };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A process that was killed may still answer for a moment; only its successor counts. */
export const victimOf = (child: Child): { readonly name: string; kill(): boolean; isBack(): boolean } => {
  let restartsAwaited = 0;
  return {
    name: child.name,
    kill: () => {
      if (child.pid() === null) return false;
      restartsAwaited = child.restarts() + 1;
      child.kill9();
      return true;
    },
    isBack: () => child.restarts() >= restartsAwaited && child.pid() !== null,
  };
};

/** Resolves when those that were killed run again and all say that they are ready. */
export const allBack = async (
  victims: readonly { readonly name: string; isBack(): boolean }[],
  children: readonly Child[],
): Promise<void> => {
  const deadline = Date.now() + recoveryDeadlineMs;
  while (!victims.every((victim) => victim.isBack())) {
    if (Date.now() > deadline)
      throw new Error(
        `not started again: ${victims
          .filter((victim) => !victim.isBack())
          .map(({ name }) => name)
          .join(', ')}`,
      );
    await pause(50);
  }
  await Promise.all(children.map((child) => child.ready(Math.max(1, deadline - Date.now()))));
};

/** Every service, the gateway and the event store as processes of their own, each behind proxies to PostgreSQL and RabbitMQ. */
export const servicesUnderTest = async (options: SystemOptions): Promise<SystemUnderTest> => {
  const { databaseUrl, rabbitMqUrl } = options;
  if (databaseUrl === null || rabbitMqUrl === null)
    throw new Error('services need a PostgreSQL (DATABASE_URL) and a RabbitMQ (RABBITMQ_URL)');
  const dataDirectory = mkdtempSync(path.join('/var/tmp', 'billstream-crash-'));
  chmodSync(dataDirectory, 0o755);
  const database = await testDatabase(databaseUrl);
  const broker = await testBroker(rabbitMqUrl);
  const postgres = await proxyTo(database.url, 5432);
  const storePostgres = await proxyTo(database.url, 5432);
  const rabbit = await proxyTo(broker.url, 5672);
  const closeAround = async (keepLogs: boolean): Promise<void> => {
    await Promise.all([postgres, storePostgres, rabbit].map(({ proxy }) => proxy.close()));
    await database.drop();
    await broker.drop({ queues: [], exchanges: [] });
    if (!keepLogs) rmSync(dataDirectory, { recursive: true, force: true });
  };
  try {
    const services = await startServices({
      databaseUrl: postgres.url,
      eventStoreDatabaseUrl: storePostgres.url,
      rabbitMqUrl: rabbit.url,
      dataDirectory,
      testClock: true,
      env: environmentOf(options),
    });
    const children = [...services.children.values()];
    // The payment provider is the outside world: it keeps the books by which the run is judged, and has faults of its own.
    const victims = children.filter(({ name }) => name !== 'gateway-emulator').map(victimOf);
    return {
      target: { url: services.url, emulatorUrl: services.emulatorUrl, ...services.credentials },
      victims,
      lines: [
        { name: 'PostgreSQL of the services', proxy: postgres.proxy },
        { name: 'PostgreSQL of the event store', proxy: storePostgres.proxy },
        { name: 'RabbitMQ', proxy: rabbit.proxy },
      ],
      recovered: () => allBack(victims, children),
      addresses: () => Promise.resolve({ databaseUrl: database.url, eventStoreUrl: services.eventStoreUrl }),
      logFolder: path.join(dataDirectory, 'log'),
      stop: async ({ keepLogs }) => {
        await services.stop();
        await closeAround(keepLogs);
      },
    };
  } catch (error) {
    await closeAround(true);
    throw error;
  }
};
