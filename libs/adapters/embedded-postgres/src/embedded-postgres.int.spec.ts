import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { eventually } from '@billstream/testing';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './index';
import { isAlive } from './postmaster-file';

type Said = { readonly url?: string; readonly adopted?: boolean; readonly error?: string };
type Holder = { readonly process: ChildProcess; readonly said: Said };

const root = resolve(__dirname, '../../../..');
const isRoot = process.getuid?.() === 0;
const folders: string[] = [];
const children: ChildProcess[] = [];
const running: EmbeddedPostgres[] = [];

const newFolder = (mode = 0o755): string => {
  const folder = mkdtempSync(join(existsSync('/var/tmp') ? '/var/tmp' : tmpdir(), 'embedded-postgres-'));
  chmodSync(folder, mode);
  folders.push(folder);
  return folder;
};

const start = async (dataDirectory: string, port?: number): Promise<EmbeddedPostgres> => {
  const postgres = await startEmbeddedPostgres({ dataDirectory, ...(port !== undefined && { port }) });
  running.push(postgres);
  return postgres;
};

const query = async (url: string, text: string): Promise<readonly unknown[]> => {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
};

const spawnHolder = (folder: string) => {
  const program = join(__dirname, 'testing/holder.ts');
  const child = spawn(process.execPath, ['-r', join(root, 'tools/register.cjs'), program, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  return child;
};

const holder = async (folder: string): Promise<Holder> => {
  const child = spawnHolder(folder);
  const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return { process: child, said: JSON.parse(line) as Said };
};

const kill = async ({ process: child }: Holder): Promise<void> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const postmasterFile = (folder: string): string => join(folder, 'data/postmaster.pid');
const postmasterPid = (folder: string): number => Number(readFileSync(postmasterFile(folder), 'utf8').split('\n')[0]);
const lease = (folder: string): readonly string[] => readdirSync(join(folder, 'lease'));

afterEach(async () => {
  await Promise.all(running.splice(0).map((postgres) => postgres.stop()));
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) {
    await eventually(() => !existsSync(postmasterFile(folder)), 20_000);
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

describe('embedded PostgreSQL', () => {
  it('starts in an empty directory, and again with what was written', async () => {
    const folder = newFolder();
    const cold = await start(folder);
    await query(cold.url, "create table kept (body text); insert into kept values ('grüße')");
    await cold.stop();
    expect(existsSync(postmasterFile(folder))).toBe(false);
    expect(lease(folder)).toEqual(['free']);
    const warm = await start(folder);
    expect(warm.adopted).toBe(false);
    expect(await query(warm.url, 'select body from kept')).toEqual([{ body: 'grüße' }]);
  });

  it('is durable, speaks UTF-8 and UTC, and asks for its password', async () => {
    const { url } = await start(newFolder());
    const names = ['fsync', 'synchronous_commit', 'server_encoding', 'TimeZone', 'max_connections'];
    const shown = names.map((name) => `current_setting('${name}') as "${name}"`).join(', ');
    expect(await query(url, `select ${shown}, lower('É') as lower`)).toEqual([
      {
        fsync: 'on',
        synchronous_commit: 'on',
        server_encoding: 'UTF8',
        TimeZone: 'UTC',
        max_connections: '120',
        lower: 'é',
      },
    ]);
    const wrong = new URL(url);
    wrong.password = 'wrong';
    await expect(query(wrong.toString(), 'select 1')).rejects.toThrow('password authentication failed');
  });

  it('listens on the port that it was given, and says when that is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const folder = newFolder();
    await expect(start(folder, port)).rejects.toThrow(`cannot listen on port ${String(port)}`);
    blocker.close();
    await once(blocker, 'close');
    expect((await start(folder, port)).port).toBe(port);
  });

  it('refuses the data of another major', async () => {
    const folder = newFolder();
    await (await start(folder)).stop();
    writeFileSync(join(folder, 'data/PG_VERSION'), '17\n');
    await expect(start(folder)).rejects.toThrow('was written by PostgreSQL 17, and this release brings PostgreSQL 18');
    expect(lease(folder)).toEqual(['free']);
  });

  it('says what to do on a machine without binaries', async () => {
    const arch = Object.getOwnPropertyDescriptor(process, 'arch');
    Object.defineProperty(process, 'arch', { ...arch, value: 's390x' });
    try {
      await expect(start(newFolder())).rejects.toThrow('Set DATABASE_URL');
    } finally {
      Object.defineProperty(process, 'arch', arch ?? {});
    }
  });
});

describe('a directory in use', () => {
  it('is refused to a second process, naming the first', async () => {
    const folder = newFolder();
    await start(folder);
    const { said } = await holder(folder);
    expect(said.error).toContain(`process ${String(process.pid)} runs PostgreSQL there`);
    await expect(start(folder)).rejects.toThrow(`process ${String(process.pid)}`);
  });

  it('goes to exactly one of several that start at once', async () => {
    const folder = newFolder();
    const holders = await Promise.all([1, 2, 3].map(() => holder(folder)));
    expect(holders.filter(({ said }) => said.url !== undefined)).toHaveLength(1);
    expect(holders.filter(({ said }) => said.error?.includes('is in use') === true)).toHaveLength(2);
  }, 30_000);
});

describe('after kill -9', () => {
  it('stops PostgreSQL in good order soon afterwards', async () => {
    const folder = newFolder();
    const killed = await holder(folder);
    const pid = postmasterPid(folder);
    await kill(killed);
    await eventually(() => !isAlive(pid) && lease(folder)[0] === 'free');
    expect(readFileSync(join(folder, 'postgres.log'), 'utf8')).toContain('database system is shut down');
  }, 30_000);

  it('starts at once, whatever the watchdog is doing, and keeps running', async () => {
    const folder = newFolder();
    const first = await holder(folder);
    await query(first.said.url ?? '', 'create table round (n int)');
    let current = first;
    // Around the half second after which the watchdog acts.
    for (const [round, pauseMs] of [0, 100, 200, 250, 300, 350, 450, 600, 0].entries()) {
      await query(current.said.url ?? '', `insert into round values (${String(round)})`);
      await kill(current);
      await delay(pauseMs);
      current = await holder(folder);
      expect(current.said.error).toBeUndefined();
      expect(await query(current.said.url ?? '', 'select count(*)::int as n from round')).toEqual([{ n: round + 1 }]);
    }
    const pid = postmasterPid(folder);
    const quietUntil = Date.now() + 1_500;
    await eventually(() => !isAlive(pid) || Date.now() > quietUntil);
    expect(isAlive(pid)).toBe(true);
    current.process.stdin?.end();
    await once(current.process, 'exit');
    expect(lease(folder)).toEqual(['free']);
  }, 60_000);

  it('is not harmed by one that comes in the middle of a first start', async () => {
    for (const lifeMs of [150, 300, 500, 700, 900]) {
      const folder = newFolder();
      const child = spawnHolder(folder);
      await delay(lifeMs);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const postgres = await start(folder);
      expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
      await postgres.stop();
    }
  }, 60_000);

  it('adopts the running server when it comes before the watchdog', async () => {
    const folder = newFolder();
    const killed = await holder(folder);
    const pid = postmasterPid(folder);
    await kill(killed);
    const postgres = await start(folder);
    expect(postgres.adopted).toBe(true);
    expect(postmasterPid(folder)).toBe(pid);
    expect(postgres.url).toBe(killed.said.url);
    await postgres.stop();
    await eventually(() => !isAlive(pid));
  }, 30_000);

  it('waits for the watchdog when that has begun to stop', async () => {
    const folder = newFolder();
    const killed = await holder(folder);
    await kill(killed);
    await eventually(() => !(lease(folder)[0] ?? 'held').startsWith('held'));
    const postgres = await start(folder);
    expect(postgres.adopted).toBe(false);
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  }, 30_000);
});

describe('what a crash of PostgreSQL leaves', () => {
  it('is recovered from at the next start', async () => {
    const folder = newFolder();
    const postgres = await start(folder);
    await query(postgres.url, 'create table kept (n int); insert into kept values (1)');
    process.kill(postmasterPid(folder), 'SIGKILL');
    await postgres.stop();
    const again = await start(folder);
    expect(await query(again.url, 'select n from kept')).toEqual([{ n: 1 }]);
  }, 30_000);

  it('does not keep it from starting when the process id belongs to something else by now', async () => {
    const folder = newFolder();
    await (await start(folder)).stop();
    const other = spawn('sleep', ['60'], isRoot ? { uid: 65_534, gid: 65_534 } : {});
    children.push(other);
    const lines = [other.pid, join(folder, 'data'), 0, 1, '', '127.0.0.1', '0 0', 'ready'];
    writeFileSync(postmasterFile(folder), `${lines.join('\n')}\n`, { mode: 0o644 });
    const postgres = await start(folder);
    expect(await query(postgres.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  }, 30_000);
});

(isRoot ? describe : describe.skip)('as root, below a directory that nobody may enter', () => {
  it('keeps the data elsewhere and says where', async () => {
    const folder = newFolder(0o700);
    const postgres = await start(folder);
    const elsewhere = readFileSync(join(folder, 'postgres-location'), 'utf8').trim();
    folders.push(elsewhere);
    await query(postgres.url, 'create table kept (n int)');
    await postgres.stop();
    expect(existsSync(join(elsewhere, 'data/PG_VERSION'))).toBe(true);
    const again = await start(folder);
    expect(await query(again.url, 'select * from kept')).toEqual([]);
  }, 30_000);
});
