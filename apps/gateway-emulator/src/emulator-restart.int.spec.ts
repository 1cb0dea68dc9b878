import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { startEmulator } from './index';
import { merchantAt } from './testing/merchant';

const folder = mkdtempSync(join(tmpdir(), 'emulator-'));
let files = 0;
const newJournal = (): string => join(folder, `${(files += 1)}`, 'journal.jsonl');
const root = resolve(__dirname, '../../..');

let running: ChildProcess | undefined;

afterAll(() => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

describe('an emulator with a journal', () => {
  it('knows agreements, charges, keys and the clock after a restart', async () => {
    const journal = newJournal();
    const first = await startEmulator({ port: 0, journal });
    const shop = merchantAt(first.url);
    const agreement = await shop.agreement();
    const paid = await shop.pay(agreement, { MSGSUBID: 'attempt-1', INVNUM: 'inv-1' });
    await shop.control('clock', { advanceSeconds: 86_400 });
    await first.close();

    const second = await startEmulator({ port: 0, journal });
    const again = merchantAt(second.url);
    expect(await again.pay(agreement, { MSGSUBID: 'attempt-1', INVNUM: 'inv-1' })).toMatchObject({
      TRANSACTIONID: paid['TRANSACTIONID'],
      L_ERRORCODE0: '11607',
    });
    expect(Date.parse(String((await again.read('clock'))['now']))).toBeGreaterThan(Date.now() + 86_000_000);
    await second.close();
  });

  it('drops a torn last line and goes on behind it', async () => {
    const journal = newJournal();
    const first = await startEmulator({ port: 0, journal });
    await merchantAt(first.url).agreement();
    await first.close();
    const whole = statSync(journal).size;
    appendFileSync(journal, '[{"in":"ledger","do":{"type":"boo');

    const second = await startEmulator({ port: 0, journal });
    expect(statSync(journal).size).toBe(whole);
    await merchantAt(second.url).agreement();
    await second.close();
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    expect(() => lines.map((line) => JSON.parse(line) as unknown)).not.toThrow();
  });

  it('refuses to start over damage that no crash explains', async () => {
    const journal = newJournal();
    await (await startEmulator({ port: 0, journal })).close();
    appendFileSync(journal, 'not json\n[]\n');
    await expect(startEmulator({ port: 0, journal })).rejects.toThrow(/damaged at byte 0/);
  });

  it('stays empty after a reset and a restart', async () => {
    const journal = newJournal();
    const first = await startEmulator({ port: 0, journal });
    const shop = merchantAt(first.url);
    await shop.pay(await shop.agreement());
    await shop.control('reset');
    await first.close();
    const second = await startEmulator({ port: 0, journal });
    expect(await merchantAt(second.url).read('ledger')).toEqual({ entries: [] });
    await second.close();
  });
});

const launch = async (journal: string): Promise<{ child: ChildProcess; url: string }> => {
  const child = spawn(process.execPath, ['-r', './tools/register.cjs', 'apps/gateway-emulator/src/main.ts'], {
    cwd: root,
    env: { ...process.env, EMULATOR_PORT: '0', EMULATOR_JOURNAL: journal },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, url } = JSON.parse(line) as { event: string; url: string };
    if (event === 'listening') return { child, url };
  }
  throw new Error('the emulator ended before it listened');
};

const kill = async (child: ChildProcess): Promise<void> => {
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGKILL');
  await gone;
};

it('forgets no charge it has answered when it is killed under load', async () => {
  const journal = newJournal();
  const { child, url } = await launch(journal);
  child.stdout?.resume();
  const shop = merchantAt(url);
  const agreement = await shop.agreement();
  const answered: string[] = [];
  let stopped = false;
  const payer = async (): Promise<void> => {
    while (!stopped) {
      const paid = await shop.pay(agreement).catch(() => undefined);
      if (paid?.['ACK'] === 'Success') answered.push(paid['TRANSACTIONID'] ?? '');
      else stopped = true;
      if (answered.length >= 200) stopped = true;
    }
  };
  const payers = Array.from({ length: 16 }, payer);
  while (answered.length < 100) await new Promise((done) => setImmediate(done));
  await kill(child);
  await Promise.all(payers);

  const again = await startEmulator({ port: 0, journal });
  const { entries } = (await merchantAt(again.url).read('ledger')) as { entries: { transactionId: string }[] };
  const known = new Set(entries.map(({ transactionId }) => transactionId));
  expect(answered.filter((id) => !known.has(id))).toEqual([]);
  expect(await merchantAt(again.url).read('invariants')).toMatchObject({ ok: true });
  await again.close();
}, 30_000);
