import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Client, client } from '../../../tools/day/client';
import { guideTenant } from './system';

const root = path.resolve(__dirname, '../../..');
const script = (file: string): readonly string[] => [
  '--enable-source-maps',
  '-r',
  path.join(root, 'tools/register.cjs'),
  path.join(root, file),
];

export type Ended = { readonly code: number | null; readonly output: string };

export type RunningProcess = {
  readonly child: ChildProcess;
  /** Standard output and standard error so far. */
  output(): string;
  readonly ended: Promise<Ended>;
};

type Environment = Readonly<Record<string, string>>;

const runningProcesses = new Set<ChildProcess>();

/** Runs one of the project's programs with these variables and nothing of the tests' own. */
export const run = (file: string, args: readonly string[], environment: Environment): RunningProcess => {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [...script(file), ...args], {
    cwd: root,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  runningProcesses.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      runningProcesses.delete(child);
      resolve({ code, output });
    });
  });
  return { child, output: () => output, ended };
};

/** For `afterAll`: what a failed test left running. */
export const killAll = (): void => {
  for (const child of runningProcesses) child.kill('SIGKILL');
};

/** A folder in which another user can run PostgreSQL when the tests run as root. */
export const dataFolder = (): string => {
  const parent = existsSync('/var/tmp') ? '/var/tmp' : os.tmpdir();
  const folder = mkdtempSync(path.join(parent, 'billstream-process-'));
  chmodSync(folder, 0o755);
  return path.join(folder, 'data');
};

export type RunningSystem = RunningProcess & {
  readonly url: string;
  readonly emulatorUrl: string;
  readonly readyAfterMs: number;
  readonly api: Client;
};

/** `npm start` with these variables, ready. Rejects with its output when it ends before, or is not ready in a minute. */
export const npmStart = async (environment: Environment): Promise<RunningSystem> => {
  const startedAt = performance.now();
  const running = run('apps/standalone/src/main.ts', [], {
    LOG_LEVEL: 'warn',
    METRICS_PORT: '0',
    EMULATOR_PORT: '0',
    ...environment,
  });
  const ready = new Promise<string>((resolve, reject) => {
    running.child.stdout?.on('data', () => {
      if (/data: \S+/.test(running.output())) resolve(running.output());
    });
    void running.ended.then(({ code, output }) =>
      reject(new Error(`ended with ${String(code)} before it was ready: ${output}`)),
    );
    setTimeout(() => reject(new Error(`not ready in a minute: ${running.output()}`)), 60_000).unref();
  });
  const output = await ready;
  const url = /ready at (\S+)/.exec(output)?.[1] ?? '';
  const emulatorUrl = /emulator: (\S+)/.exec(output)?.[1] ?? '';
  const readyAfterMs = performance.now() - startedAt;
  const api = client({ url, emulatorUrl, user: 'admin', password: 'password', ...guideTenant, patienceMs: 0 });
  return { ...running, url, emulatorUrl, readyAfterMs, api };
};

/** Processes whose command line names the text. */
export const processesNaming = (text: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return []; // it ended while we looked
      }
    })
    .filter((command) => command.includes(text));
