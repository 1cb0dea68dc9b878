import type { CommandContext, PublicEvent } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import {
  backfilledUsage,
  backfilledUsageSchema,
  billingNews,
  billingNewsSchema,
  logFormat,
  logFormatSchema,
  limitReservations,
  limitReservationsSchema,
  limitReservationsSnapshots,
  meteredAccount,
  meteredAccountSchema,
  meteredTenant,
  meteredTenantSchema,
  subscriptionUsage,
  subscriptionUsageSchema,
  unit,
  unitSchema,
  usageBackfill,
  usageBackfillSchema,
  usageBackfillSnapshots,
  usageClosing,
  usageClosingSchema,
  usageCorrectionSchema,
  usageCorrections,
  usageLimit,
  usageLimitSchema,
} from '@billstream/metering-domain';
import { type MovedLimits, countingMethods, limitCheck, meteringReadModel } from '@billstream/metering-read-models';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { closingQuestions, usageCounted } from './close-usage';
import { createIngest } from './ingest/ingest';
import { usageWriter } from './ingest/usage-writer';
import { limitChecks } from './limit-checks';

/** No answer is held back for longer. */
const waitMsMax = 2_000;

/** Checks that are kept, and follow what the read model tells. */
const limitChecksOf = ({ database, applied }: ServiceRuntime) => {
  const checks = limitChecks({ load: (question) => limitCheck(database, question), isTold: () => applied.isHere() });
  applied.listen({
    applied: ({ readModel, told }) => {
      if (readModel === meteringReadModel.name) checks.moved(told as MovedLimits);
    },
    missed: checks.forget,
  });
  return checks;
};

/** The runtime, one command loop per kind of stream, and the way in for usage: all that an endpoint or a reaction needs. */
const meteringOn = (runtime: ServiceRuntime) => {
  const { store, clock, database } = runtime;
  const writer = usageWriter({ store, clock });
  return {
    runtime,
    unit: runtime.handle(unit, unitSchema),
    tenant: runtime.handle(meteredTenant, meteredTenantSchema),
    account: runtime.handle(meteredAccount, meteredAccountSchema),
    billingNews: runtime.handle(billingNews, billingNewsSchema),
    logFormat: runtime.handle(logFormat, logFormatSchema),
    limit: runtime.handle(usageLimit, usageLimitSchema),
    reservations: runtime.handle(limitReservations, limitReservationsSchema, limitReservationsSnapshots),
    reported: runtime.handle(subscriptionUsage, subscriptionUsageSchema),
    closing: runtime.handle(usageClosing, usageClosingSchema),
    correction: runtime.handle(usageCorrections, usageCorrectionSchema),
    backfill: runtime.handle(usageBackfill, usageBackfillSchema, usageBackfillSnapshots),
    backfilled: runtime.handle(backfilledUsage, backfilledUsageSchema),
    limitChecks: limitChecksOf(runtime),
    usageCounted: usageCounted(runtime),
    closingQuestions: closingQuestions(database),
    ingest: createIngest({
      writer,
      clock,
      methodsOf: (tenantId, units) => countingMethods(database, tenantId, units),
      recogniseRepeats: runtime.settings.recogniseRepeats ?? true,
    }),
    /**
     * Waits until what this process has taken of a user's usage can be read: who sends and then asks sees what was sent.
     * Other users' usage is not waited for, or whoever is checked while much comes in would wait for all of it.
     */
    usageVisible: async (tenantId: string, user: string, withinMs?: number): Promise<void> => {
      const position = writer.lastPosition(tenantId, user);
      const mostMs = Math.min(withinMs ?? waitMsMax, waitMsMax);
      if (withinMs === undefined) await runtime.visible(position);
      else if (position !== null && withinMs > 0) await runtime.passed(position, mostMs, mostMs);
    },
  };
};

export type Metering = ReturnType<typeof meteringOn>;

const ofRuntime = new WeakMap<ServiceRuntime, Metering>();

/** One for each runtime: two writers of one process would be in each other's way on every stream. */
export const meteringOf = (runtime: ServiceRuntime): Metering => {
  const known = ofRuntime.get(runtime) ?? meteringOn(runtime);
  ofRuntime.set(runtime, known);
  return known;
};

/** Injection token of `Metering`. */
export const meteringToken = Symbol('metering');

/** The context of what a message makes metering do: the same message names the same command, however often it comes. */
export const contextOf = (event: PublicEvent, step = ''): CommandContext => ({
  commandId: derivedId('metering', event.id, step),
  tenantId: event.tenantId,
  actor: event.actor,
  at: event.at,
  correlationId: event.correlationId,
  causationId: event.id,
  ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
});
