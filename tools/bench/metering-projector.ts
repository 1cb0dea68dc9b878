/** How many usage records a second the metering read model takes, alone: `node -r ./tools/register.cjs tools/bench/metering-projector.ts [records] [users] [limited]` */
import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Decimal, type Instant, newId } from '@billstream/kernel';
import {
  type LoggedRecord,
  type Rule,
  defaultRule,
  unitIdOf,
  unitSchema,
  unitStream,
  usageRecordedName,
} from '@billstream/metering-domain';
import { meteringReadModel } from '@billstream/metering-read-models';
import { openDatabase } from '@billstream/postgres';

const url = process.env['TEST_DATABASE_URL'] ?? process.env['DATABASE_URL'];
const [count = 500_000, users = 1_000] = process.argv.slice(2, 4).map(Number);
const isLimited = process.argv[4] === 'limited';
const recordsPerEvent = 400;
const eventsPerPage = 16;
const schema = `bench_projector_${String(process.pid)}`;

const eventAt = (position: number, tenantId: string): RecordedEvent => {
  const records = Array.from({ length: recordsPerEvent }, (_, index): LoggedRecord => {
    const n = position * recordsPerEvent + index;
    return [
      'analytics',
      `user-${String(n % users)}@example.com`,
      1_700_000_000_000 + n,
      String(1 + (n % 50)) as Decimal,
      'bench',
      `r-${String(n)}`,
    ];
  });
  // The day of the records, so that they move their windows.
  const at = '2023-11-14T23:00:00.000Z' as Instant;
  const metadata = {
    $correlationId: 'c',
    $causationId: 'c',
    commandId: 'c',
    tenantId,
    actor: { createdBy: 'bench' },
    at,
    recordedAt: at,
  };
  return {
    id: newId(),
    type: usageRecordedName,
    data: { tenantId, records },
    metadata,
    stream: `usage-${tenantId}-0`,
    revision: BigInt(position),
    position: BigInt(position),
  };
};

const limitedUnit = (tenantId: string): RecordedEvent => {
  const unitId = unitIdOf(tenantId, 'analytics');
  const at = '2023-11-14T22:00:00.000Z' as Instant;
  const rules: readonly Rule[] = [
    { ...defaultRule('SUM'), limitAmount: '100' as Decimal, limitRefreshInterval: 'DAY' },
  ];
  const event = unitSchema.encode({
    type: 'UnitDefined',
    data: { unitId, name: 'analytics', countingMethod: 'SUM', version: 1, effectiveAt: at, rules },
  });
  return { ...eventAt(0, tenantId), ...event, stream: unitStream(unitId) };
};

const main = async (): Promise<void> => {
  if (url === undefined) throw new Error('TEST_DATABASE_URL names a PostgreSQL to measure on');
  const database = openDatabase({ url, schema, applicationName: 'metering bench' });
  await database.query(`create schema ${schema}`);
  await database.query(meteringReadModel.ddl);
  const tenantId = newId();
  if (isLimited) await database.transaction((tx) => meteringReadModel.apply(tx, [limitedUnit(tenantId)]));
  const pages = Math.ceil(count / recordsPerEvent / eventsPerPage);
  const batches = Array.from({ length: pages }, (_, page) =>
    Array.from({ length: eventsPerPage }, (__, i) => eventAt(page * eventsPerPage + i, tenantId)),
  );
  const records = pages * eventsPerPage * recordsPerEvent;
  const cpu = process.cpuUsage();
  const started = performance.now();
  for (const events of batches) {
    await database.transaction(async (tx) => {
      await tx.query(`select set_config('synchronous_commit', 'off', true)`);
      await meteringReadModel.apply(tx, events);
    });
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${String(records)} records in ${seconds.toFixed(1)} s: ${Math.round(records / seconds).toString()} records/s; CPU of this process ${((user + system) / records).toFixed(1)} us a record`,
  );
  await database.query(`drop schema ${schema} cascade`);
  await database.close();
};

void main();
