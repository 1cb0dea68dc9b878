import { derivedId } from '@billstream/kernel';
import { usageClosingStream } from '@billstream/metering-domain';
import { type ClosingView, closingByKey, lateUsageKind } from '@billstream/metering-read-models';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { closedUsages } from './close-usage';
import { meteringOf } from './metering';

/**
 * Counts a closed period again whose usage has changed since. The event says what it amounts to now, and invoicing asks
 * for it again where that is something else; it also settles the piece of work, unless more came meanwhile.
 */
export const countLateUsage = (runtime: ServiceRuntime) => {
  const { closing, usageCounted, closingQuestions } = meteringOf(runtime);
  return {
    [lateUsageKind]: async ({ key, tenantId, dueAt }: DueItem): Promise<void> => {
      const late = await closingByKey(runtime.database, key);
      if (late?.lateTo == null) return;
      const countedTo = await usageCounted({ tenantId, subscriptionId: late.subscriptionId }, late.lateTo);
      const [counted] = await closedUsages(closingQuestions, { ...late, periods: [late] }, countedTo);
      if (counted === undefined) return;
      const cause = derivedId('late-usage', key, String(late.countedTo), String(late.lateTo), late.quantity);
      const context = {
        commandId: cause,
        tenantId,
        actor: { createdBy: 'metering' },
        at: later(dueAt, runtime.clock.now(tenantId)),
        correlationId: cause,
        causationId: cause,
      };
      const { accountId, subscriptionId, unit, usageName, fromAt, toAt } = late;
      const told = await closing(
        usageClosingStream(subscriptionId),
        {
          type: 'LateUsageCounted',
          data: {
            ...{ accountId, subscriptionId, unit, usageName, fromAt, toAt },
            quantity: counted.usage.quantity,
            closedQuantity: late.quantity,
            countedTo: String(countedTo),
          },
        },
        context,
      );
      if (told.outcome !== 'accepted') throw new Error(`late usage could not be counted: ${told.outcome}`);
      await runtime.visible(told.position);
    },
  };
};

const later = (a: ClosingView['fromAt'], b: ClosingView['fromAt']): ClosingView['fromAt'] => (a > b ? a : b);
