import type { EventStore } from '@billstream/event-sourcing';
import { sampleEvent } from '@billstream/event-sourcing/testing';
import { type EventStoreServer, memoryLog, startEventStoreServer } from '@billstream/event-store-server';
import { eventStoreDb } from '@billstream/eventstoredb';
import { createLogger, silentLogger } from '@billstream/observability';
import { eventually, testDatabase, type TestDatabase } from '@billstream/testing';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from 'pino';
import { runtimeDdl } from './checkpoints';
import { type Database, openDatabase } from './database';
import { type Projections, runProjections } from './projection-runner';
import { projectInThread } from './projection-thread';
import { balances } from './testing/balances';

let test: TestDatabase;
let server: EventStoreServer;
let store: EventStore & { close(): Promise<void> };
let database: Database;
let directory: string;
let schema = 0;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  test = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), 'projection-thread-'));
});
beforeEach(async () => {
  schema += 1;
  server = await startEventStoreServer({ log: memoryLog() });
  store = eventStoreDb({ connectionString: server.connectionString });
  database = openDatabase({ url: test.url, schema: `threads${schema}`, applicationName: 'test' });
  await database.query(`create schema threads${schema}`);
  await database.query(runtimeDdl);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await database.close();
  await store.close();
  await server.close();
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await test.drop();
});

const work = (signal: AbortSignal, logger: Logger) => ({
  ...{ service: 'wallets', database, readModels: [balances], prefixes: ['wallet-'], signal, logger },
});
const stopping = (controller: AbortController, projections: Projections) => {
  const stop = async (): Promise<void> => {
    controller.abort();
    await projections.done;
  };
  stops.push(stop);
  return { ...projections, stop };
};
const start = (logger = silentLogger()) => {
  const controller = new AbortController();
  const projections = projectInThread({
    ...work(controller.signal, logger),
    file: path.join(__dirname, 'testing/wallets.thread.cjs'),
    eventStoreUrl: server.connectionString,
    databaseUrl: test.url,
  });
  return stopping(controller, projections);
};

const deposit = async (wallet: number, events: readonly object[]): Promise<bigint> => {
  const stream = `wallet-${wallet}`;
  const revision = (await store.read(stream)).at(-1)?.revision ?? 'none';
  const { position } = await store.append(
    stream,
    revision,
    events.map((data) => sampleEvent(data)),
  );
  return position;
};
const totals = () => database.query('select sum(amount)::text as amount, sum(events)::bigint as events from balances');

describe('projections in a thread', () => {
  it('apply every event once, from history into live, and tell who waits in this one', async () => {
    await deposit(1, [{ amount: 1 }, { amount: 2 }]);
    const projections = start();
    await projections.ready;
    const position = await deposit(2, [{ amount: 4 }]);
    expect(await projections.visible(position, 10_000)).toBe(true);
    expect(await totals()).toEqual([{ amount: '7', events: 3n }]);
    expect(projections.progress()).toMatchObject({ position, events: 3, isActive: true });
    expect(await projections.visible(position + 1n, 20)).toBe(false);
  });

  it('go on in another thread when one has ended in the middle of a page, and lose and repeat nothing', async () => {
    const lines: string[] = [];
    const projections = start(createLogger({ service: 'test', destination: { write: (line) => lines.push(line) } }));
    await projections.visible(await deposit(1, [{ amount: 1 }]), 10_000);
    const position = await deposit(1, [{ amount: 2 }, { amount: 4, fatal: path.join(directory, 'fatal') }]);
    expect(await projections.visible(position, 10_000)).toBe(true);
    expect(await totals()).toEqual([{ amount: '7', events: 3n }]);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toContain(
      'the thread that projects has ended, will be started again',
    );
  });

  it('tell what was applied before they say how far they are, and when something may have been missed', async () => {
    const projections = start();
    const heard: unknown[] = [];
    projections.listen({ applied: (applied) => heard.push(applied), missed: () => heard.push('missed') });
    await projections.visible(await deposit(1, [{ amount: 1 }]), 10_000);
    await projections.visible(await deposit(2, [{ amount: 1 }]), 10_000);
    const told = (stream: string) => ({ readModel: 'balances', told: [stream] });
    expect(heard).toEqual(['missed', told('wallet-1'), told('wallet-2')]);
    const fatal = path.join(directory, 'fatal for listeners');
    await projections.visible(await deposit(3, [{ amount: 1, fatal }]), 10_000);
    expect(heard.slice(3)).toEqual(['missed', 'missed', told('wallet-3')]);
  });

  it('say in the log of this thread what happens in theirs', async () => {
    const lines: string[] = [];
    start(createLogger({ service: 'wallets', destination: { write: (line) => lines.push(line) } }));
    await eventually(() => lines.length > 0);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ...{ service: 'wallets', level: 'info', readModels: ['balances'] },
      msg: 'read models are built from the log',
    });
  });

  it('say what went wrong as it was, on lines that name nothing twice', async () => {
    const lines: string[] = [];
    const logger = createLogger({ service: 'wallets', destination: { write: (line) => lines.push(line) } });
    const projections = start(logger);
    await projections.visible(await deposit(1, [{ amount: 1 }]), 10_000);
    await database.query('update read_models set position = position - 1');
    await projections.visible(await deposit(1, [{ amount: 1 }]), 10_000);
    const warned = lines.find((line) => line.includes('projections ended')) ?? '';
    expect(JSON.parse(warned)).toMatchObject({ service: 'wallets', level: 'warn', err: { type: 'CheckpointMoved' } });
    for (const key of ['time', 'service']) expect(warned.split(`"${key}":`)).toHaveLength(2);
  });

  it('leave the tables to the next one when they are stopped', async () => {
    const first = start();
    await first.visible(await deposit(1, [{ amount: 1 }]), 10_000);
    await first.stop();
    expect(first.progress().isActive).toBe(false);
    const controller = new AbortController();
    const next = stopping(controller, runProjections({ ...work(controller.signal, silentLogger()), store }));
    expect(await next.visible(await deposit(1, [{ amount: 2 }]), 10_000)).toBe(true);
    expect(next.progress().isActive).toBe(true);
    expect(await totals()).toEqual([{ amount: '3', events: 2n }]);
  });
});
