import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { freePort, startChild } from '../services/child';
import { allBack, victimOf } from './services-system';
import { type SystemOptions, type SystemUnderTest, environmentOf, recoveryDeadlineMs } from './system';

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Run = { readonly pid: number; readonly databaseUrl: string; readonly eventStoreUrl: string };

/** What the process with that number wrote about itself once it was up. */
const runOf = async (file: string, pid: () => number | null): Promise<Run> => {
  const deadline = Date.now() + recoveryDeadlineMs;
  for (;;) {
    const run: Partial<Run> = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Partial<Run>) : {};
    const { databaseUrl, eventStoreUrl } = run;
    if (run.pid !== undefined && run.pid === pid() && databaseUrl !== undefined && eventStoreUrl !== undefined)
      return { pid: run.pid, databaseUrl, eventStoreUrl };
    if (Date.now() > deadline) throw new Error(`${file} does not speak of the running process`);
    await pause(100);
  }
};

/** `npm start`: everything in one process, with its PostgreSQL, event store and payment provider; killing it kills them all. */
export const standaloneUnderTest = async (options: SystemOptions): Promise<SystemUnderTest> => {
  const dataDirectory = mkdtempSync(path.join('/var/tmp', 'billstream-crash-'));
  chmodSync(dataDirectory, 0o755);
  const [port, emulatorPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${String(port)}`;
  const logFolder = path.join(dataDirectory, 'log');
  const child = startChild({
    name: 'standalone',
    entry: 'apps/standalone/src/main.ts',
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      EMULATOR_PORT: String(emulatorPort),
      METRICS_PORT: '0',
      DATA_DIR: dataDirectory,
      TEST_CLOCK: '1',
      ...environmentOf(options),
    },
    readyUrl: `${url}/health/ready`,
    logFolder,
  });
  const victims = [victimOf(child)];
  const stop = async ({ keepLogs }: { readonly keepLogs: boolean }): Promise<void> => {
    await child.stop();
    if (!keepLogs) rmSync(dataDirectory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
  };
  try {
    await child.ready(recoveryDeadlineMs);
  } catch (error) {
    await stop({ keepLogs: true });
    throw error;
  }
  return {
    target: {
      url,
      emulatorUrl: `http://127.0.0.1:${String(emulatorPort)}`,
      user: 'admin',
      password: 'password',
      apiKey: 'admin',
      apiSecret: 'password',
    },
    victims,
    lines: [],
    recovered: () => allBack(victims, [child]),
    addresses: () => runOf(path.join(dataDirectory, 'run.json'), child.pid),
    logFolder,
    stop,
  };
};
