import type { RecordedEvent } from '@billstream/event-sourcing';
import type { RequestContext } from '@billstream/http';
import { newId, wallTime } from '@billstream/kernel';
import type { Metering } from '../metering';

/** An event as it would come next in the log if it were decided now. */
export const eventAsOf = async (
  { runtime: { clock, store } }: Metering,
  { tenantId, actor, correlationId }: RequestContext,
  event: Pick<RecordedEvent, 'stream' | 'type' | 'data'>,
): Promise<RecordedEvent> => ({
  ...event,
  id: newId(),
  revision: 0n,
  position: (await store.head()) + 1n,
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
