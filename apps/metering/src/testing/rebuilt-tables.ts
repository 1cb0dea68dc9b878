import { meteringReadModel } from '@billstream/metering-read-models';
import type { meteringUnderTest } from './metering-under-test';

type Tables = Readonly<Record<string, readonly string[]>>;

/** Every row of metering's read model as it stands, and as it is when it is built again from the log in smaller pages. */
export const liveAndRebuilt = async (
  system: Awaited<ReturnType<typeof meteringUnderTest>>,
): Promise<{ readonly live: Tables; readonly rebuilt: Tables }> => {
  await system.runtime.caughtUp();
  const tables = async (sql: Pick<typeof system.database, 'query'>): Promise<Tables> => {
    const found: Record<string, readonly string[]> = {};
    for (const table of meteringReadModel.tables) {
      const rows = await sql.query<{ row: string }>(`select row_to_json(t)::text as row from ${table} t`);
      found[table] = rows.map(({ row }) => row).sort();
    }
    return found;
  };
  const { events } = await system.store.readAll({ after: null, prefixes: meteringReadModel.prefixes });
  const again = system.database.withSchema('again');
  await system.database.query('create schema again');
  await again.query(meteringReadModel.ddl);
  for (let from = 0; from < events.length; from += 17)
    await again.transaction((tx) => meteringReadModel.apply(tx, events.slice(from, from + 17)));
  return { live: await tables(system.database), rebuilt: await tables(again) };
};
