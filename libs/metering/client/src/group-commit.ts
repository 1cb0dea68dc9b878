/** Something that was asked to be written, and who waits for it. */
type Waiting = {
  readonly line: string;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
};

export type GroupCommit = {
  /** Resolves once the line is written for sure. */
  add(line: string, bytes: number): Promise<void>;
  /** Bytes that were asked to be written and are not yet. */
  waitingBytes(): number;
  /** Resolves once nothing is being written. */
  idle(): Promise<void>;
};

/**
 * Whoever asks while lines are on their way to the disk goes with the next ones: one flush, which is what costs, for all
 * of them. `write` takes at most `bytesMax` at once, but for a line that is longer alone.
 */
export const groupCommit = (write: (lines: string, bytes: number) => Promise<void>, bytesMax: number): GroupCommit => {
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | null = null;

  const run = async (): Promise<void> => {
    await Promise.resolve(); // those who ask in the same breath go together
    while (waiting.length > 0) {
      const group = groupOf(waiting, bytesMax);
      const bytes = group.reduce((sum, one) => sum + one.bytes, 0);
      try {
        await write(group.map(({ line }) => line).join(''), bytes);
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
      waitingBytes -= bytes;
    }
    // At once: who asks between the last look and a later turn would wait for nobody.
    writing = null;
  };
  return {
    add: (line, bytes) =>
      new Promise((resolve, reject) => {
        waiting.push({ line, bytes, resolve, reject });
        waitingBytes += bytes;
        writing ??= run();
      }),
    waitingBytes: () => waitingBytes,
    idle: async () => {
      while (writing !== null) await writing;
    },
  };
};

const groupOf = (waiting: Waiting[], bytesMax: number): readonly Waiting[] => {
  let bytes = 0;
  const end = waiting.findIndex((one) => (bytes += one.bytes) > bytesMax);
  return waiting.splice(0, end === -1 ? waiting.length : Math.max(end, 1));
};
