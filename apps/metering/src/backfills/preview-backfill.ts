import { type RecordedEvent, oneAtATime } from '@billstream/event-sourcing';
import type { RequestContext } from '@billstream/http';
import { type Decimal, newId, subtract, wallTime } from '@billstream/kernel';
import { backfilledUsageStream, usageBackfillStream } from '@billstream/metering-domain';
import {
  type BackfillView,
  type ClosingView,
  type LimitChange,
  type PlannedBackfill,
  type PreviewAsked,
  type QuartersAsked,
  type QuantityChange,
  type RejectedOfPart,
  rejectedOfBackfill,
  withPlannedBackfill,
} from '@billstream/metering-read-models';
import { closedUsages } from '../close-usage';
import { unreadableBackfill } from '../http/backfill-json';
import type { Metering } from '../metering';

/** Closed periods, limits and rejected records that are listed; more are counted as `more`. */
export const previewListMax = 100;

export type PreviewedPeriod = Pick<
  ClosingView,
  'accountId' | 'subscriptionId' | 'user' | 'planName' | 'unit' | 'usageName' | 'fromAt' | 'toAt'
> & { readonly before: Decimal; readonly after: Decimal; readonly difference: Decimal };

export type Preview = {
  readonly action: 'COMMIT' | 'REVERT';
  readonly counts: PlannedBackfill['counts'];
  readonly rejected: readonly RejectedOfPart[];
  readonly quantities: readonly QuantityChange[];
  readonly periods: readonly PreviewedPeriod[];
  readonly morePeriods: boolean;
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
  const event = eventAsOf(metering, context, await runtime.store.head());
  const isCommitted = backfill.status !== 'COMMITTED';
  const question = { ...asked, tenantId, backfillId, isCommitted, event, listMax: previewListMax };
  return inTurn('preview', async () => {
    const planned = await withPlannedBackfill(runtime.database, question, async (plan) => ({
      ...plan,
      periods: await periodsOf(metering, plan, countedTo),
    }));
    const rejected = await rejectedOfBackfill(runtime.database, backfillId, previewListMax);
    const { counts, quantities, closings, limits, periods } = planned;
    return {
      ...{ action: isCommitted ? ('COMMIT' as const) : ('REVERT' as const), counts, rejected, quantities, periods },
      morePeriods: closings.length > previewListMax,
      limits: limits.slice(0, previewListMax),
      moreLimits: limits.length > previewListMax,
    };
  });
};

/** Counted by the rules, as the bill would be. Periods that come to the same are left out, as they are of bills. */
const periodsOf = async (
  { closingQuestions }: Metering,
  { closings, quarters }: PlannedBackfill,
  countedTo: bigint,
): Promise<readonly PreviewedPeriod[]> => {
  const periods: PreviewedPeriod[] = [];
  for (const closing of closings.slice(0, previewListMax)) {
    const questions = { ...closingQuestions, quarters: (asked: QuartersAsked) => quarters(asked, asked) };
    const [counted] = await closedUsages(questions, { ...closing, periods: [closing] }, countedTo);
    if (counted === undefined || counted.usage.quantity === closing.quantity) continue;
    const { usage } = counted;
    const { accountId, subscriptionId, user, planName, unit, usageName, fromAt, toAt } = closing;
    const quantities = { before: closing.quantity, after: usage.quantity };
    const difference = subtract(usage.quantity, closing.quantity);
    periods.push({
      accountId,
      subscriptionId,
      user,
      planName,
      unit,
      usageName,
      fromAt,
      toAt,
      ...quantities,
      difference,
    });
  }
  return periods;
};

const eventAsOf = (
  { runtime: { clock } }: Metering,
  { tenantId, actor, correlationId }: RequestContext,
  head: bigint,
): RecordedEvent => ({
  id: newId(),
  type: 'preview',
  data: {},
  stream: backfilledUsageStream(tenantId),
  revision: 0n,
  position: head + 1n,
  metadata: {
    $correlationId: correlationId,
    $causationId: correlationId,
    commandId: correlationId,
    tenantId,
    actor,
    at: clock.now(tenantId),
    recordedAt: wallTime(),
  },
});
