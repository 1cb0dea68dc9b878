import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase, type TestDatabase } from '@billstream/testing';
import { migrate, openDatabase, type Database } from './index';

let server: TestDatabase;
let folder: string;
let database: Database;
let schemas = 0;

const put = (file: string, sql: string): Promise<void> => writeFile(join(folder, file), sql);
const run = (on = database): Promise<void> => migrate(on, { name: 'notes', folder });
const open = (): Database =>
  openDatabase({ url: server.url, schema: `notes_${String(schemas)}`, applicationName: 'migrations', poolSize: 2 });

beforeAll(async () => {
  server = await testDatabase();
});

afterAll(() => server.drop());

beforeEach(async () => {
  schemas += 1;
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  database = open();
  await put('0001_note.sql', 'create table note (id int);\n-- two statements in a file\ncreate index on note (id);\n');
});

afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

describe('migrate', () => {
  it('makes the schema and applies each file once, in name order', async () => {
    await put('0002_body.sql', 'alter table note add column body text;');
    await run();
    await run();
    await put('0003_seed.sql', "insert into note values (1, 'seed');");
    await run();
    await run();
    expect(await database.query('select * from note')).toEqual([{ id: 1, body: 'seed' }]);
    const [table] = await database.query(
      "select schemaname from pg_tables where tablename = 'note' and schemaname = $1",
      [database.schema],
    );
    expect(table).toEqual({ schemaname: database.schema });
  });

  it('refuses a file that was changed after it had been applied', async () => {
    await run();
    await put('0001_note.sql', 'create table note (id bigint);');
    await expect(run()).rejects.toThrow('notes/0001_note.sql was changed');
  });

  it('does not take other line ends for a change', async () => {
    await run();
    await put(
      '0001_note.sql',
      'create table note (id int);\r\n-- two statements in a file\r\ncreate index on note (id);\r\n',
    );
    await run();
  });

  it('applies nothing when one file fails, and names it', async () => {
    await put('0002_wrong.sql', 'create table nonsense (;');
    await expect(run()).rejects.toThrow('notes/0002_wrong.sql failed: syntax error');
    await expect(database.query('select * from note')).rejects.toThrow('does not exist');
  });

  it('lets several processes start at once', async () => {
    await put('0002_seed.sql', 'insert into note values (1);');
    const others = [1, 2, 3, 4, 5].map(open);
    await Promise.all(others.map(run));
    expect(await database.query('select * from note')).toEqual([{ id: 1 }]);
    await Promise.all(others.map((each) => each.close()));
  });

  it('tells migrations of the same file name apart by their own name', async () => {
    await run();
    await put('0001_note.sql', 'create table other (id int);');
    await migrate(database, { name: 'others', folder });
    expect(await database.query('select * from other')).toEqual([]);
  });
});
