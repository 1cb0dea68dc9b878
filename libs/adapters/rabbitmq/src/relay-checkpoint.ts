import type { Database } from '@billstream/postgres';

/** Where a relay stands, and the right to be the only one that runs. */
export type RelayCheckpoint = {
  /** Null: nothing has been published yet. */
  load(): Promise<bigint | null>;
  store(position: bigint): Promise<void>;
  /** Runs `work` while no other instance of the relay runs; its signal aborts when that is no longer sure. */
  exclusively(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void>;
};

// Never backwards: an instance that lost the lock while it stored must not undo the next one's progress.
const storeSql = `
insert into relay_checkpoint (relay, position) values ($1, $2)
on conflict (relay) do update set position = excluded.position, stored_at = clock_timestamp()
where relay_checkpoint.position < excluded.position`;

/** In the service's schema, table `relay_checkpoint` of `busDdl`. */
export const relayCheckpoint = (database: Database, service: string): RelayCheckpoint => {
  const relay = `${service}.relay`;
  return {
    load: async () => {
      const sql = 'select position::text as position from relay_checkpoint where relay = $1';
      const [row] = await database.query<{ position: string }>(sql, [relay], 'relay-checkpoint-load');
      return row ? BigInt(row.position) : null;
    },
    store: async (position) => {
      await database.query(storeSql, [relay, String(position)], 'relay-checkpoint-store');
    },
    exclusively: (signal, work) => database.exclusively(relay, signal, work),
  };
};

/**
 * Makes the relay publish again everything after a position (null: everything); consumers drop what is in their inbox.
 * Waits until the relay does not run: stop the service first. For a new consumer, or a broker that lost its queues.
 */
export const rewindRelay = async (database: Database, service: string, position: bigint | null): Promise<void> => {
  const relay = `${service}.relay`;
  await database.exclusively(relay, new AbortController().signal, async () => {
    if (position === null) await database.query('delete from relay_checkpoint where relay = $1', [relay]);
    else await database.query('update relay_checkpoint set position = $2 where relay = $1', [relay, String(position)]);
  });
};
