import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Place } from './segment';
import { decodeLine, encodeLine } from './spool-line';

/**
 * Remembers how far the server has everything. It may be lost or old: then records are sent again, which the server
 * recognises by their names. So it is written without waiting for the disk.
 */
export const writePlace = async (directory: string, place: Place): Promise<void> => {
  const file = path.join(directory, 'place');
  await writeFile(`${file}.new`, encodeLine(JSON.stringify(place)), { mode: 0o600 });
  await rename(`${file}.new`, file);
};

/** Null: there is none, or none that can be believed. */
export const readPlace = async (directory: string): Promise<Place | null> => {
  const line = await readFile(path.join(directory, 'place'), 'utf8').catch(() => '');
  const text = decodeLine(line.slice(0, -1));
  return text === null ? null : (JSON.parse(text) as Place);
};
