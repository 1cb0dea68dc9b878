import type { Instant } from '@billstream/kernel';

/** What a decider accepts or has accepted: a name of the past tense and plain JSON. */
export type DomainEvent<Type extends string = string, Data extends object = object> = {
  readonly type: Type;
  readonly data: Data;
};

/** Who asked for it, as Kill Bill's headers say (CreatedBy, Reason, Comment). */
export type Actor = { readonly createdBy: string; readonly reason?: string; readonly comment?: string };

/** Travels beside every event; `$…` are EventStoreDB's own names. `at` is business time, `recordedAt` wall time. */
export type Metadata = {
  readonly $correlationId: string;
  readonly $causationId: string;
  readonly commandId: string;
  readonly commandHash?: string;
  readonly tenantId: string;
  readonly actor: Actor;
  readonly at: Instant;
  readonly recordedAt: Instant;
  readonly traceparent?: string;
};

/** An event as it is written: the stored name carries the version, e.g. `subscription.plan-changed.v1`. */
export type StoredEvent = {
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: Metadata;
};

/** An event as it is read. `revision` counts within the stream from 0; `position` orders the whole log and has gaps. */
export type RecordedEvent = StoredEvent & {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
};
