import { oneAtATime } from '@billstream/event-sourcing';
import type { RequestContext } from '@billstream/http';
import { backfilledUsageStream, usageBackfillStream } from '@billstream/metering-domain';
import {
  type BackfillView,
  type LimitChange,
  type PlannedBackfill,
  type PreviewAsked,
  type QuantityChange,
  type RejectedOfPart,
  rejectedOfBackfill,
  withPlannedBackfill,
} from '@billstream/metering-read-models';
import { unreadableBackfill } from '../http/backfill-json';
import type { Metering } from '../metering';
import { eventAsOf } from './event-as-of';
import { type PreviewedPeriods, plannedPeriods, previewListMax } from './planned-periods';

export type Preview = PreviewedPeriods & {
  readonly action: 'COMMIT' | 'REVERT';
  readonly counts: PlannedBackfill['counts'];
  readonly rejected: readonly RejectedOfPart[];
  readonly quantities: readonly QuantityChange[];
  readonly limits: readonly LimitChange[];
  readonly moreLimits: boolean;
};

const passedWithinMs = 10_000;

/** Large previews are sorted on disk: one at a time leaves the machine to usage. */
const inTurn = oneAtATime();

/** What the commit would do, or of a committed one its revert, as everything stands now. */
export const previewBackfill = async (
  metering: Metering,
  { context, backfill }: { readonly context: RequestContext; readonly backfill: BackfillView },
  asked: Pick<PreviewAsked, 'interval' | 'timeZone' | 'limit' | 'offset'>,
): Promise<Preview> => {
  const { runtime } = metering;
  const { tenantId } = context;
  const { backfillId } = backfill;
  const [last] = await runtime.store.readLast(usageBackfillStream(tenantId, backfillId), 1);
  // Half of what was staged would be a preview of something else.
  if (last !== undefined && !(await runtime.passed(last.position, passedWithinMs)))
    throw unreadableBackfill(backfillId);
  const countedTo = await metering.usageCounted({ tenantId, subscriptionId: null }, 0n);
  const event = await eventAsOf(metering, context, {
    stream: backfilledUsageStream(tenantId),
    type: 'preview',
    data: {},
  });
  const isCommitted = backfill.status !== 'COMMITTED';
  const question = { ...asked, tenantId, backfillId, isCommitted, event, listMax: previewListMax };
  return inTurn('preview', async () => {
    const planned = await withPlannedBackfill(runtime.database, question, async (plan) => ({
      ...plan,
      ...(await plannedPeriods(metering.closingQuestions, plan, countedTo)),
    }));
    const rejected = await rejectedOfBackfill(runtime.database, backfillId, previewListMax);
    const { counts, quantities, limits, periods, changed, morePeriods } = planned;
    return {
      ...{ action: isCommitted ? ('COMMIT' as const) : ('REVERT' as const), counts, rejected, quantities, periods },
      changed,
      morePeriods,
      limits: limits.slice(0, previewListMax),
      moreLimits: limits.length > previewListMax,
    };
  });
};
