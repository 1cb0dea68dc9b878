import {
  type BackfillEnd,
  type OpenedBackfill,
  backfilledUsageSchema,
  backfilledUsageStream,
  usageBackfillSchema,
  usageBackfillStream,
} from '@billstream/metering-domain';
import {
  type BackfillProgress,
  type BackfillView,
  backfillById,
  backfillProgress,
} from '@billstream/metering-read-models';
import { backfillProblem } from '../http/backfill-json';
import type { Metering } from '../metering';

/** A backfill as far as it has to be known to go on with it. */
export type KnownBackfill = Omit<OpenedBackfill, 'expiresAt'> & { readonly status: BackfillView['status'] };

/**
 * The tenant's backfill of that name; null: there is none. The log is asked for what the read model does not have yet, which
 * may be behind by more than an upload waits.
 */
export const knownBackfill = async (
  { runtime }: Metering,
  tenantId: string,
  backfillId: string,
): Promise<KnownBackfill | null> => {
  const view = await backfillById(runtime.database, tenantId, backfillId);
  if (view !== null) return view;
  const [first] = await runtime.store.read(usageBackfillStream(tenantId, backfillId), 0n, 1);
  const opened = first === undefined ? null : usageBackfillSchema.decode(first);
  return opened?.type === 'BackfillOpened' ? { ...opened.data, status: 'STAGING' } : null;
};

/** As it can be read, once what was opened a moment ago can be. Null: it cannot be read yet, or there is none. */
export const readableBackfill = async (
  { runtime }: Metering,
  tenantId: string,
  backfillId: string,
): Promise<BackfillView | null> => {
  const view = await backfillById(runtime.database, tenantId, backfillId);
  if (view !== null) return view;
  await runtime.caughtUp();
  return backfillById(runtime.database, tenantId, backfillId);
};

/** What a backfill is on its way to; `COMMITTING`: it is committed for good, and its records are being counted. */
export type BackfillStatus = BackfillView['status'] | 'COMMITTING' | 'REVERTING' | 'ABANDONING';

const onTheWay: Readonly<Record<BackfillEnd, BackfillStatus>> = {
  COMMITTED: 'COMMITTING',
  REVERTED: 'REVERTING',
  ABANDONED: 'ABANDONING',
  EXPIRED: 'EXPIRED',
};
const lookedBack = 50;

type Over = Exclude<BackfillEnd, 'COMMITTED'>;

/** Refuses to go on with what was given up; whoever is quicker than the read model is refused by the log. */
export const notExpired = ({ backfillId, status }: KnownBackfill): void => {
  if (status === 'EXPIRED') throw backfillProblem(backfillId)({ code: 'backfill-over', status });
};

/** Whether nothing of it counts and nothing more can come of it. */
export const isOver = (status: BackfillView['status']): status is Over =>
  status === 'REVERTED' || status === 'ABANDONED' || status === 'EXPIRED';

/** A large commit takes the read model some time; the log knows at once. */
export const statusOf = async (
  { runtime }: Metering,
  tenantId: string,
  { backfillId, status }: BackfillView,
): Promise<BackfillStatus> => {
  if (isOver(status)) return status;
  const newest = await runtime.store.readLast(backfilledUsageStream(tenantId), lookedBack);
  const ends = newest.flatMap((recorded): readonly BackfillEnd[] => {
    const event = backfilledUsageSchema.decode(recorded);
    if (event?.data.backfillId !== backfillId) return [];
    return [endOf[event.type]];
  });
  const end = ends.at(-1);
  return end === undefined || end === status ? status : onTheWay[end];
};

/** How far the read model is with what the backfill is on its way to; null: it is not at it, before or after. */
export const progressOf = (
  { runtime }: Metering,
  backfillId: string,
  status: BackfillStatus,
): Promise<BackfillProgress | null> =>
  status === 'COMMITTING' || status === 'REVERTING'
    ? backfillProgress(runtime.database, backfillId)
    : Promise.resolve(null);

const endOf = {
  BackfillCommitted: 'COMMITTED',
  BackfillReverted: 'REVERTED',
  BackfillAbandoned: 'ABANDONED',
  BackfillExpired: 'EXPIRED',
} as const;
