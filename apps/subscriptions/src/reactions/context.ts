import type { CommandContext, Handled, PublicEvent } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';

/** A message as the cause of a command: delivered twice, it is the same command twice. */
export const contextOf = (event: PublicEvent, step: string): CommandContext => ({
  commandId: derivedId(event.id, step),
  tenantId: event.tenantId,
  actor: event.actor,
  at: event.at,
  correlationId: event.correlationId,
  causationId: event.id,
  ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
});

/** What another service has decided cannot be refused here: that would be a mistake of ours, for the dead letters. */
export const settled = <Event, State, Refusal>(handled: Handled<Event, State, Refusal>): void => {
  if (handled.outcome !== 'accepted')
    throw new Error(
      `a fact of another service was not taken: ${JSON.stringify(handled, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
};
