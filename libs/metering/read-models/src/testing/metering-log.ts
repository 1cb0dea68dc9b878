import type { RecordedEvent } from '@billstream/event-sourcing';
import { type Decimal, type Instant, instantOfMs, newId } from '@billstream/kernel';
import {
  type LoggedRecord,
  type Rule,
  defaultRule,
  unitIdOf,
  unitSchema,
  unitStream,
  usageRecordedName,
} from '@billstream/metering-domain';
import { type Database, openDatabase } from '@billstream/postgres';
import { type TestDatabase, testDatabase } from '@billstream/testing';
import { meteringReadModel } from '../index';

let place: TestDatabase;
const opened: Database[] = [];

/** Around all tests of a file that apply events. */
export const withTables = (): void => {
  beforeAll(async () => {
    place = await testDatabase();
  });
  afterAll(async () => {
    for (const database of opened) await database.close();
    await place.drop();
  }, 30_000);
};

/** Fresh tables in a schema of their own. */
const tables = async (): Promise<Database> => {
  const schema = `s_${newId().replaceAll('-', '')}`;
  const database = openDatabase({ url: place.url, schema, applicationName: 'metering read model spec', poolSize: 2 });
  opened.push(database);
  await database.query(`create schema ${schema}`);
  await database.query(meteringReadModel.ddl);
  return database;
};

export const tenantId = newId();
export const startMs = Date.parse('2024-05-10T10:00:00.000Z');
export const wholeDay = { fromAt: '2024-05-10T00:00:00.000Z' as Instant, toAt: '2024-05-11T00:00:00.000Z' as Instant };

export type Told = { readonly stream: string; readonly type: string; readonly data: object; readonly atMs?: number };
/** A log as the store would give it: positions with gaps, revisions by stream. */
export const logOf = (told: readonly Told[]): readonly RecordedEvent[] => {
  const revisions = new Map<string, bigint>();
  return told.map(({ stream, type, data, atMs = startMs }, index) => {
    const revision = (revisions.get(stream) ?? -1n) + 1n;
    revisions.set(stream, revision);
    const at = instantOfMs(atMs);
    const metadata = {
      $correlationId: 'c',
      $causationId: 'c',
      commandId: 'c',
      tenantId,
      actor: { createdBy: 'spec' },
      at,
      recordedAt: at,
    };
    return { id: newId(), type, data, metadata, stream, revision, position: BigInt(index * 7) };
  });
};
export const usage = (partition: number, records: readonly LoggedRecord[], atMs = startMs): Told => ({
  stream: `usage-${tenantId}-${partition}`,
  type: usageRecordedName,
  data: { tenantId, records },
  atMs,
});
export const record = (user: string, amount: number, id: string | null, atMs = startMs): LoggedRecord => [
  'calls',
  user,
  atMs,
  String(amount) as Decimal,
  id === null ? null : 's',
  id,
];
export const defined = (name: string, rules: readonly Rule[]): Told => {
  const unitId = unitIdOf(tenantId, name);
  const { type, data } = unitSchema.encode({
    type: 'UnitDefined',
    data: { unitId, name, countingMethod: 'SUM', version: 1, effectiveAt: instantOfMs(startMs), rules },
  });
  return { stream: unitStream(unitId), type, data };
};
export const limitedTo = (limit: number): Rule => ({
  ...defaultRule('SUM'),
  limitAmount: String(limit) as Decimal,
  limitRefreshInterval: 'HOUR',
});

/** Tables with the events in them, in pages of the sizes given, over and over. */
export const applied = async (
  events: readonly RecordedEvent[],
  pageSizes: readonly number[] = [events.length],
): Promise<Database> => {
  const database = await tables();
  for (let from = 0, page = 0; from < events.length; page += 1) {
    const size = Math.max(1, pageSizes[page % pageSizes.length] ?? events.length);
    await database.transaction((tx) => meteringReadModel.apply(tx, events.slice(from, from + size)));
    from += size;
  }
  return database;
};
/** Everything in the tables, to compare two ways to build them. */
export const contents = async (database: Database) => {
  const found: Record<string, readonly string[]> = {};
  for (const table of meteringReadModel.tables) {
    const rows = await database.query<{ row: string }>(`select row_to_json(t)::text as row from ${table} t`);
    found[table] = rows.map(({ row }) => row).sort();
  }
  return found;
};
