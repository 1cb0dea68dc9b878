import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync, statSync, truncateSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Binaries } from './binaries';
import { cleanEnvironment, identity } from './cluster';
import type { Location } from './location';
import { isAlive, runsWith, readPostmasterFile } from './postmaster-file';

export type Postmaster = { readonly pid: number; readonly port: number; readonly child?: ChildProcess };

type StartOptions = {
  readonly location: Location;
  readonly binaries: Binaries;
  readonly port: number | undefined;
  /** Told as soon as there is a process, long before it is ready. */
  readonly onProcess: (pid: number) => void;
};

const pollMs = 10;
const logSizeMax = 10 * 1024 * 1024;
/** What a crashed predecessor left, dying children above all, is gone after about a second. */
const remainsMaxMs = 20_000;
/** Reading back the log after a crash is work, not a hang. */
const readyMaxMs = 300_000;
const stopMaxMs = 60_000;

/** For a laptop: little memory, no replication, and every commit on disk all the same. */
const settings: Readonly<Record<string, string | number>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 120,
  shared_buffers: '64MB',
  fsync: 'on',
  synchronous_commit: 'on',
  wal_level: 'minimal',
  max_wal_senders: 0,
  max_wal_size: '512MB', // the default shrinks with the segment size, down to a checkpoint every 64 MB
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
};

export const logFileOf = ({ folder }: Location): string => join(folder, 'postgres.log');

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 2_000 });
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.on('connect', answer(true)).on('error', answer(false)).on('timeout', answer(false));
  });

const freePort = (wished = 0): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(wished, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });

const choosePort = async (wished: number | undefined): Promise<number> => {
  if (wished === undefined) return freePort();
  return freePort(wished).catch((error: unknown) => {
    throw new Error(`PostgreSQL cannot listen on port ${String(wished)}: something else does`, { cause: error });
  });
};

/**
 * Finds the server that an earlier process left running. One that is on its way up or down is waited for. The caller
 * holds the lease, so nobody else is about to stop what is found here.
 */
export const adoptPostmaster = async ({ data }: Location): Promise<Postmaster | undefined> => {
  const end = Date.now() + readyMaxMs;
  while (Date.now() < end) {
    const file = await readPostmasterFile(data);
    if (!file || !(await runsWith(file.pid, data))) return undefined;
    if (file.status === 'ready') return (await accepts(file.port)) ? { pid: file.pid, port: file.port } : undefined;
    await delay(pollMs);
  }
  throw new Error(`The PostgreSQL that runs in ${data} neither starts nor stops`);
};

const openLog = (file: string): { fd: number; offset: number } => {
  const fd = openSync(file, 'a', 0o600);
  if (statSync(file).size > logSizeMax) truncateSync(file);
  return { fd, offset: statSync(file).size };
};

const readLog = async (file: string, offset: number): Promise<string> => {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const length = Math.min(Math.max(size - offset, 0), 4_096);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8');
  } finally {
    await handle.close();
  }
};

const spawnPostgres = ({ location, binaries }: StartOptions, port: number, logFd: number): ChildProcess => {
  const { folder, data, runAs } = location;
  const options = Object.entries({ ...settings, port }).flatMap(([name, value]) => ['-c', `${name}=${String(value)}`]);
  const child = spawn(binaries.postgres, ['-D', data, ...options], {
    ...identity(runAs),
    cwd: folder,
    env: cleanEnvironment(),
    detached: true,
    stdio: ['ignore', logFd, logFd],
    windowsHide: true,
  });
  child.unref();
  return child;
};

type Outcome = 'ready' | 'ended';

const untilReady = async (child: ChildProcess, data: string): Promise<Outcome> => {
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const end = Date.now() + readyMaxMs;
  while (Date.now() < end) {
    if (failure) throw new Error(`PostgreSQL could not be started: ${failure.message}`, { cause: failure });
    if (child.exitCode !== null || child.signalCode !== null) return 'ended';
    const file = await readPostmasterFile(data);
    if (file && file.pid === child.pid && file.status === 'ready') return 'ready';
    await delay(pollMs);
  }
  child.kill('SIGINT');
  throw new Error(`PostgreSQL was not ready after ${String(readyMaxMs / 1_000)} s`);
};

/** A process id that was given to something else keeps PostgreSQL from starting for as long as that lives. */
const removeForeignFile = async (data: string): Promise<void> => {
  const file = await readPostmasterFile(data);
  if (file && !(await runsWith(file.pid, data))) await rm(join(data, 'postmaster.pid'), { force: true });
};

export const startPostmaster = async (options: StartOptions): Promise<Postmaster> => {
  const { location } = options;
  const logFile = logFileOf(location);
  const end = Date.now() + remainsMaxMs;
  for (;;) {
    const port = await choosePort(options.port);
    const log = openLog(logFile);
    const child = spawnPostgres(options, port, log.fd);
    closeSync(log.fd);
    options.onProcess(child.pid ?? 0);
    const outcome = await untilReady(child, location.data);
    if (outcome === 'ready' && child.pid !== undefined) return { pid: child.pid, port, child };
    options.onProcess(0);
    const reason = await readLog(logFile, log.offset);
    const lostPort = options.port === undefined && /could not bind/.test(reason);
    const remains = /lock file|shared memory|still in use/.test(reason);
    if (Date.now() > end || !(lostPort || remains)) throw new Error(`PostgreSQL did not start:\n${reason.trim()}`);
    if (remains) await removeForeignFile(location.data);
    await delay(100);
  }
};

const interrupt = async ({ pid }: Postmaster, data: string, pgCtl: string): Promise<void> => {
  if (process.platform === 'win32') await promisify(execFile)(pgCtl, ['stop', '-D', data, '-m', 'fast', '-W']);
  else process.kill(pid, 'SIGINT');
};

/** Our own child is gone when it has exited; an adopted one when it has removed its file, its last act. */
const isGone = async ({ pid, child }: Postmaster, data: string): Promise<boolean> => {
  if (child) return child.exitCode !== null || child.signalCode !== null;
  return !isAlive(pid) || (await readPostmasterFile(data))?.pid !== pid;
};

/** A fast shutdown: sessions are ended, a checkpoint is written. */
export const stopPostmaster = async (postmaster: Postmaster, data: string, pgCtl: string): Promise<void> => {
  if (await isGone(postmaster, data)) return;
  await interrupt(postmaster, data, pgCtl);
  const end = Date.now() + stopMaxMs;
  while (!(await isGone(postmaster, data))) {
    if (Date.now() > end) throw new Error(`PostgreSQL (process ${String(postmaster.pid)}) does not stop`);
    await delay(pollMs);
  }
};
