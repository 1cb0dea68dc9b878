import { instantOfMs } from '@billstream/kernel';
import {
  type BackfillMode,
  type LoggedRecord,
  backfillPartStream,
  backfillRecordsSchema,
  backfilledUsageSchema,
  backfilledUsageStream,
  usageBackfillSchema,
  usageBackfillStream,
} from '@billstream/metering-domain';
import { type Told, startMs, tenantId } from './metering-log';

/** A backfill of `calls` as a test describes it; hours count from the start of the log's day of usage. */
export type DrawnBackfill = {
  readonly backfillId: string;
  readonly mode: BackfillMode;
  readonly users: readonly string[] | null;
  readonly fromHour: number;
  readonly toHour: number;
};

export const hourMs = 3_600_000;
export const scopeOf = ({ users, fromHour, toHour }: Omit<DrawnBackfill, 'backfillId' | 'mode'>) => ({
  units: ['calls'],
  users,
  fromAt: instantOfMs(startMs + fromHour * hourMs),
  toAt: instantOfMs(startMs + toHour * hourMs),
});

/** Opened, with a part for each list of records. */
export const stagedBackfill = (
  drawn: DrawnBackfill,
  parts: readonly (readonly LoggedRecord[])[],
  atMs = startMs,
): readonly Told[] => {
  const { backfillId, mode } = drawn;
  const own = usageBackfillStream(tenantId, backfillId);
  const opened = { backfillId, name: 'n', reason: 'r', mode, ...scopeOf(drawn) };
  return [
    { stream: own, ...usageBackfillSchema.encode({ type: 'BackfillOpened', data: opened }), atMs },
    ...parts.flatMap((records, index): readonly Told[] => {
      const digest = `d${index}`;
      const staged = { backfillId, part: `p${index}`, digest, records: records.length, pieces: 1 };
      return [
        {
          stream: backfillPartStream(tenantId, backfillId, digest),
          ...backfillRecordsSchema.encode({ type: 'PartRecorded', data: { backfillId, digest, records } }),
          atMs,
        },
        {
          stream: own,
          ...usageBackfillSchema.encode({ type: 'PartStaged', data: { ...staged, rejected: 0, rejections: [] } }),
          atMs,
        },
      ];
    }),
  ];
};

export const committedBackfill = (drawn: DrawnBackfill, atMs = startMs): Told => ({
  stream: backfilledUsageStream(tenantId),
  ...backfilledUsageSchema.encode({
    type: 'BackfillCommitted',
    data: { backfillId: drawn.backfillId, mode: drawn.mode, ...scopeOf(drawn) },
  }),
  atMs,
});

export const revertedBackfill = ({ backfillId }: DrawnBackfill, atMs = startMs): Told => ({
  stream: backfilledUsageStream(tenantId),
  ...backfilledUsageSchema.encode({ type: 'BackfillReverted', data: { backfillId, reason: 'r' } }),
  atMs,
});
