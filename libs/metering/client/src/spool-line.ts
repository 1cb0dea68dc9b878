import { crc32 } from 'node:zlib';

/**
 * A spool is text: a line a record, its checksum before it. A line that was half written, or damaged later, is known by
 * that, and the next one begins after the line feed, which JSON never holds.
 */
const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0');

export const encodeLine = (text: string): string => `${checksum(text)} ${text}\n`;

/** The record in a line without its line feed; null: it is not as it was written. */
export const decodeLine = (line: string): string | null => {
  const text = line.slice(9);
  return line[8] === ' ' && line.slice(0, 8) === checksum(text) ? text : null;
};
