import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { chmod, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type RunAs = { readonly uid: number; readonly gid: number };

/** Where the cluster lives, and who runs it when that is not the user of this process. */
export type Location = {
  readonly folder: string;
  readonly data: string;
  readonly runAs: RunAs | undefined;
};

/** `nobody`: it exists on every Unix and owns nothing else, so no user has to be made. */
const nobody: RunAs = { uid: 65_534, gid: 65_534 };

const pointerFile = 'postgres-location';

export const currentUid = (): number => process.getuid?.() ?? -1;

/** Kept over a reboot and meant to be shared; the temporary folder of a user may be neither. */
export const sharedTemporaryFolder = (): string => (existsSync('/var/tmp') ? '/var/tmp' : tmpdir());

/** In a folder that anyone may write to, somebody else may have taken our name first. */
export const ownFolder = async (folder: string): Promise<string> => {
  const found = await lstat(folder);
  if (!found.isDirectory() || (currentUid() >= 0 && found.uid !== currentUid()))
    throw new Error(`${folder} is not a directory of this user: remove it and start again`);
  return folder;
};

const reachableByNobody = (folder: string): boolean => {
  const { mode, uid } = statSync(folder);
  const passable = uid === nobody.uid ? (mode & 0o100) !== 0 : (mode & 0o001) !== 0;
  const parent = dirname(folder);
  return passable && (parent === folder || reachableByNobody(parent));
};

/** The pointer tells people where the data is, and finds it again after the wished directory was moved. */
const elsewhere = async (wished: string): Promise<string> => {
  const pointer = join(wished, pointerFile);
  if (existsSync(pointer)) {
    const known = (await readFile(pointer, 'utf8')).trim();
    if (existsSync(known)) return ownFolder(known);
  }
  const key = createHash('sha256').update(wished).digest('hex').slice(0, 16);
  const folder = join(sharedTemporaryFolder(), `billstream-postgres-data-${key}`);
  await mkdir(folder, { recursive: true });
  await ownFolder(folder);
  await chmod(folder, 0o755);
  await writeFile(pointer, `${folder}\n`);
  return folder;
};

/** The owner of an existing cluster runs it: after one start with sudo, the next one must still find its data usable. */
const userOf = async (data: string): Promise<RunAs> => {
  if (!existsSync(data)) return nobody;
  const { uid, gid } = await stat(data);
  return uid === 0 ? nobody : { uid, gid };
};

export const locate = async (dataDirectory: string): Promise<Location> => {
  await mkdir(dataDirectory, { recursive: true });
  const wished = await realpath(dataDirectory);
  const own = join(wished, 'data');
  if (currentUid() !== 0) {
    if (currentUid() > 0 && existsSync(own) && (await stat(own)).uid !== currentUid())
      throw new Error(`${own} belongs to another user, perhaps because it was made by root`);
    return { folder: wished, data: own, runAs: undefined };
  }
  const folder = existsSync(own) || reachableByNobody(wished) ? wished : await elsewhere(wished);
  const data = join(folder, 'data');
  return { folder, data, runAs: await userOf(data) };
};
