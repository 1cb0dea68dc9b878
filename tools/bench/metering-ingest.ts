/**
 * How many usage records a second metering takes over HTTP, with the embedded event store, PostgreSQL, the read model and
 * a load generator on the same machine: `node -r ./tools/register.cjs tools/bench/metering-ingest.ts [seconds] [connections]`.
 * The clock stops when the last record is in the read model.
 */
import { meteringService } from '@billstream/app/metering';
import { eventStoreDb } from '@billstream/eventstoredb';
import { postgresLog, startEventStoreServer } from '@billstream/event-store-server';
import { innerHeaders } from '@billstream/http';
import { newId } from '@billstream/kernel';
import { silentLogger } from '@billstream/observability';
import { inProcessBus } from '@billstream/rabbitmq';
import { startService } from '@billstream/service-runtime';
import { fork } from 'node:child_process';
import { Pool } from 'undici';
import { testDatabase } from '@billstream/testing';

const recordsPerBody = 100;
const innerSecret = 'bench';

type Load = { readonly url: string; readonly tenantId: string; readonly seconds: number; readonly connections: number };
type Sent = { readonly records: number; readonly seconds: number; readonly p50Ms: number; readonly p99Ms: number };

const bodyOf = (from: number): string =>
  JSON.stringify(
    Array.from({ length: recordsPerBody }, (_, i) => ({
      unit: i % 2 === 0 ? 'analytics' : 'host',
      user: `user-${String((from + i) % 1_000)}@example.com`,
      amount: 1 + (i % 50),
      id: `r-${String(from + i)}`,
      source: 'bench',
    })),
  );

const load = async ({ url, tenantId, seconds, connections }: Load): Promise<Sent> => {
  const pool = new Pool(url, { connections });
  const headers = {
    'content-type': 'application/json',
    [innerHeaders.secret]: innerSecret,
    [innerHeaders.tenant]: tenantId,
  };
  const started = performance.now();
  const end = started + seconds * 1_000;
  const latencies: number[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      const from = next;
      next += recordsPerBody;
      const sent = performance.now();
      const { statusCode, body } = await pool.request({
        path: '/meter/record/json',
        method: 'POST',
        headers,
        body: bodyOf(from),
      });
      const text = await body.text();
      if (statusCode !== 202) throw new Error(`${String(statusCode)} ${text}`);
      latencies.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  await pool.close();
  return { records: next, seconds: (performance.now() - started) / 1_000, p50Ms: at(0.5), p99Ms: at(0.99) };
};

const measure = async (seconds: number, connections: number): Promise<void> => {
  const place = await testDatabase();
  const log = postgresLog({ connectionString: place.url, schema: 'eventstore' });
  const server = await startEventStoreServer({ log });
  const store = eventStoreDb({ connectionString: server.connectionString });
  const settings = {
    embedded: true,
    testClock: false,
    administrator: null,
    bootstrapTenant: null,
    secretsKey: '00'.repeat(32),
    dataDirectory: '',
    payPalMode: 'emulator' as const,
    emulatorUrl: '',
    publicUrl: '',
  };
  const bus = inProcessBus({ listeners: [] });
  const service = await startService(meteringService, {
    store,
    databaseUrl: place.url,
    bus,
    settings,
    logger: silentLogger(),
    innerSecret,
    port: 0,
    host: '127.0.0.1',
  });
  const cpu = process.cpuUsage();
  const started = performance.now();
  const child = fork(
    __filename,
    ['load', JSON.stringify({ url: service.url, tenantId: newId(), seconds, connections })],
    { execArgv: process.execArgv.filter((argument) => !argument.includes('prof')) },
  );
  const sent = await new Promise<Sent>((resolve, reject) => {
    child.once('message', (message) => {
      resolve(message as Sent);
    });
    child.once('exit', () => {
      reject(new Error('the load generator ended early'));
    });
  });
  const head = await store.head();
  for (let visible = -1n; visible < 0n;) {
    await service.runtime.visible(head);
    const [row] = await service.runtime.database.query<{ records: bigint }>(
      'select count(*) as records from usage_records',
    );
    if (Number(row?.records ?? 0n) >= sent.records) visible = head;
  }
  const total = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const [events] = await service.runtime.database.query<{ n: bigint }>(
    'select sum(revision + 1)::bigint as n from usage_streams',
  );
  console.log(
    `${String(sent.records)} records: ${Math.round(sent.records / sent.seconds).toString()}/s accepted, ${Math.round(sent.records / total).toString()}/s visible; ` +
      `p50 ${sent.p50Ms.toFixed(0)} ms, p99 ${sent.p99Ms.toFixed(0)} ms; ${String(Math.round(sent.records / Number(events?.n ?? 1n)))} records an event; CPU here ${((user + system) / sent.records).toFixed(1)} us a record`,
  );
  await service.stop();
  await bus.close();
  await store.close();
  await server.close();
  await place.drop();
};

const main = async (): Promise<void> => {
  const [first, second] = process.argv.slice(2);
  if (first !== 'load') return measure(Number(first ?? 10), Number(second ?? 16));
  const sent = await load(JSON.parse(second ?? '') as Load);
  process.send?.(sent);
  return undefined;
};

void main();
