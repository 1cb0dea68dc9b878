import { type RequestContext, commandContext, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import { backfilledUsageStream, usageBackfillStream } from '@billstream/metering-domain';
import { overlappingBackfill } from '@billstream/metering-read-models';
import { backfillProblem } from '../http/backfill-json';
import type { Metering } from '../metering';
import { type KnownBackfill, notExpired } from './find-backfill';

type Ending = { readonly context: RequestContext; readonly backfill: KnownBackfill };

/**
 * Nothing can be added any more, and then: all of it counts. Should this process die in between, nothing counts, and the
 * commit is asked for again.
 */
export const commitBackfill = async (metering: Metering, { context, backfill }: Ending): Promise<void> => {
  const { backfillId, mode, units, users, fromAt, toAt } = backfill;
  notExpired(backfill);
  if (mode === 'REPLACE') await nothingInTheWay(metering, { context, backfill });
  await seal(metering, { context, backfill }, true);
  const committed = { backfillId, mode, units, users, fromAt, toAt };
  await decide(metering, { context, backfill }, { type: 'Commit', committed });
};

/** Asked before it is sealed, so that a refusal leaves it open; whoever comes at the same moment is refused by the log. */
const nothingInTheWay = async ({ runtime }: Metering, { context, backfill }: Ending): Promise<void> => {
  await runtime.caughtUp();
  const other = await overlappingBackfill(runtime.database, context.tenantId, backfill);
  if (other !== null) throw backfillProblem(backfill.backfillId)({ code: 'backfill-overlaps', backfillId: other });
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
