import { type TestDatabase, eventually, testDatabase } from '@billstream/testing';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { openAccount } from '../../../../tools/day/day';
import { type RunningSystem, dataFolder, killAll, npmStart, processesNaming, run } from '../process';
import { freePort } from '../system';

/** `npm start` as a process of its own, on embedded parts alone: the tests follow one another on one data folder. */
const folder = dataFolder();
let port = '';
let database: TestDatabase;
let running: RunningSystem;

beforeAll(async () => {
  port = String(await freePort());
  database = await testDatabase();
}, 60_000);
afterAll(async () => {
  killAll();
  await eventually(() => processesNaming(folder).length === 0, 20_000);
  rmSync(path.dirname(folder), { recursive: true, force: true });
  await database.drop();
}, 30_000);

const accountNamed = (externalKey: string) =>
  running.api.expect(200, 'GET', `/1.0/kb/accounts?externalKey=${encodeURIComponent(externalKey)}`);
const nothingLeft = () => eventually(() => processesNaming(folder).length === 0, 20_000);
const start = async (): Promise<void> => {
  running = await npmStart({ DATA_DIR: folder, PORT: port });
};

describe('npm start', () => {
  it('is ready on an empty folder within 20 seconds', async () => {
    await start();
    expect(running.url).toBe(`http://127.0.0.1:${port}`);
    expect((await running.api.ask('GET', '/health/ready')).status).toBe(200);
    expect(running.readyAfterMs).toBeLessThan(20_000);
  }, 90_000);

  it('ends with 0 on Ctrl-C in the middle of work, and leaves no process behind', async () => {
    await openAccount(running.api, 'first@example.com');
    expect(processesNaming(folder).some((command) => command.includes('postgres'))).toBe(true);
    const work = Array.from({ length: 20 }, (_, i) =>
      openAccount(running.api, `busy-${String(i)}@example.com`).catch(() => undefined),
    );
    running.child.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 0 });
    await Promise.all(work);
    await nothingLeft();
  }, 60_000);

  it('finds its data when it is started again', async () => {
    await start();
    expect((await accountNamed('first@example.com')).json()).toMatchObject({ externalKey: 'first@example.com' });
  }, 90_000);

  it('is refused a second time on the same folder, and told why', async () => {
    const second = run('apps/standalone/src/main.ts', [], {
      DATA_DIR: folder,
      PORT: String(await freePort()),
      METRICS_PORT: '0',
      EMULATOR_PORT: '0',
    });
    const { code, output } = await second.ended;
    expect(code).toBe(1);
    expect(output).toContain('Billstream cannot start');
    expect(output).toMatch(new RegExp(`${folder}.*(used|held|runs|running)|(used|held|runs|running).*${folder}`));
    expect((await running.api.ask('GET', '/health/ready')).status).toBe(200);
  }, 60_000);

  it('loses nothing that was answered when it is killed', async () => {
    const account = await openAccount(running.api, 'killed@example.com');
    running.child.kill('SIGKILL');
    await running.ended;
    await start();
    expect((await accountNamed('killed@example.com')).json()).toMatchObject(account);
    expect(
      (
        await running.api.expect(201, 'POST', '/1.0/kb/subscriptions', {
          body: { accountId: account.accountId, planName: 'standard-monthly' },
        })
      ).text,
    ).toBe('');
    running.child.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 0 });
    await nothingLeft();
  }, 120_000);
});

describe('npm start says what is wrong, and ends with 1,', () => {
  const refused = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const elsewhere = path.join(path.dirname(folder), 'elsewhere');
    const { code, output } = await run('apps/standalone/src/main.ts', [], {
      ...{
        DATA_DIR: elsewhere,
        DATABASE_URL: database.url,
        PORT: String(await freePort()),
        METRICS_PORT: '0',
        EMULATOR_PORT: '0',
        LOG_LEVEL: 'silent',
      },
      ...settings,
    }).ended;
    expect([code, output]).toEqual([1, expect.stringContaining('Billstream cannot start')]);
    expect(output).not.toMatch(/\n\s+at /);
    return output;
  };

  it('when its port is taken', async () => {
    const other = createServer();
    const taken = await freePort();
    await new Promise<void>((resolve) => other.listen(taken, '127.0.0.1', resolve));
    const output = await refused({ PORT: String(taken) });
    expect(output).toContain(`Port ${String(taken)} on 127.0.0.1 is taken`);
    await new Promise((resolve) => other.close(resolve));
  }, 60_000);

  it('when it would be open to the network with the guide’s password', async () => {
    expect(await refused({ HOST: '0.0.0.0' })).toContain('ADMIN_USER and ADMIN_PASSWORD must be set');
  }, 60_000);

  it('when settings make no sense, all of them at once', async () => {
    const output = await refused({ PORT: 'eighty', LOG_LEVEL: 'loud', SECRETS_KEY: 'hunter2' });
    for (const name of ['PORT', 'LOG_LEVEL', 'SECRETS_KEY']) expect(output).toContain(name);
    expect(output).not.toContain('hunter2');
  }, 60_000);

  it('when the database is not there', async () => {
    expect(await refused({ DATABASE_URL: `postgres://nobody@127.0.0.1:${String(await freePort())}/nothing` })).toMatch(
      /ECONNREFUSED|database|PostgreSQL/i,
    );
  }, 60_000);
});
