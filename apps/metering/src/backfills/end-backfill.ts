import { type RequestContext, commandContext, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import {
  type BackfillEnd,
  backfilledUsageSchema,
  backfilledUsageStream,
  usageBackfillStream,
} from '@billstream/metering-domain';
import { type BackfillView, backfillById } from '@billstream/metering-read-models';
import { backfillProblem } from '../http/backfill-json';
import type { Metering } from '../metering';

type Ending = { readonly context: RequestContext; readonly backfill: BackfillView };

/**
 * Nothing can be added any more, and then: all of it counts. Should this process die in between, nothing counts, and the
 * commit is asked for again.
 */
export const commitBackfill = async (metering: Metering, { context, backfill }: Ending): Promise<void> => {
  const { backfillId, mode, units, users, fromAt, toAt } = backfill;
  await seal(metering, { context, backfill }, true);
  const committed = { backfillId, mode, units, users, fromAt, toAt };
  await decide(metering, { context, backfill }, { type: 'Commit', committed });
};

export const revertBackfill = (metering: Metering, ending: Ending, reason: string): Promise<void> =>
  decide(metering, ending, { type: 'Revert', backfillId: ending.backfill.backfillId, reason });

export const abandonBackfill = async (metering: Metering, ending: Ending): Promise<void> => {
  const { backfillId } = ending.backfill;
  await seal(metering, ending, false);
  await decide(metering, ending, { type: 'Abandon', backfillId });
};

const seal = async ({ backfill, runtime }: Metering, ending: Ending, toCommit: boolean): Promise<void> => {
  const { tenantId, commandId } = ending.context;
  const { backfillId } = ending.backfill;
  const context = commandContext(ending.context, runtime.clock, derivedId('seal', commandId, backfillId));
  const sealed = unwrap(
    await backfill(usageBackfillStream(tenantId, backfillId), { type: 'Seal', toCommit }, context),
    backfillProblem(backfillId),
  );
  // The commit may be refused, and then this is what is seen.
  await runtime.visible(sealed.position);
};

const decide = async (
  { backfilled, runtime }: Metering,
  { context, backfill: { backfillId } }: Ending,
  command: Parameters<Metering['backfilled']>[1],
): Promise<void> => {
  const stream = backfilledUsageStream(context.tenantId);
  const handled = unwrap(
    await backfilled(stream, command, commandContext(context, runtime.clock)),
    backfillProblem(backfillId),
  );
  await runtime.visible(handled.position);
};

/** What a backfill is on its way to; `COMMITTING`: it is committed for good, and its records are being counted. */
export type BackfillStatus = BackfillView['status'] | 'COMMITTING' | 'REVERTING' | 'ABANDONING';

const onTheWay: Readonly<Record<BackfillEnd, BackfillStatus>> = {
  COMMITTED: 'COMMITTING',
  REVERTED: 'REVERTING',
  ABANDONED: 'ABANDONING',
};
const lookedBack = 50;

/** A large commit takes the read model some time; the log knows at once. */
export const statusOf = async (
  { runtime }: Metering,
  tenantId: string,
  { backfillId, status }: BackfillView,
): Promise<BackfillStatus> => {
  if (status !== 'SEALED' && status !== 'COMMITTED') return status;
  const newest = await runtime.store.readLast(backfilledUsageStream(tenantId), lookedBack);
  const ends = newest.flatMap((recorded): readonly BackfillEnd[] => {
    const event = backfilledUsageSchema.decode(recorded);
    if (event?.data.backfillId !== backfillId) return [];
    return [endOf[event.type]];
  });
  const end = ends.at(-1);
  return end === undefined || end === status ? status : onTheWay[end];
};

const endOf = { BackfillCommitted: 'COMMITTED', BackfillReverted: 'REVERTED', BackfillAbandoned: 'ABANDONED' } as const;

/** The tenant's backfill of that name; what was opened a moment ago is waited for. Null: there is none. */
export const findBackfill = async (
  { runtime }: Metering,
  tenantId: string,
  backfillId: string,
): Promise<BackfillView | null> => {
  const known = await backfillById(runtime.database, tenantId, backfillId);
  if (known !== null) return known;
  await runtime.caughtUp();
  return backfillById(runtime.database, tenantId, backfillId);
};
