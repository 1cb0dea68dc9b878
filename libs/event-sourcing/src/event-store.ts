import type { RecordedEvent, StoredEvent } from './message';

/** `none`: the stream must not exist yet. A number: the revision of its last event. There is no "any": it cannot be retried safely. */
export type ExpectedRevision = bigint | 'none';

export type Appended = { readonly revision: bigint; readonly position: bigint };

/** The stream is not where the decision thought it was. Re-read and decide again. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
  ) {
    super(`${stream} is not at revision ${expected}`);
  }
}

/** The store did not answer in time or the connection broke: the append may or may not have happened. Re-read to know. */
export class AppendOutcomeUnknown extends Error {
  override readonly name = 'AppendOutcomeUnknown';
  constructor(
    readonly stream: string,
    options?: { cause: unknown },
  ) {
    super(`it is not known whether the append to ${stream} happened`, options);
  }
}

/** The store takes only so much at once, and these events are more. Nothing was written, and asking again changes nothing. */
export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
  constructor(
    readonly stream: string,
    options?: { cause: unknown },
  ) {
    super(`what was to be appended to ${stream} is more than the store takes at once`, options);
  }
}

/** Events in log order, and how far the log has been looked at: `position` may be past the last event of the page. */
export type SubscriptionPage = {
  readonly events: readonly RecordedEvent[];
  readonly position: bigint;
  /** True when the page reached the end of the log at the time. */
  readonly caughtUp: boolean;
};

export type SubscribeOptions = {
  /** Last position already handled; null starts at the beginning of the log. */
  readonly after: bigint | null;
  /** Stream name prefixes; only events of such streams are delivered. */
  readonly prefixes: readonly string[];
  readonly pageSize?: number;
  readonly signal: AbortSignal;
};

export type EventStore = {
  /** The stream's events from a revision on, oldest first; empty when there are none (or no such stream). */
  read(stream: string, from?: bigint, max?: number): Promise<readonly RecordedEvent[]>;
  /** The last `max` events of a stream, oldest first; empty when there is no such stream. */
  readLast(stream: string, max: number): Promise<readonly RecordedEvent[]>;
  /** All or nothing, at most 1 MiB (`AppendTooLarge`), durable before it resolves, idempotent for the same ids at the same expected revision. */
  append(stream: string, expected: ExpectedRevision, events: readonly StoredEvent[]): Promise<Appended>;
  /**
   * Every matching event once and in log order, from history into live, until the signal aborts. Back-pressure: the next
   * page is asked for by the next iteration. Reconnects by itself with back-off and resumes after the last page taken.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionPage>;
  /** Matching events of the log after a position, without waiting for new ones; for checks and rebuilds. */
  readAll(options: Omit<SubscribeOptions, 'signal'> & { readonly max?: number }): Promise<SubscriptionPage>;
  /** Position of the last event in the log; -1n when it is empty. */
  head(): Promise<bigint>;
};
