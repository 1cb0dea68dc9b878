import { derivedId } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { bundleDecider, bundleSchema, bundleStream } from '@billstream/subscriptions-domain';
import { phaseDue } from '@billstream/subscriptions-read-models';

/**
 * Notes in the log that a planned phase, change or end has come. Billing does not wait for it: the timeline that was
 * published before says it all. The event moves the row to the next planned point, or takes it away.
 */
export const duePhases = (runtime: ServiceRuntime): Readonly<Record<string, (item: DueItem) => Promise<void>>> => {
  const handle = runtime.handle(bundleDecider, bundleSchema);
  return {
    [phaseDue]: async ({ tenantId, key, dueAt, payload }) => {
      const token = 'token' in payload && typeof payload.token === 'string' ? payload.token : '';
      const commandId = derivedId(phaseDue, key, dueAt, token);
      const handled = await handle(
        bundleStream(key),
        { type: 'ReachTransitions', data: { now: dueAt } },
        { commandId, tenantId, actor: { createdBy: 'subscriptions' }, at: dueAt, correlationId: commandId },
      );
      if (handled.outcome === 'accepted') await runtime.visible(handled.position);
    },
  };
};
