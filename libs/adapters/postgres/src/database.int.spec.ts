import { eventually, testDatabase, type TestDatabase } from '@billstream/testing';
import { jsonArray, openDatabase, type Database } from './index';

let server: TestDatabase;
let database: Database;
let admin: Database;

const open = (poolSize = 4): Database =>
  openDatabase({ url: server.url, schema: 'public', applicationName: 'under-test', poolSize });

const cutConnections = async (): Promise<void> => {
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = 'under-test' and datname = current_database()`,
  );
};

beforeAll(async () => {
  server = await testDatabase();
  admin = openDatabase({ url: server.url, schema: 'public', applicationName: 'admin', poolSize: 2 });
  await admin.query('create table note (id int primary key, body text)');
});

afterAll(async () => {
  await admin.close();
  await server.drop();
});

beforeEach(async () => {
  database = open();
  await admin.query('truncate note');
});

afterEach(() => database.close());

describe('column types', () => {
  const value = async (expression: string): Promise<unknown> => {
    const [row] = await database.query(`select ${expression} as value`);
    return row?.['value'];
  };

  it.each<[string, unknown]>([
    ['9007199254740993::int8', 9007199254740993n],
    ['count(*)', 1n],
    ['array[1, null, 9007199254740993]::int8[]', [1n, null, 9007199254740993n]],
    ['12345678901234567890.1234567890::numeric', '12345678901234567890.1234567890'],
    ['array[0.10, 2]::numeric[]', ['0.10', '2']],
    ["'2026-03-01 10:00:00+02'::timestamptz", '2026-03-01T08:00:00.000Z'],
    ["'2026-03-01 23:59:59.999999+00'::timestamptz", '2026-03-01T23:59:59.999Z'],
    ["'2026-03-01 10:00:00.1+00'::timestamptz", '2026-03-01T10:00:00.100Z'],
    ["'infinity'::timestamptz", 'infinity'],
    ["array['2026-03-01 10:00:00Z']::timestamptz[]", ['2026-03-01T10:00:00.000Z']],
    ["'2026-03-01'::date", '2026-03-01'],
    ["array['2026-03-01']::date[]", ['2026-03-01']],
    ["'2026-03-01 10:00:00'::timestamp", '2026-03-01 10:00:00'],
    [`'{"a": [1, "2"]}'::jsonb`, { a: [1, '2'] }],
    ['null::int8', null],
    ['1::int4', 1],
    ['true', true],
  ])('reads %s', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  it('writes bigint, instants and lists as they were read', async () => {
    const [row] = await database.query(
      'select $1::int8 as big, $2::timestamptz as at, $3::int8[] as list, $4::jsonb as body',
      [2n ** 62n, '2026-03-01T10:00:00.120Z', [1n, 2n], { a: 1 }],
    );
    expect(row).toEqual({ big: 2n ** 62n, at: '2026-03-01T10:00:00.120Z', list: [1n, 2n], body: { a: 1 } });
  });

  it.each(['json', 'jsonb'] as const)('takes lists of %s in their binary form', async (type) => {
    const values = [{ text: 'a "quoted" \\ {żółw} 🐢, NULL' }, [1, null], {}];
    const texts = (list: readonly object[]) =>
      database.query<{ value: object }>(`select unnest($1::${type}[]) as value`, [jsonArray(type, list)]);
    expect((await texts(values)).map(({ value }) => value)).toEqual(values);
    expect(await texts([])).toEqual([]);
  });

  it('runs sessions in UTC whatever the server thinks', async () => {
    expect(await value("current_setting('TimeZone')")).toBe('UTC');
  });
});

describe('query', () => {
  it('prepares a named statement once per connection', async () => {
    const single = open(1);
    await single.query('select $1::int', [1], 'one');
    await single.query('select $1::int', [2], 'one');
    const rows = await single.query("select name from pg_prepared_statements where name = 'one'");
    expect(rows).toEqual([{ name: 'one' }]);
    await single.close();
  });

  it('answers with the rows of the last of several statements', async () => {
    expect(await database.query('select 1 as a; select 2 as b')).toEqual([{ b: 2 }]);
  });

  it('keeps the connection after an ordinary error', async () => {
    const single = open(1);
    const pid = async (): Promise<unknown> => (await single.query('select pg_backend_pid() as pid'))[0]?.['pid'];
    const before = await pid();
    await expect(single.query('select 1 / 0')).rejects.toThrow('division by zero');
    expect(await pid()).toBe(before);
    await single.close();
  });

  it('rejects on a connection that is cut, and works again on the next call', async () => {
    const running = database.query('select pg_sleep(30)').then(
      () => 'answered',
      () => 'rejected',
    );
    await eventually(async () => {
      const rows = await admin.query("select 1 from pg_stat_activity where query = 'select pg_sleep(30)'");
      return rows.length === 1;
    });
    await cutConnections();
    expect(await running).toBe('rejected');
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('tells about idle connections that were cut and lives on', async () => {
    const errors: Error[] = [];
    const listening = openDatabase({
      url: server.url,
      schema: 'public',
      applicationName: 'under-test',
      onError: (error) => errors.push(error),
    });
    await listening.query('select 1');
    await cutConnections();
    await eventually(() => errors.length === 1);
    expect(await listening.query('select 1 as one')).toEqual([{ one: 1 }]);
    await listening.close();
  });

  it('refuses a schema name that would need quoting', () => {
    expect(() => database.withSchema('a b')).toThrow("'a b' is no schema name");
  });
});

describe('transaction', () => {
  const bodies = async (): Promise<readonly unknown[]> =>
    (await admin.query('select body from note order by id')).map((row) => row['body']);

  it('commits what it did and answers what it returned', async () => {
    const result = await database.transaction(async (tx) => {
      await tx.query('insert into note values (1, $1)', ['kept']);
      return 'result';
    });
    expect(result).toBe('result');
    expect(await bodies()).toEqual(['kept']);
  });

  it('rolls back when the work throws', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query("insert into note values (1, 'lost')");
      throw new Error('no');
    });
    await expect(work).rejects.toThrow('no');
    expect(await bodies()).toEqual([]);
  });

  it('rejects when a failed statement was swallowed, because nothing was kept', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query("insert into note values (1, 'lost')");
      await tx.query('select 1 / 0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await bodies()).toEqual([]);
  });

  it('runs concurrent queries one after the other', async () => {
    const rows = await database.transaction((tx) =>
      Promise.all([1, 2, 3].map((n) => tx.query('insert into note values ($1) returning id', [n]))),
    );
    expect(rows.flat()).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it('refuses a query after its end', async () => {
    const leaked = await database.transaction((tx) => Promise.resolve(tx));
    await expect(leaked.query('select 1')).rejects.toThrow('already ended');
  });

  it('leaks no client when its connection is cut', async () => {
    const single = open(1);
    for (let round = 0; round < 3; round += 1) {
      const work = single.transaction(async (tx) => {
        await tx.query('select 1');
        await cutConnections();
        await tx.query('select 2');
      });
      await expect(work).rejects.toThrow();
    }
    expect(await single.query('select 1 as one')).toEqual([{ one: 1 }]);
    await single.close();
  });
});

describe('another schema', () => {
  it('sees its own tables and not those of its parent', async () => {
    await admin.query('create schema shadow; create table shadow.only_here (id int)');
    const shadow = database.withSchema('shadow');
    expect(shadow.schema).toBe('shadow');
    expect(await shadow.query('select * from only_here')).toEqual([]);
    await expect(shadow.query('select * from note')).rejects.toThrow('does not exist');
    await expect(database.query('select * from only_here')).rejects.toThrow('does not exist');
  });

  it('closes with its parent', async () => {
    const parent = open();
    const child = parent.withSchema('public');
    await child.query('select 1');
    await parent.close();
    await expect(child.query('select 1')).rejects.toThrow();
  });
});
