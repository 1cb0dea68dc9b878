import type { StoredEvent } from './stored-event';

/** What a log remembers of one stream when it is opened. */
export interface RecoveredStream {
  readonly name: string;
  /** The revision that the next event gets. */
  readonly next: number;
  readonly tombstoned: boolean;
}

export interface RecoveredLog {
  readonly streams: readonly RecoveredStream[];
  /** The newest metadata event of each stream that has one. */
  readonly metadata: readonly StoredEvent[];
  /** The newest events in log order, up to the end of the log; may overlap with what `streams` already counts. */
  readonly tail: readonly StoredEvent[];
  readonly last: number;
}

export interface LogListener {
  /** The log was cut off and is back. These events were written although nobody was told so. */
  recovered(events: readonly StoredEvent[]): void;
}

/** Reading is inclusive of `from` and goes up or down from it. */
export interface PageRequest {
  readonly from: number;
  readonly limit: number;
  readonly backwards: boolean;
}

/**
 * Where events rest. One process has a log at a time. Positions and revisions are handed out above this interface, by
 * the only writer, so that they are dense and appear in commit order; a log stores what it is given or nothing of it.
 */
export interface EventLog {
  open(listener: LogListener): Promise<RecoveredLog>;
  /**
   * Durable when the promise resolves; all or nothing. `undefined` means that it was done at once. Rejects with
   * `LogUnavailable` when the outcome is unknown; the log then refuses writes until it has compared notes.
   */
  write(events: readonly StoredEvent[]): Promise<void> | undefined;
  readAll(page: PageRequest): Promise<readonly StoredEvent[]>;
  readStream(stream: string, page: PageRequest): Promise<readonly StoredEvent[]>;
  /** How many bytes of recent events are worth keeping in front of this log. */
  readonly cacheBytes: number;
  close(): Promise<void>;
}

export class LogUnavailable extends Error {}
