import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** What an answer waits for: everything appended so far is on disk, or the emulator must not answer at all. */
export type Journal = {
  append(record: unknown): void;
  flushed(): Promise<void>;
  close(): Promise<void>;
};

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

export const memoryJournal = (): Journal => ({
  append: () => undefined,
  flushed: () => Promise.resolve(),
  close: () => Promise.resolve(),
});

/**
 * Replays the file into `onRecord`, drops a torn last line, and returns a journal that continues it. A broken line
 * before the last one is not a crash's trace but damage, and starting over it would silently forget charges.
 */
export const openJournal = async (path: string, onRecord: (record: unknown) => void): Promise<Journal> => {
  const file = resolve(path);
  mkdirSync(dirname(file), { recursive: true });
  recover(file, onRecord);
  return appendingTo(await open(file, 'a'));
};

const recover = (file: string, onRecord: (record: unknown) => void): void => {
  const descriptor = openSync(file, 'a+');
  try {
    let end = 0;
    for (const line of linesOf(descriptor)) {
      const record = line.complete ? parse(line.text) : undefined;
      if (record === undefined) {
        if (!line.last) throw new Error(`journal ${file} is damaged at byte ${end}`);
        ftruncateSync(descriptor, end);
        break;
      }
      onRecord(record.value);
      end += line.bytes;
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  syncFolder(dirname(file));
};

const parse = (text: string): { value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
};

/** A new file survives power loss only once its folder entry does. */
const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

type Line = { text: string; bytes: number; complete: boolean; last: boolean };

function* linesOf(descriptor: number): Generator<Line> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let rest = Buffer.alloc(0);
  let position = 0;
  let held: Line | undefined;
  for (let read = readSync(descriptor, chunk, 0, CHUNK_BYTES, position); read > 0;) {
    position += read;
    rest = Buffer.concat([rest, chunk.subarray(0, read)]);
    let from = 0;
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE, from)) {
      if (held) yield held;
      held = { text: rest.toString('utf8', from, at), bytes: at + 1 - from, complete: true, last: false };
      from = at + 1;
    }
    rest = rest.subarray(from);
    read = readSync(descriptor, chunk, 0, CHUNK_BYTES, position);
  }
  if (held) yield { ...held, last: rest.length === 0 };
  if (rest.length > 0) yield { text: rest.toString('utf8'), bytes: rest.length, complete: false, last: true };
}

/** Group commit: while one fdatasync runs, further records gather and share the next. */
const appendingTo = (handle: FileHandle): Journal => {
  let waiting: string[] = [];
  let failure: Error | undefined;
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (waiting.length > 0 && !failure) {
      const lines = waiting;
      waiting = [];
      await handle.appendFile(lines.join(''));
      await handle.datasync();
    }
  };

  const flush = (): Promise<void> => {
    running ??= drain()
      .catch((error: unknown) => {
        failure = error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };

  const flushed = async (): Promise<void> => {
    // After a failed write memory is ahead of the disk, so no answer may leave any more.
    while (!failure && (waiting.length > 0 || running)) await flush();
    if (failure) throw failure;
  };

  return {
    append(record) {
      waiting.push(`${JSON.stringify(record)}\n`);
      void flush();
    },
    flushed,
    async close() {
      await flushed().finally(() => handle.close());
    },
  };
};
