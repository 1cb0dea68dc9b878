import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Child, freePort, startChild } from '../services/child';
import { type Services, startServices } from '../services/services';
import { onDatabase } from './machine';

const run = promisify(execFile);

/** What a bench may use up, and how to leave the machine as it was found. */
export type Ground = {
  readonly databaseUrl: string;
  readonly directory: string;
  drop(): Promise<void>;
};

const nameOfRun = (): string => `bench_${String(process.pid)}_${randomBytes(3).toString('hex')}`;

/** A database of its own on the server that `serverUrl` names, and a directory. */
export const ownGround = async (serverUrl: string): Promise<Ground> => {
  const name = nameOfRun();
  await onDatabase(serverUrl, (client) => client.query(`create database ${name}`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const directory = mkdtempSync(path.join(os.tmpdir(), 'billstream-bench-'));
  return {
    databaseUrl: url.toString(),
    directory,
    drop: async () => {
      await onDatabase(serverUrl, (client) => client.query(`drop database if exists ${name} with (force)`));
      rmSync(directory, { recursive: true, force: true });
    },
  };
};

export type Store = { readonly url: string; readonly pid: () => number | null; stop(): Promise<void> };

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** The event store server alone, as a process of its own. */
export const startStore = async ({ databaseUrl, directory }: Ground): Promise<Store> => {
  const port = await freePort();
  const child = startChild({
    name: 'event-store',
    entry: 'apps/event-store/src/main.ts',
    env: { DATABASE_URL: databaseUrl, EVENTSTORE_PORT: String(port) },
    logFolder: directory,
  });
  for (const deadline = Date.now() + 30_000; !(await listens(port));) {
    if (Date.now() > deadline) throw new Error(`the event store does not listen; see ${directory}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url: `esdb://127.0.0.1:${port}?tls=false`, pid: child.pid, stop: () => child.stop() };
};

const broker = (...words: readonly string[]) => run('rabbitmqctl', ['--quiet', ...words], { timeout: 30_000 });

/** A virtual host of its own where `rabbitmqctl` may make one, else the one that was given. */
export const ownVirtualHost = async (rabbitMqUrl: string): Promise<{ readonly url: string; drop(): Promise<void> }> => {
  const url = new URL(rabbitMqUrl);
  const name = nameOfRun();
  const user = decodeURIComponent(url.username === '' ? 'guest' : url.username);
  try {
    await broker('add_vhost', name);
    await broker('set_permissions', '-p', name, user, '.*', '.*', '.*');
  } catch {
    console.error('no virtual host of its own (rabbitmqctl refuses): queues stay behind on the one that was given');
    return { url: rabbitMqUrl, drop: () => Promise.resolve() };
  }
  url.pathname = `/${name}`;
  return {
    url: url.toString(),
    drop: async () => {
      await broker('delete_vhost', name);
    },
  };
};

/** A running Billstream and how its database is reached. */
export type World = {
  readonly name: string;
  readonly url: string;
  readonly databaseUrl: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its processes by name; each comes back when it is killed. */
  readonly children: ReadonlyMap<string, Child>;
  /** Null: it hears of usage over HTTP alone. */
  readonly rabbitMqUrl: string | null;
  stop(): Promise<void>;
};

const headersOf = ({ user, password, apiKey, apiSecret }: Services['credentials']): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  'x-killbill-apikey': apiKey,
  'x-killbill-apisecret': apiSecret,
  'x-killbill-createdby': 'bench',
  accept: 'application/json',
});

/** Every service as its own process, on real PostgreSQL and RabbitMQ. The rate limits are lifted: one tenant is all there is. */
export const servicesWorld = async (ground: Ground, rabbitMqUrl: string): Promise<World> => {
  const host = await ownVirtualHost(rabbitMqUrl);
  try {
    const services = await startServices({
      databaseUrl: ground.databaseUrl,
      rabbitMqUrl: host.url,
      dataDirectory: ground.directory,
      env: { LOG_LEVEL: 'warn', RATE_LIMITS: 'off' },
    });
    return {
      name: 'start:services',
      url: services.url,
      databaseUrl: ground.databaseUrl,
      headers: headersOf(services.credentials),
      children: services.children,
      rabbitMqUrl: host.url,
      stop: async () => {
        await services.stop();
        await host.drop();
      },
    };
  } catch (error) {
    await host.drop();
    throw error;
  }
};

/** `npm start`: everything in one process, the bus in memory; the database is given, so that both worlds use the same PostgreSQL. */
export const standaloneWorld = async (ground: Ground): Promise<World> => {
  const [port, emulatorPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const child = startChild({
    name: 'standalone',
    entry: 'apps/standalone/src/main.ts',
    env: {
      DATABASE_URL: ground.databaseUrl,
      DATA_DIR: ground.directory,
      PORT: String(port),
      EMULATOR_PORT: String(emulatorPort),
      METRICS_PORT: '0',
      LOG_LEVEL: 'warn',
    },
    readyUrl: `${url}/health/ready`,
    logFolder: ground.directory,
  });
  await child.ready(60_000);
  const credentials = { user: 'admin', password: 'password', apiKey: 'admin', apiSecret: 'password' };
  return {
    name: 'npm start',
    url,
    databaseUrl: ground.databaseUrl,
    headers: headersOf(credentials),
    children: new Map([[child.name, child]]),
    rabbitMqUrl: null,
    stop: () => child.stop(),
  };
};
