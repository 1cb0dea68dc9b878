import { oneAtATime } from '@billstream/event-sourcing';
import { usageCorrectionSchema, usageCorrectionStream } from '@billstream/metering-domain';
import { withPlannedCorrections } from '@billstream/metering-read-models';
import { eventAsOf } from '../backfills/event-as-of';
import { type PreviewedPeriods, plannedPeriods, previewListMax } from '../backfills/planned-periods';
import type { Metering } from '../metering';
import { type CorrectionsRequest, correctionsIn, decideCorrections } from './correct-usage';
import type { CorrectionsAnswer } from './record-corrections';

/**
 * What is planned holds a connection while other connections are asked what it comes to: as many at once as there are
 * connections would wait for each other.
 */
const inTurn = oneAtATime();

/** What the corrections would do to closed periods, as everything stands now. Nothing is recorded. */
export const previewCorrections = (
  metering: Metering,
  request: CorrectionsRequest,
): Promise<CorrectionsAnswer & PreviewedPeriods> => inTurn('preview', () => previewed(metering, request));

const previewed = async (
  metering: Metering,
  request: CorrectionsRequest,
): Promise<CorrectionsAnswer & PreviewedPeriods> => {
  const { tenantId } = request.context;
  const { named, rejected } = correctionsIn(request);
  const countedTo = await metering.usageCounted({ tenantId, subscriptionId: null }, 0n);
  const { fresh, used, ...decided } = await decideCorrections(metering, tenantId, named);
  const event = await eventAsOf(metering, request.context, {
    stream: usageCorrectionStream(tenantId),
    ...usageCorrectionSchema.encode({ type: 'UsageCorrected', data: { corrections: fresh } }),
  });
  const planned = await withPlannedCorrections(
    metering.runtime.database,
    { tenantId, event, listMax: previewListMax },
    (plan) => plannedPeriods(metering.closingQuestions, plan, countedTo),
  );
  const all = [...rejected, ...decided.rejected].toSorted((a, b) => a.index - b.index);
  return { accepted: fresh.length, duplicates: used.length, rejected: all, ...planned };
};
