import { type FileHandle, open, readdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { codeOf } from './directory-lock';
import { decodeLine } from './spool-line';

/** A place in the spool: everything before it is done with. */
export type Place = { readonly segment: number; readonly offset: number };

/** A file of the spool. `bytes`: as far as it may be read; of the one that is written, what is kept for sure. */
export type Segment = { readonly number: number; bytes: number };

/** Records from a place on. `damaged`: lines that are not as they were written. */
export type Stretch = { readonly texts: readonly string[]; readonly damaged: readonly string[]; readonly next: Place };

export type StretchAsked = { readonly offset: number; readonly recordsMax: number; readonly isSealed: boolean };

const suffix = '.spool';
const readBytes = 1024 * 1024;
const lineFeed = 0x0a;

export const segmentPath = (directory: string, number: number): string =>
  path.join(directory, `${String(number).padStart(12, '0')}${suffix}`);

/** The segments that a directory has, oldest first. */
export const segmentsIn = async (directory: string): Promise<readonly Segment[]> => {
  const numbers = (await readdir(directory))
    .filter((name) => /^\d{12}\.spool$/.test(name))
    .map((name) => Number(name.slice(0, -suffix.length)))
    .sort((a, b) => a - b);
  return Promise.all(
    numbers.map(async (number): Promise<Segment> => {
      const file = await open(segmentPath(directory, number), 'r');
      const { size } = await file.stat().finally(() => file.close());
      return { number, bytes: size };
    }),
  );
};

/** A new segment whose name is on the disk, too: else a power cut could take away the file and leave what it was promised for. */
export const createSegment = async (directory: string, number: number): Promise<FileHandle> => {
  const file = await open(segmentPath(directory, number), 'ax', 0o600);
  try {
    await syncFolder(directory);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
};

const syncFolder = async (directory: string): Promise<void> => {
  if (process.platform === 'win32') return; // a folder cannot be opened there, and NTFS journals names
  const folder = await open(directory, 'r');
  await folder.sync().finally(() => folder.close());
};

export const removeSegment = async (directory: string, number: number): Promise<void> => {
  try {
    await unlink(segmentPath(directory, number));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
};

/**
 * The next records of a segment. What follows the last line feed of a sealed segment was being written when the process
 * died: nobody was told that it is kept, and it is passed over.
 */
export const readStretch = async (directory: string, segment: Segment, asked: StretchAsked): Promise<Stretch> => {
  const { offset, recordsMax, isSealed } = asked;
  const chunk = await readChunk(segmentPath(directory, segment.number), offset, segment.bytes - offset);
  const texts: string[] = [];
  const damaged: string[] = [];
  let at = 0;
  while (texts.length < recordsMax) {
    const end = chunk.indexOf(lineFeed, at);
    if (end === -1) break;
    const line = chunk.toString('utf8', at, end);
    const text = decodeLine(line);
    if (text === null) damaged.push(line);
    else texts.push(text);
    at = end + 1;
  }
  if (at === 0) {
    // Nothing that ends: the tail of a segment whose writer died, else damage, and what comes after it must not wait.
    const isTail = isSealed && chunk.length > 0 && offset + chunk.length >= segment.bytes && chunk.length < readBytes;
    if (!isTail) damaged.push(chunk.toString('latin1'));
    at = chunk.length === 0 ? segment.bytes - offset : chunk.length;
  }
  return { texts, damaged, next: { segment: segment.number, offset: offset + at } };
};

const readChunk = async (file: string, offset: number, bytes: number): Promise<Buffer> => {
  const chunk = Buffer.alloc(Math.min(bytes, readBytes));
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return null; // somebody took it away: told as damage
    throw error;
  });
  if (handle === null) return chunk.subarray(0, 0);
  try {
    let read = 0;
    while (read < chunk.length) {
      const { bytesRead } = await handle.read(chunk, read, chunk.length - read, offset + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return chunk.subarray(0, read);
  } finally {
    await handle.close();
  }
};
