/** What the operator sees: results on standard output, progress on standard error, so that either can be redirected. */
export const print = (line = ''): void => void process.stdout.write(`${line}\n`);

/** Columns as wide as their widest cell; numbers to the right. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number | bigint)[])[]): void => {
  const cells = rows.map((row) => row.map(String));
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const numeric = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] !== 'string'));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (numeric[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  print(line(head));
  for (const row of cells) print(line(row));
};

const barWidth = 30;
const everyMsOnTerminal = 100;
const everyMsElsewhere = 10_000;

export type Step = { readonly share: number; readonly text: string };

/** A bar that redraws itself on a terminal, and a line every ten seconds where nobody can see it move. */
export const progressBar = (title: string) => {
  let shown = 0;
  const isTerminal = process.stderr.isTTY;
  const draw = ({ share, text }: Step): void => {
    const done = Math.round(Math.min(1, Math.max(0, share)) * barWidth);
    const bar = `${title} [${'#'.repeat(done)}${'.'.repeat(barWidth - done)}] ${text}`;
    process.stderr.write(isTerminal ? `\r${bar}\u001b[K` : `${bar}\n`);
  };
  return {
    show: (step: Step): void => {
      const now = performance.now();
      if (now - shown < (isTerminal ? everyMsOnTerminal : everyMsElsewhere)) return;
      shown = now;
      draw(step);
    },
    end: (step: Step): void => {
      draw(step);
      if (isTerminal) process.stderr.write('\n');
    },
  };
};

export const duration = (seconds: number): string =>
  seconds < 60 ? `${seconds.toFixed(0)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
