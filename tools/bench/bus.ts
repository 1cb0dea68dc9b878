/**
 * How many public events a second the bus carries, with an inbox in PostgreSQL and handlers that do nothing:
 * `TEST_DATABASE_URL=… TEST_RABBITMQ_URL=… node -r ./tools/register.cjs tools/bench/bus.ts [messages]`
 */
import type { PublicEvent } from '@billstream/event-sourcing';
import { newId, wallTime } from '@billstream/kernel';
import { openDatabase } from '@billstream/postgres';
import { type Bus, busDdl, BusServer, inProcessBus, rabbitMqBus } from '@billstream/rabbitmq';
import { pino } from 'pino';
import { eventually } from '../testing/eventually';
import { hasTestBroker, testBroker } from '../testing/test-broker';
import { testDatabase } from '../testing/test-database';

const messages = Number(process.argv[2] ?? 20_000);
const pageSize = 500;
const logger = pino({ level: 'warn' });
const listeners = [{ service: 'reader', hears: ['accounts'] }];
const events: readonly PublicEvent[] = Array.from({ length: messages }, (_, number) => ({
  id: newId(),
  type: 'accounts.account-updated.v1',
  data: { accountId: newId(), text: 'x'.repeat(100) },
  tenantId: newId(),
  key: `account-${number % 200}`,
  at: wallTime(),
  actor: { createdBy: 'bench' },
  correlationId: newId(),
  position: String(number),
  stream: `account-${number % 200}`,
  revision: '0',
}));

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
};
const publishAll = async (bus: Bus): Promise<void> => {
  for (let from = 0; from < messages; from += pageSize) await bus.publish(events.slice(from, from + pageSize));
};
const say = (what: string, took: number): void => {
  process.stdout.write(`${what.padEnd(48)} ${String(Math.round(messages / took)).padStart(7)} messages/s\n`);
};

const main = async (): Promise<void> => {
  const postgres = await testDatabase();
  const root = openDatabase({ url: postgres.url, schema: 'public', applicationName: 'bench' });
  const serve = async (bus: Bus, schema: string) => {
    await root.query(`create schema ${schema}`);
    const database = root.withSchema(schema);
    await database.query(busDdl);
    let handled = 0;
    const server = new BusServer({ bus, service: 'reader', hears: ['accounts'], database, logger });
    server.addHandler('accounts.account-updated.v1', () => Promise.resolve(void (handled += 1)), true);
    server.listen(() => undefined);
    await server.ready();
    return { server, all: () => eventually(() => handled >= messages, 120_000) };
  };

  const local = inProcessBus({ listeners });
  const inside = await serve(local, 'inside');
  say('in one process: publish, handle, inbox', await seconds(() => publishAll(local)));
  await inside.server.close();

  if (hasTestBroker()) {
    const broker = await testBroker();
    const bus = await rabbitMqBus({
      url: broker.url,
      namespace: broker.namespace,
      service: 'bench',
      listeners,
      logger,
    });
    await bus.publish(events.slice(0, 1));
    say('RabbitMQ: publish, confirmed, pages of 500', await seconds(() => publishAll(bus)));
    const first = await serve(bus, 'backlog');
    say('RabbitMQ: handle a backlog, inbox', await seconds(first.all));
    await first.server.close();
    const second = await serve(bus, 'together');
    say('RabbitMQ: publish and handle at once', await seconds(() => Promise.all([publishAll(bus), second.all()])));
    await second.server.close();
    await bus.close();
    await broker.drop({ queues: [], exchanges: [] });
  }
  await root.close();
  await postgres.drop();
};

void main();
