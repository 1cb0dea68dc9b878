import { readFileSync } from 'node:fs';
import os from 'node:os';
import { Client } from 'pg';

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly fsync: string;
  readonly synchronousCommit: string;
  /** Load average over a minute at the start: what else kept the cores busy. */
  readonly load: number;
};

const cpuModel = (): string => {
  const told = os.cpus()[0]?.model ?? '';
  if (told !== '' && told !== 'unknown') return told;
  try {
    return /model name\s*:\s*(.+)/.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
};

export const onDatabase = async <T>(url: string, work: (client: Client) => Promise<T>): Promise<T> => {
  const client = new Client(url);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

export const machineOf = (databaseUrl: string): Promise<Machine> =>
  onDatabase(databaseUrl, async (client) => {
    const setting = async (name: string): Promise<string> =>
      (await client.query<{ value: string }>('select current_setting($1) as value', [name])).rows[0]?.value ??
      'unknown';
    return {
      cpu: cpuModel(),
      cores: os.cpus().length,
      memoryGiB: Math.round(os.totalmem() / 2 ** 30),
      system: `${os.type()} ${os.release()} ${os.arch()}`,
      node: process.version,
      postgres: await setting('server_version'),
      fsync: await setting('fsync'),
      synchronousCommit: await setting('synchronous_commit'),
      load: Math.round((os.loadavg()[0] ?? 0) * 10) / 10,
    };
  });
