import { testDatabase } from '@billstream/testing';
import { countRows, countedRowsMax, openDatabase, rowsCounted } from './index';

it('the rows of a list are counted exactly up to a number, and no further', async () => {
  const place = await testDatabase();
  const database = openDatabase({ url: place.url, schema: 'public', applicationName: 'counted rows', poolSize: 1 });
  try {
    const counted = async (rows: number) =>
      rowsCounted((await database.query<{ total: bigint }>(countRows('generate_series(1, $1::int)'), [rows]))[0]);
    expect(await counted(0)).toBe(0);
    expect(await counted(countedRowsMax)).toBe(countedRowsMax);
    expect(await counted(countedRowsMax + 1)).toBeNull();
    expect(await counted(10 * countedRowsMax)).toBeNull();
    const explained = `explain (analyze, format text) ${countRows('generate_series(1, 1000000)')}`;
    const plan = await database.query<Record<string, string>>(explained);
    expect(plan.flatMap((row) => Object.values(row)).join(' ')).toContain('rows=20001');
  } finally {
    await database.close();
    await place.drop();
  }
});
