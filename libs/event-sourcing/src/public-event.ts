import type { Instant } from '@billstream/kernel';
import type { Actor, RecordedEvent } from './message';

/** What other contexts may hear, as it travels over the bus: its id is the id of the stored event (plus an index when one gives several). */
export type PublicEvent<Type extends string = string, Data extends object = object> = {
  readonly id: string;
  /** `<context>.<what-happened>.v<n>`, e.g. `accounts.account-created.v1`. */
  readonly type: Type;
  readonly data: Data;
  readonly tenantId: string;
  /** Events of one key are delivered in order; almost always the account id. */
  readonly key: string;
  readonly at: Instant;
  readonly actor: Actor;
  readonly correlationId: string;
  /** Where it stands in the log, as text: bigints do not survive JSON. */
  readonly position: string;
  readonly stream: string;
  readonly revision: string;
  readonly traceparent?: string;
};

/** A stored event to what others hear of it; empty when it is private. */
export type Publication = (
  recorded: RecordedEvent,
) => readonly { readonly type: string; readonly key: string; readonly data: object }[];

/** Dresses what a publication gives as the messages that travel. */
export const publicEventsOf = (recorded: RecordedEvent, publication: Publication): readonly PublicEvent[] =>
  publication(recorded).map(({ type, key, data }, index) => ({
    id: index === 0 ? recorded.id : `${recorded.id}.${index}`,
    type,
    data,
    tenantId: recorded.metadata.tenantId,
    key,
    at: recorded.metadata.at,
    actor: recorded.metadata.actor,
    correlationId: recorded.metadata.$correlationId,
    position: String(recorded.position),
    stream: recorded.stream,
    revision: String(recorded.revision),
    ...(recorded.metadata.traceparent === undefined ? {} : { traceparent: recorded.metadata.traceparent }),
  }));
