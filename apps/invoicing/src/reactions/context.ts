import type { CommandContext, PublicEvent } from '@billstream/event-sourcing';
import { type Instant, derivedId } from '@billstream/kernel';

/** A message as the cause of a command; `parts` tell several commands of one message apart. */
export const contextAt = (event: PublicEvent, at: Instant, ...parts: readonly string[]): CommandContext => ({
  commandId: derivedId('invoicing', event.id, ...parts),
  tenantId: event.tenantId,
  actor: event.actor,
  at,
  correlationId: event.correlationId,
  causationId: event.id,
  ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
});
