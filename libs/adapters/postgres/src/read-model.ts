import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Sql } from './database';

/**
 * Tables that are a function of the log. The runner calls `apply` inside the transaction that moves the read model's
 * checkpoint, so each event is applied exactly once; a rebuild calls the same function on the same tables in a shadow
 * schema. Table names are unqualified for that reason, and nobody else writes these tables.
 */
export type ReadModel = {
  /** Kebab-case, unique within the service; what an operator types to rebuild it. */
  readonly name: string;
  readonly tables: readonly string[];
  /** Creates the tables and their indexes. A changed text makes the runner build the read model again from the log. */
  readonly ddl: string;
  /** Stream name prefixes it reads. */
  readonly prefixes: readonly string[];
  /**
   * One batch in log order (1 to some thousand events), with set-based SQL. No clock, no randomness, no other tables. What
   * it resolves with, if anything, is told to whoever listens (`Projections.listen`) once the batch is committed.
   */
  apply(tx: Sql, events: readonly RecordedEvent[]): Promise<unknown>;
};
