import { type TestDatabase, testDatabase } from '@billstream/testing';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { Client as Postgres } from 'pg';
import {
  addPayPal,
  changePlan,
  moveClock,
  openAccount,
  recordUsage,
  settled,
  subscribe,
  timeOf,
  uploadPayPalConfig,
} from '../../../../tools/day/day';
import { type Ended, type RunningSystem, dataFolder, killAll, npmStart, run } from '../process';
import { freePort } from '../system';

/** The operators' CLI against a running system that has seen a month of one customer. The tests follow one another. */
const folder = dataFolder();
let database: TestDatabase;
let running: RunningSystem;
let postgres: Postgres;
let accountId = '';
let bundleId = '';
const day = 86_400_000;

beforeAll(async () => {
  database = await testDatabase();
  postgres = new Postgres(database.url);
  await postgres.connect();
  running = await npmStart({
    DATA_DIR: folder,
    DATABASE_URL: database.url,
    PORT: String(await freePort()),
    TEST_CLOCK: '1',
  });
  const { api, emulatorUrl } = running;
  await uploadPayPalConfig(api);
  const account = await openAccount(api, 'month@example.com');
  ({ accountId } = account);
  await addPayPal(api, account, emulatorUrl);
  const subscriptionId = await subscribe(api, account, 'standard-monthly');
  await changePlan(api, account, subscriptionId, 'standard-pro');
  ({ bundleId } = (await api.expect(200, 'GET', `/1.0/kb/subscriptions/${subscriptionId}`)).json<{
    bundleId: string;
  }>());
  await moveClock(api, new Date((await timeOf(api)).getTime() + 31 * day));
  await recordUsage(api, [{ unit: 'analytics', user: account.externalKey, amount: 3, id: 'one' }]);
  await moveClock(api, new Date((await timeOf(api)).getTime() + 31 * day));
  await settled(api);
}, 120_000);
afterAll(async () => {
  running.child.kill('SIGTERM');
  await running.ended;
  killAll();
  await postgres.end();
  await database.drop();
  rmSync(path.dirname(folder), { recursive: true, force: true });
}, 60_000);

const replay = (...args: readonly string[]): Promise<Ended> =>
  run('apps/replay/src/main.ts', args, { DATA_DIR: folder }).ended;

describe('npm run replay', () => {
  it('lists the categories of streams, and the streams of one', async () => {
    const { code, output } = await replay('streams');
    expect(code).toBe(0);
    for (const [category, context] of [
      ['account', 'accounts'],
      ['bundle', 'subscriptions'],
      ['usage', 'metering'],
      ['accountInvoices', 'invoicing'],
      ['invoicePayments', 'payments'],
    ])
      expect(output).toMatch(new RegExp(`^${String(category)} +${String(context)} +\\d+ +\\d+ `, 'm'));
    expect((await replay('streams', '--prefix', 'bundle-')).output).toContain(`bundle-${bundleId}`);
  }, 60_000);

  it('shows a stream as one reads it', async () => {
    const { code, output } = await replay('show', `bundle-${bundleId}`);
    expect(code).toBe(0);
    expect(output).toMatch(/^#0 {2}\S+\.v1/m);
    expect(output).toContain('standard-pro');
    expect(await replay('show', 'bundle-nothing')).toMatchObject({
      code: 1,
      output: expect.stringContaining('no event in bundle-nothing'),
    });
  }, 60_000);

  it('shows where every consumer stands', async () => {
    const { code, output } = await replay('consumers');
    expect(code).toBe(0);
    for (const context of ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'])
      expect(output).toMatch(new RegExp(`^${context} +relay +\\d+ +\\d+`, 'm'));
    expect(output).not.toMatch(/keys blocked/);
  }, 60_000);

  it('has no dead letters to list', async () => {
    expect(await replay('dead-letters', 'list')).toMatchObject({ code: 0, output: 'no dead letters\n' });
  }, 60_000);

  it('finds that replaying everything gives what is there: compare, and verify', async () => {
    const compared = await replay('compare');
    expect(compared.output).toMatch(/^0 differences$/m);
    expect(compared.code).toBe(0);
    const verified = await replay('verify');
    expect(verified.output).toMatch(/^\d+ aggregates replayed, 0 faults/m);
    expect(verified.code).toBe(0);
  }, 120_000);

  it('names the row that somebody has changed, and mends it by a rebuild, while the system runs', async () => {
    const changed = await postgres.query(
      `update accounts.accounts set external_key = 'tampered' where account_id = $1`,
      [accountId],
    );
    expect(changed.rowCount).toBe(1);
    const compared = await replay('compare', 'accounts/accounts');
    expect(compared.code).toBe(1);
    expect(compared.output).toMatch(/^1 differences$/m);
    expect(compared.output).toContain(accountId);

    const rebuilt = await replay('rebuild', 'accounts');
    expect(rebuilt.output).toContain(accountId);
    expect(await replay('compare', 'accounts')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^0 differences$/m),
    });
    expect((await running.api.expect(200, 'GET', `/1.0/kb/accounts/${accountId}`)).json()).toMatchObject({
      externalKey: 'month@example.com',
    });
  }, 120_000);

  it('rebuilds everything beside the running system, which goes on', async () => {
    const rebuilding = replay('rebuild');
    const during = await openAccount(running.api, 'during@example.com');
    expect(await rebuilding).toMatchObject({ code: 0, output: expect.stringMatching(/^0 differences$/m) });
    const after = await openAccount(running.api, 'after@example.com');
    for (const account of [during, after])
      expect((await running.api.expect(200, 'GET', `/1.0/kb/accounts/${account.accountId}`)).json()).toMatchObject(
        account,
      );
    expect(await replay('compare')).toMatchObject({ code: 0, output: expect.stringMatching(/^0 differences$/m) });
  }, 180_000);

  it('says what it does not know, and what it cannot find', async () => {
    expect(await replay('compare', 'weather')).toMatchObject({
      code: 1,
      output: expect.stringContaining('no read model weather'),
    });
    const nowhere = await run('apps/replay/src/main.ts', ['streams'], { DATA_DIR: `${folder}-nowhere` }).ended;
    expect(nowhere).toMatchObject({ code: 1, output: expect.stringContaining('no running system found') });
  }, 60_000);
});
