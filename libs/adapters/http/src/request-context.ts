import type { Actor, CommandContext } from '@billstream/event-sourcing';
import type { Clock } from '@billstream/kernel';

/** Who asks, for which tenant; put together by the gateway and trusted because only the gateway knows the inner secret. */
export type RequestContext = {
  readonly tenantId: string;
  readonly user: string;
  /** `createdBy` is the X-Killbill-CreatedBy header, else the user. */
  readonly actor: Actor;
  readonly correlationId: string;
  /** Derived from Idempotency-Key when one was sent (with tenant, method and path), else random. */
  readonly commandId: string;
  /** Digest of method, path and body; present only with an Idempotency-Key. */
  readonly commandHash?: string;
  readonly traceparent?: string;
};

/** The request as the context of a command. Give an id of your own where one request makes several commands. */
export const commandContext = (request: RequestContext, clock: Clock, commandId = request.commandId): CommandContext => ({
  commandId,
  tenantId: request.tenantId,
  actor: request.actor,
  at: clock.now(request.tenantId),
  correlationId: request.correlationId,
  ...(request.commandHash === undefined ? {} : { commandHash: request.commandHash }),
  ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
});
