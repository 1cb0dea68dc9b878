import { startStandalone } from '@billstream/app/standalone';
import { PlatformConfig, loadConfig } from '@billstream/config';
import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { eventStoreDb } from '@billstream/eventstoredb';
import { silentLogger } from '@billstream/observability';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { type Client, client, idIn } from '../../../tools/day/client';
import { settled } from '../../../tools/day/day';
import { testDatabase } from '@billstream/testing';

export type Tenant = { readonly apiKey: string; readonly apiSecret: string };

export type SystemUnderTest = {
  readonly url: string;
  /** The second port, with the same API. */
  readonly killBillUrl: string;
  readonly emulatorUrl: string;
  readonly databaseUrl: string;
  readonly eventStoreUrl: string;
  readonly store: EventStore;
  /** The guide's administrator as the given tenant (default: the guide's own). */
  as(tenant?: Tenant): Client;
  /** A tenant of its own, with the default catalog and units or without: own clock, own accounts. Tests that move time do not meet. */
  newTenant(choice?: {
    readonly withDefaults: boolean;
  }): Promise<{ readonly tenant: Tenant; readonly tenantId: string; readonly api: Client }>;
  stop(): Promise<void>;
};

export const guideTenant: Tenant = { apiKey: 'admin', apiSecret: 'password' };

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

const clientOf = (url: string, emulatorUrl: string, tenant: Tenant): Client =>
  client({ url, emulatorUrl, user: 'admin', password: 'password', ...tenant, patienceMs: 0 });

/** All of it in this process, on a database of its own, with the test clock on. One a spec file: starting takes seconds. */
export const startSystem = async (settings: Readonly<Record<string, string>> = {}): Promise<SystemUnderTest> => {
  const database = await testDatabase();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'billstream-system-'));
  const [port, killBillPort] = [await freePort(), await freePort()];
  const ports = { PORT: String(port), KILLBILL_PORT: String(killBillPort), EMULATOR_PORT: '0', METRICS_PORT: '0' };
  const environment = { DATABASE_URL: database.url, DATA_DIR: folder, TEST_CLOCK: '1', ...ports, ...settings };
  const standalone = await startStandalone(loadConfig(PlatformConfig, environment), silentLogger());
  const store = eventStoreDb({ connectionString: standalone.inner.eventStoreUrl });
  const as = (tenant: Tenant = guideTenant): Client => clientOf(standalone.url, standalone.emulatorUrl, tenant);
  return {
    url: standalone.url,
    killBillUrl: `http://127.0.0.1:${killBillPort}`,
    emulatorUrl: standalone.emulatorUrl,
    databaseUrl: database.url,
    eventStoreUrl: standalone.inner.eventStoreUrl,
    store,
    as,
    newTenant: async ({ withDefaults } = { withDefaults: true }) => {
      const tenant = { apiKey: `tenant-${randomUUID()}`, apiSecret: 'secret' };
      const created = await as().expect(201, 'POST', `/1.0/kb/tenants?useGlobalDefault=${String(withDefaults)}`, {
        body: tenant,
      });
      const api = as(tenant);
      await settled(api); // its catalog and units come over the bus
      return { tenant, tenantId: idIn(created), api };
    },
    stop: async () => {
      await store.close();
      await standalone.stop();
      await database.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

/** What the log holds after a position, without the fences that waiting leaves and without the store's own. */
export const eventsAfter = async ({ store }: SystemUnderTest, after: bigint): Promise<readonly RecordedEvent[]> => {
  const found: RecordedEvent[] = [];
  for (let position: bigint | null = after; ;) {
    const page = await store.readAll({ after: position, prefixes: [''], max: 5_000 });
    found.push(...page.events.filter(({ stream }) => !stream.startsWith('fence-') && !stream.startsWith('$')));
    if (page.caughtUp) return found;
    position = page.position;
  }
};
