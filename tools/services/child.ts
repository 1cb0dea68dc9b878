import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

export const root = path.resolve(__dirname, '../..');

/** A port nobody listens on now. Another process could take it before it is used; the caller's start then says so. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });

/**
 * The young generation of a service's heap: a month end has some hundred decisions under way, and what is still needed is
 * copied whenever it is full. Twice Node's default halves that, for 50 MiB.
 */
export const heapFlag = '--max-semi-space-size=32';

export type ChildSpec = {
  readonly name: string;
  /** TypeScript file relative to the repository. */
  readonly entry: string;
  readonly env: Readonly<Record<string, string>>;
  /** Answers 2xx once the process does its work. */
  readonly readyUrl?: string;
  readonly logFolder: string;
};

/** A process that is started again whenever it ends, until it is stopped: what an orchestrator does for a service. */
export type Child = {
  readonly name: string;
  readonly pid: () => number | null;
  readonly restarts: () => number;
  /** SIGKILL: no handler runs, nothing is flushed. It comes back by itself. */
  kill9(): void;
  ready(deadlineMs: number): Promise<void>;
  stop(): Promise<void>;
};

const answers = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
};

export const startChild = (spec: ChildSpec): Child => {
  mkdirSync(spec.logFolder, { recursive: true });
  const log = createWriteStream(path.join(spec.logFolder, `${spec.name}.log`), { flags: 'a' });
  let stopping = false;
  let restarts = 0;
  let current: ChildProcess | null = null;
  const start = (): void => {
    const child = spawn(
      process.execPath,
      [heapFlag, '--enable-source-maps', '-r', path.join(root, 'tools/register.cjs'), path.join(root, spec.entry)],
      {
        cwd: root,
        env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...spec.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.once('exit', (code, signal) => {
      log.write(`--- ${spec.name} ended: ${code ?? signal ?? 'unknown'}\n`);
      current = null;
      if (stopping) return;
      restarts += 1;
      // A process that cannot start must not spin.
      setTimeout(() => {
        if (!stopping) start();
      }, 200);
    });
    current = child;
  };
  start();
  return {
    name: spec.name,
    pid: () => current?.pid ?? null,
    restarts: () => restarts,
    kill9: () => void current?.kill('SIGKILL'),
    ready: async (deadlineMs) => {
      const deadline = Date.now() + deadlineMs;
      while (spec.readyUrl !== undefined && !(await answers(spec.readyUrl))) {
        if (Date.now() > deadline)
          throw new Error(`${spec.name} is not ready after ${deadlineMs} ms; see ${spec.logFolder}/${spec.name}.log`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    stop: async () => {
      stopping = true;
      const child = current;
      if (child?.exitCode === null && child.signalCode === null) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGTERM');
        const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
        await ended;
        clearTimeout(hard);
      }
      log.end();
    },
  };
};
