import { usageCorrectionSchema, usageCorrectionStream } from '@billstream/metering-domain';
import { withPlannedCorrections } from '@billstream/metering-read-models';
import { eventAsOf } from '../backfills/event-as-of';
import { type PreviewedPeriods, plannedPeriods, previewListMax } from '../backfills/planned-periods';
import type { Metering } from '../metering';
import { type CorrectionsAnswer, type CorrectionsRequest, readCorrections } from './correct-usage';

/** What the corrections would do to closed periods, as everything stands now. Nothing is recorded. */
export const previewCorrections = async (
  metering: Metering,
  request: CorrectionsRequest,
): Promise<CorrectionsAnswer & PreviewedPeriods> => {
  const { corrections, ...answer } = await readCorrections(metering, request);
  const { tenantId } = request.context;
  const countedTo = await metering.usageCounted({ tenantId, subscriptionId: null }, 0n);
  const event = await eventAsOf(metering, request.context, {
    stream: usageCorrectionStream(tenantId),
    ...usageCorrectionSchema.encode({ type: 'UsageCorrected', data: { corrections } }),
  });
  const planned = await withPlannedCorrections(
    metering.runtime.database,
    { tenantId, event, listMax: previewListMax },
    (plan) => plannedPeriods(metering.closingQuestions, plan, countedTo),
  );
  return { ...answer, ...planned };
};
