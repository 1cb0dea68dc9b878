import type { Figure, Samples } from './measure';
import type { Machine } from './machine';

export type Report = {
  readonly at: string;
  readonly seed: number;
  readonly machine: Machine;
  readonly figures: readonly Figure[];
};

const number = (value: number): string => {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 10 ? 1 : 2);
};
const spread = ({ median, low, high }: Samples): string => `${number(median)} (${number(low)}–${number(high)})`;

const verdictOf = ({ aim, atMost, floor, measured }: Figure): string => {
  if (measured === null) return '';
  if (atMost !== undefined) return `<= ${number(atMost)}: ${measured.median <= atMost ? 'yes' : 'NO'}`;
  if (aim === undefined) return '';
  const reached = floor?.ratio.median ?? measured.median;
  return reached >= aim ? `>= ${number(aim)}: yes` : `>= ${number(aim)}: NO`;
};

/** A Markdown table, so that it can go into the documentation as it is. */
export const tableOf = (figures: readonly Figure[]): string => {
  const rows = figures.map((figure) => [
    figure.name,
    figure.measured === null ? 'not measured' : `${spread(figure.measured)} ${figure.unit}`,
    figure.floor ? `${figure.floor.name}: ${spread(figure.floor.measured)}` : '',
    figure.floor ? spread(figure.floor.ratio) : '',
    verdictOf(figure),
    (figure.notes ?? []).join('; '),
  ]);
  const head = ['measured', 'median (lowest–highest round)', 'floor', 'ratio', 'aim', 'notes'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
};

export const headingOf = ({ at, seed, machine }: Report): string =>
  [
    `${at}, seed ${seed}`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}`,
    `PostgreSQL ${machine.postgres}, fsync ${machine.fsync}, synchronous_commit ${machine.synchronousCommit}; load average at the start ${machine.load}`,
  ].join('\n');
