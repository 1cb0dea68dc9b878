import { open } from 'node:fs/promises';
import path from 'node:path';

/** A record that was kept and does not count, and why. `damaged`: the disk did not keep it as it was written. */
export type RejectedUsage = {
  /** The record as it was sent; the bare text of the line when that is damaged. */
  readonly record: unknown;
  readonly field: string;
  readonly code: string;
  readonly message: string;
  /** When this client learned of it. */
  readonly at: string;
};

export const rejectsFile = 'rejects.jsonl';

/** Puts rejects behind the others of the file, each a line of JSON, and returns once the disk has them. */
export const keepRejects = async (directory: string, rejected: readonly RejectedUsage[]): Promise<void> => {
  const file = await open(path.join(directory, rejectsFile), 'a', 0o600);
  try {
    await file.appendFile(rejected.map((one) => `${JSON.stringify(one)}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
};
