import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { link, open, readdir, unlink } from 'node:fs/promises';
import { type Server, connect, createServer } from 'node:net';
import path from 'node:path';
import { MeteringClientError } from './client-error';

export type DirectoryLock = { release(): Promise<void> };

const attemptsMax = 10;
const lockName = (number: number | string): string => `lock-${number}.sock`;

/**
 * Holds a directory for this process. The lock is a socket that is listened on: the operating system ends it with the
 * process, however that ends, and neither a number of a process that was given to another nor a container in which every
 * process has the number 1 can mislead.
 */
export const lockDirectory = async (directory: string): Promise<DirectoryLock> => {
  if (process.platform === 'win32') return hold(await listenOn(pipeName(directory)), directory);
  const folder = await open(directory, 'r');
  // The path of a socket has at most about a hundred bytes; that of an open folder is always short.
  const place = process.platform === 'linux' ? `/proc/self/fd/${folder.fd}` : path.resolve(directory);
  try {
    const lock = hold(await take(place), directory);
    return { release: () => lock.release().finally(() => folder.close()) };
  } catch (error) {
    await folder.close();
    throw error instanceof MeteringClientError ? error : inUse(directory, error);
  }
};

const hold = (server: Server | null, directory: string): DirectoryLock => {
  if (server === null) throw inUse(directory);
  server.unref();
  return { release: () => closed(server) };
};

const inUse = (directory: string, cause?: unknown): MeteringClientError =>
  new MeteringClientError(
    'directory-in-use',
    `${directory} is in use by another process, or cannot be locked`,
    'directory',
    { cause },
  );

const pipeName = (directory: string): string =>
  `\\\\.\\pipe\\billstream-metering-${path.resolve(directory).replace(/[^\w.-]/g, '-')}`;

/**
 * Locks are numbered, and the newest holds. A dead one is not taken over, because two could do so at once: a newer one is
 * put beside it, which only one can, and which is listened on before it can be seen. Numbers only grow; so whoever was slow
 * and made an old one sees that there is a newer. Null: somebody holds the directory.
 */
const take = async (place: string): Promise<Server | null> => {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const newest = await newestLock(place);
    if (newest > 0 && (await isListenedOn(path.join(place, lockName(newest))))) return null;
    const server = await listenAs(place, newest + 1);
    if (server === null) continue;
    if ((await newestLock(place)) === newest + 1) {
      await removeOthers(place, newest + 1);
      return server;
    }
    await closed(server);
  }
  return null;
};

const newestLock = async (place: string): Promise<number> =>
  (await readdir(place)).reduce(
    (newest, name) => Math.max(newest, Number(/^lock-(\d{1,15})\.sock$/.exec(name)?.[1] ?? 0)),
    0,
  );

/** Null: another was faster. */
const listenAs = async (place: string, number: number): Promise<Server | null> => {
  const own = path.join(place, lockName(randomUUID()));
  const server = await listenOn(own);
  if (server === null) return null;
  try {
    await link(own, path.join(place, lockName(number)));
    return server;
  } catch (error) {
    await closed(server);
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return null;
    throw error;
  } finally {
    await removeFile(own);
  }
};

/** What is older, and what was left by those who died while they asked. */
const removeOthers = async (place: string, number: number): Promise<void> => {
  for (const name of await readdir(place))
    if (name.startsWith('lock-') && name !== lockName(number)) await removeFile(path.join(place, name));
};

const removeFile = async (file: string): Promise<void> => {
  try {
    await unlink(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
};

const closed = async (server: Server): Promise<void> => {
  const done = once(server, 'close');
  server.close();
  await done;
};

const listenOn = async (address: string): Promise<Server | null> => {
  const server = createServer((client) => client.destroy());
  try {
    server.listen(address);
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return null;
    throw error;
  }
};

const isListenedOn = async (address: string): Promise<boolean> => {
  const client = connect(address);
  try {
    await once(client, 'connect');
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return false;
    throw error;
  } finally {
    client.destroy();
  }
};

/** Errors of the operating system are not always made by this realm's `Error`. */
export const codeOf = (error: unknown): string | null =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null;
