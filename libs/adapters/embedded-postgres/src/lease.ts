import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAlive, runsWith } from './postmaster-file';

/**
 * Who may start and stop the cluster of a folder. The state is the name of the only file in `lease/`, so every change is
 * one rename, and a rename from a name that is gone fails: a compare-and-swap that survives any kill. Three names:
 *
 *     free
 *     held-<pid>-<port>-<token>        a process that answers <token> on <port> while it lives
 *     stopping-<pid>-0-<token>         the watchdog of a dead holder, stopping PostgreSQL
 */
export type Lease = {
  readonly folder: string;
  /** The file name while it is ours; the watchdog gives it to know whether it still may stop PostgreSQL. */
  readonly name: string;
  release(): Promise<void>;
};

type Holder = { readonly kind: string; readonly pid: number; readonly port: number; readonly token: string };

const free = 'free';
const pollMs = 25;
const answerTimeoutMs = 2_000;
/** PostgreSQL writes a checkpoint when it stops; a watchdog that takes longer than this is taken for dead. */
const stoppingMaxMs = 60_000;

const newToken = (): string => randomBytes(8).toString('hex');

const parse = (name: string): Holder | undefined => {
  const match = /^(held|stopping)-(\d+)-(\d+)-([0-9a-f]+)$/.exec(name);
  if (!match) return undefined;
  const [, kind = '', pid, port, token = ''] = match;
  return { kind, pid: Number(pid), port: Number(port), token };
};

/** The folder appears together with its one file, so that two first starts cannot both find it free. */
const createFolder = async (folder: string): Promise<void> => {
  const partial = `${folder}.${newToken()}`;
  await mkdir(partial);
  await writeFile(join(partial, free), '');
  await rename(partial, folder).catch(() => rm(partial, { recursive: true, force: true }));
};

const readState = async (folder: string): Promise<string | undefined> => {
  try {
    const [name] = await readdir(folder);
    if (name !== undefined) return name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await createFolder(folder);
  return undefined;
};

const swap = async (folder: string, from: string, to: string): Promise<boolean> => {
  try {
    await rename(join(folder, from), join(folder, to));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
};

/** Process ids are used again, above all in containers; an open port with the right answer proves more. */
const answers = ({ pid, port, token }: Holder): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: answerTimeoutMs });
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('end', () => {
      resolve(text === token);
    });
    socket.on('error', () => {
      resolve(false);
    });
    // It took the connection but is too busy to answer.
    socket.on('timeout', () => {
      socket.destroy();
      resolve(isAlive(pid));
    });
  });

const listen = async (token: string): Promise<{ server: Server; port: number }> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(token);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  return { server, port: (server.address() as AddressInfo).port };
};

const claim = async (folder: string, mine: string): Promise<void> => {
  const start = Date.now();
  for (;;) {
    const state = await readState(folder);
    const holder = state === undefined ? undefined : parse(state);
    if (holder?.kind === 'held' && (await answers(holder)))
      throw new Error(`${dirname(folder)} is in use: process ${String(holder.pid)} runs PostgreSQL there`);
    const stopping =
      holder?.kind === 'stopping' && (await runsWith(holder.pid, folder)) && Date.now() - start < stoppingMaxMs;
    if (state !== undefined && !stopping && (await swap(folder, state, mine))) return;
    await delay(pollMs);
  }
};

export const acquireLease = async (parent: string): Promise<Lease> => {
  const folder = join(parent, 'lease');
  const token = newToken();
  const { server, port } = await listen(token);
  const name = `held-${String(process.pid)}-${String(port)}-${token}`;
  try {
    await claim(folder, name);
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    folder,
    name,
    release: async () => {
      server.close();
      await swap(folder, name, free);
    },
  };
};
