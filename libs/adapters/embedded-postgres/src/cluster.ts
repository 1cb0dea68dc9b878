import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries';
import type { Location, RunAs } from './location';

export const userName = 'billstream';

const passwordFile = 'password';
const partialPrefix = 'data.partial-';

/** Nothing of the shell: its locale, and variables like PGDATA, would change what PostgreSQL does. */
export const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  SystemRoot: process.env['SystemRoot'],
  LC_ALL: 'C',
  TZ: 'UTC',
});

export const identity = (runAs: RunAs | undefined): { uid?: number; gid?: number } => ({ ...runAs });

/** Complete or absent, as every file here: a start may be killed at any line. */
const writePrivately = async (file: string, text: string): Promise<void> => {
  const partial = `${file}.partial`;
  await rm(partial, { force: true });
  await writeFile(partial, text, { mode: 0o600, flush: true });
  await rename(partial, file);
};

const password = async (folder: string, clusterExists: boolean): Promise<string> => {
  const file = join(folder, passwordFile);
  if (existsSync(file)) return (await readFile(file, 'utf8')).trim();
  if (clusterExists) throw new Error(`${file} is missing; without it the PostgreSQL data beside it cannot be opened`);
  const made = randomBytes(24).toString('hex');
  await writePrivately(file, made);
  return made;
};

const emptyFolder = async (folder: string, runAs: RunAs | undefined): Promise<string> => {
  const made = await mkdtemp(join(folder, partialPrefix));
  if (runAs) await chown(made, runAs.uid, runAs.gid);
  return made;
};

/** An `initdb` whose parent was killed may still be writing; what resists goes at the next start. */
const removeRemains = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder))
    if (name.startsWith(partialPrefix)) await rm(join(folder, name), { recursive: true }).catch(() => undefined);
};

const initialise = async ({ folder, data, runAs }: Location, initdb: string, secret: string): Promise<void> => {
  const partial = await emptyFolder(folder, runAs);
  const secretFile = join(partial, 'secret');
  const target = join(partial, 'data');
  await writeFile(secretFile, secret, { mode: 0o600 });
  if (runAs) await chown(secretFile, runAs.uid, runAs.gid);
  await promisify(execFile)(
    initdb,
    [
      `--pgdata=${target}`,
      `--username=${userName}`,
      `--pwfile=${secretFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--wal-segsize=1',
    ],
    { ...identity(runAs), cwd: partial, env: cleanEnvironment() },
  );
  await rename(target, data);
  await rm(partial, { recursive: true, force: true });
};

/** Makes the cluster at the first start; answers its password. The caller holds the lease of the folder. */
export const prepareCluster = async (location: Location, { initdb, major }: Binaries): Promise<string> => {
  const { folder, data } = location;
  const versionFile = join(data, 'PG_VERSION');
  await removeRemains(folder);
  if (!existsSync(versionFile)) {
    if (existsSync(data)) throw new Error(`${data} exists and holds no PostgreSQL cluster`);
    const secret = await password(folder, false);
    await initialise(location, initdb, secret);
    return secret;
  }
  const found = (await readFile(versionFile, 'utf8')).trim();
  if (found !== major)
    throw new Error(
      `${data} was written by PostgreSQL ${found}, and this release brings PostgreSQL ${major}, which cannot read it. ` +
        'Export the log with the release that wrote it and import it into an empty data directory, or set DATABASE_URL.',
    );
  return password(folder, true);
};
