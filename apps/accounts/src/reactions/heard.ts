import type { CommandContext, Handled, PublicEvent } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';

/** One of a context's public events as it comes over the bus. */
export type Heard<
  Events extends { readonly type: string; readonly data: object },
  Type extends Events['type'],
> = PublicEvent<Type, Extract<Events, { readonly type: Type }>['data']>;

/** A command for what was heard; its id is that of the message, so that it is recorded once however often it is told. */
export const contextOf = (event: PublicEvent): CommandContext => ({
  commandId: derivedId('accounts', event.id),
  tenantId: event.tenantId,
  actor: event.actor,
  at: event.at,
  correlationId: event.correlationId,
  causationId: event.id,
  ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
});

/** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
export const settled = (handled: Handled<object, unknown, { readonly code: string }>): void => {
  if (handled.outcome === 'rejected') throw new Error(`accounts refuses what it was told: ${handled.rejection.code}`);
  if (handled.outcome !== 'accepted') throw new Error(`accounts could not record what it was told: ${handled.outcome}`);
};
