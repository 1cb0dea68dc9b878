import { type MeteringClient, openMeteringClient } from '@billstream/metering-client';
import { eventually, tcpProxy } from '@billstream/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { standaloneUnderTest } from '../../../../../tools/crash/standalone-system';
import { root } from '../../../../../tools/services/child';

/** How often the program that uses the client is killed, and the server. */
const clientKills = Number(process.env['CLIENT_KILLS'] ?? 30);
const serverKills = 2;
const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
jest.setTimeout(120_000 + clientKills * 3_000);

/** The same numbers for the same seed. */
const random = (() => {
  let state = seed;
  return (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
})();

const directory = mkdtempSync(path.join(os.tmpdir(), 'usage-spool-'));
const credentials = { user: 'admin', password: 'password', apiKey: 'admin', apiSecret: 'password' };
let system: Awaited<ReturnType<typeof standaloneUnderTest>>;
let proxy: Awaited<ReturnType<typeof tcpProxy>>;
beforeAll(async () => {
  system = await standaloneUnderTest({ databaseUrl: null, rabbitMqUrl: null, repeatsAreRecognised: true });
  proxy = await tcpProxy({ targetPort: Number(new URL(system.target.url).port) });
}, 120_000);
afterAll(async () => {
  await proxy.close();
  await system.stop({ keepLogs: false });
}, 60_000);

/** Lets the program run for a while and kills it; gives the ids that it was told are kept. */
const sendAndDie = async (run: string, forMs: number): Promise<readonly string[]> => {
  const program = path.join(root, 'apps/system-tests/src/usage-sender.ts');
  const args = ['-r', path.join(root, 'tools/register.cjs'), program, `http://127.0.0.1:${proxy.port}`, directory, run];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await eventually(() => printed !== '', 20_000);
  await sleep(forMs);
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
  return printed.split('\n').slice(0, -1); // the last line may be half of one
};

type Row = { readonly sum: string; readonly records: number; readonly dimensions: { readonly id: string } };
type Report = {
  readonly usage: readonly Row[];
  readonly next: string | null;
  readonly freshness: { behindMs: number };
};

/** What the server counts, by id. */
const countedBy = async (): Promise<ReadonlyMap<string, Row>> => {
  const rows = new Map<string, Row>();
  const headers = basic();
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = new URLSearchParams({
      ...{ from: '2020-01-01', to: '2099-01-01', unit: 'analytics', groupBy: 'dimension:id', limit: '1000' },
      ...(cursor === '' ? {} : { cursor }),
    });
    const answer = await fetch(`${system.target.url}/v1/usage?${query.toString()}`, { headers });
    const report = (await answer.json()) as Report;
    if (report.freshness.behindMs > 0) {
      rows.clear();
      cursor = '';
      await sleep(100);
      continue;
    }
    for (const row of report.usage) rows.set(row.dimensions.id, row);
    cursor = report.next;
  }
  return rows;
};

it('a program that is killed again and again, with a server that is killed and a line that breaks: what was kept counts once', async () => {
  const kept: string[] = [];
  const killServerAt = new Set(
    Array.from({ length: serverKills }, (_, n) => Math.floor(((n + 0.5) * clientKills) / serverKills)),
  );
  let recovered: Promise<void> = Promise.resolve();
  for (let run = 0; run < clientKills; run += 1) {
    if (killServerAt.has(run)) {
      await recovered;
      system.victims[0]!.kill();
      recovered = system.recovered();
    }
    const broken = sleep(random() * 400).then(() => (run % 3 === 1 ? proxy.cut() : undefined));
    kept.push(...(await sendAndDie(String(run), random() * 600)));
    await broken;
  }
  await recovered;

  const last: MeteringClient = await openMeteringClient({ url: system.target.url, directory, credentials });
  await last.flush({ withinMs: 60_000 });
  expect(last.stats()).toMatchObject({ rejected: 0, waitingBytes: 0 });
  await last.close();

  const counted = await countedBy();
  const wrong = kept.filter((id) => {
    const row = counted.get(id);
    return row?.records !== 1 || Number(row.sum) !== 1 + (Number(id.split('-')[1]) % 7);
  });
  console.log(`seed ${seed}: ${clientKills} kills, ${kept.length} records kept, ${counted.size} counted`);
  expect({ seed, wrong }).toEqual({ seed, wrong: [] });
  expect(kept.length).toBeGreaterThan(clientKills * 20);
  // What was being kept when the program died may count, and once as well.
  expect([...counted.values()].filter(({ records }) => records !== 1)).toEqual([]);
});

it('says that a user is limited as soon as the server tells, and that it does not know when there is no server', async () => {
  const headers = { ...basic(), 'content-type': 'application/json', 'x-killbill-createdby': 'test' };
  const url = system.target.url;
  const unit = {
    name: 'checked',
    countingMethod: 'SUM',
    rules: [{ limitAmount: 100, limitRefreshInterval: 'MANUAL' }],
  };
  const made = await fetch(`${url}/meter/units`, { method: 'POST', headers, body: JSON.stringify(unit) });
  expect(made.status).toBe(201);
  const line = await tcpProxy({ targetPort: Number(new URL(url).port) });
  const client = await openMeteringClient({
    url: `http://127.0.0.1:${line.port}`,
    ...{ credentials, directory: mkdtempSync(path.join(os.tmpdir(), 'usage-spool-')) },
    limits: { staleAfterMs: 20_000, whenUnavailable: 'DENY' },
    shipping: { lingerMs: 0 },
  });
  try {
    expect(await client.check('jill', 'checked')).toMatchObject({ allowed: true, basis: 'SERVER', limit: '100' });
    await eventually(async () => (await client.check('jill', 'checked')).basis === 'MEMORY');
    await client.record({ unit: 'checked', user: 'jill', amount: 101 });
    await client.flush();
    await eventually(async () => !(await client.check('jill', 'checked')).allowed, 20_000);
    const verdict = await client.check('jill', 'checked');
    expect(verdict).toMatchObject({ state: 'LIMITED', stale: false, basis: 'MEMORY' });
    await line.close();
    expect(await client.check('joe', 'checked')).toMatchObject({ allowed: false, basis: 'POLICY', state: null });
  } finally {
    await client.close({ withinMs: 0 });
  }
});

const basic = (): Record<string, string> => ({
  authorization: `Basic ${Buffer.from('admin:password').toString('base64')}`,
  'x-killbill-apikey': 'admin',
  'x-killbill-apisecret': 'password',
});
