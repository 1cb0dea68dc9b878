import type { Difference } from './statements';

export type CrashReport = {
  readonly mode: string;
  readonly seed: string;
  readonly accounts: number;
  /** Paid months that were played. */
  readonly months: number;
  readonly durationMs: number;
  /** By kind, e.g. `kill invoicing`. */
  readonly faults: Readonly<Record<string, number>>;
  readonly slowestRecoveryMs: number;
  readonly events: number;
  readonly usage: { readonly sent: number; readonly accepted: number; readonly lost: number; readonly doubled: number };
  readonly charges: { readonly made: number; readonly missing: number; readonly doubled: number };
  readonly unresolvedPayments: number;
  readonly readModelDifferences: number | null;
  readonly differences: readonly Difference[];
  /** What is wrong and belongs to no account. */
  readonly complaints: readonly string[];
};

export const isGood = ({ differences, complaints }: CrashReport): boolean =>
  differences.length === 0 && complaints.length === 0;

const accountsShownMax = 10;
const statementsShownMax = 12;

const shown = ({ account, missing, unexpected }: Difference): readonly string[] => [
  `${account}:`,
  ...missing.slice(0, statementsShownMax).map((statement) => `  expected, but not so: ${statement}`),
  ...unexpected.slice(0, statementsShownMax).map((statement) => `  so, but not expected: ${statement}`),
];

const table = (rows: readonly (readonly [string, string | number])[]): readonly string[] => {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${String(value)}`);
};

export const faultsOf = ({ faults }: Pick<CrashReport, 'faults'>, kind: string): number =>
  Object.entries(faults).reduce((sum, [name, count]) => sum + (name.startsWith(kind) ? count : 0), 0);

export const linesOf = (report: CrashReport): readonly string[] => {
  const { usage, charges, differences, complaints } = report;
  return [
    ...differences.slice(0, accountsShownMax).flatMap(shown),
    ...(differences.length > accountsShownMax
      ? [`… and ${String(differences.length - accountsShownMax)} accounts more`]
      : []),
    ...complaints,
    `${report.mode}, seed ${report.seed}: ${String(report.accounts)} accounts, ${String(report.months)} months`,
    ...table([
      ...Object.entries(report.faults).sort(([a], [b]) => a.localeCompare(b)),
      ['kills', faultsOf(report, 'kill')],
      ['cuts', faultsOf(report, 'cut')],
      ['events in the log', report.events],
      ['usage records sent / accepted', `${String(usage.sent)} / ${String(usage.accepted)}`],
      ['usage records lost', usage.lost],
      ['usage records doubled', usage.doubled],
      ['charges made', charges.made],
      ['charges missing', charges.missing],
      ['double charges', charges.doubled],
      ['payments unresolved', report.unresolvedPayments],
      ['read model rows unlike a rebuild', report.readModelDifferences ?? 'not compared'],
      ['accounts with differences', differences.length],
      ['slowest recovery', `${(report.slowestRecoveryMs / 1000).toFixed(1)} s`],
      ['duration', `${(report.durationMs / 1000).toFixed(0)} s`],
    ]),
    isGood(report) ? 'everything is as it must be' : 'NOT as it must be',
  ];
};
