import type { PublicEvent } from '@billstream/event-sourcing';
import type { Instant } from '@billstream/kernel';
import type { Database, Sql } from '@billstream/postgres';
import { recordHandled } from './inbox';
import { type Incoming, parseMessage } from './message';

/** `failed`: its handler gave up. `behind`: an earlier one of its key did. `malformed`: it could not be read. */
export type DeathReason = 'failed' | 'behind' | 'malformed';

export type DeadLetter = {
  readonly consumer: string;
  readonly messageId: string;
  /** Null for what could not be read. */
  readonly key: string | null;
  readonly type: string;
  readonly tenantId: string | null;
  readonly position: string | null;
  readonly stream: string | null;
  readonly reason: DeathReason;
  readonly attempts: number;
  readonly error: string | null;
  readonly at: Instant;
  readonly discardedAt: Instant | null;
  readonly discardedBy: string | null;
};

export type DeadLetterDetails = DeadLetter & { readonly body: string; readonly stack: string | null };

/** What kills a message: an event its handler gave up on, or something unreadable. */
export type Death = { readonly reason: DeathReason; readonly attempts: number; readonly error: Error | null };

type Burial = {
  readonly consumer: string;
  readonly incoming: Exclude<Incoming, { kind: 'fence' }>;
  readonly death: Death;
  readonly inbox: boolean;
};

const burySql = `
insert into dead_letters (consumer, message_id, key, type, tenant_id, position, stream, body, reason, attempts, error, stack)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (consumer, message_id) do update
set reason = excluded.reason, attempts = excluded.attempts, error = excluded.error, stack = excluded.stack, died_at = clock_timestamp()`;

// The update that changes nothing takes the row's lock: an unblocking that is under way must end first.
const blockSql = `
insert into blocked_keys (consumer, key) values ($1, $2)
on conflict (consumer, key) do update set blocked_at = blocked_keys.blocked_at`;

/** PostgreSQL's text holds everything but NUL. */
const storable = (text: string): string => text.replaceAll('\u0000', '\ufffd');

const columnsOf = (incoming: Burial['incoming']): readonly (string | null)[] => {
  if (incoming.kind === 'malformed')
    return [storable(incoming.id), null, storable(incoming.type), null, null, null, storable(incoming.body)];
  const { id, key, type, tenantId, position, stream } = incoming.event;
  return [id, key, type, tenantId, position, stream, JSON.stringify(incoming.event)];
};

const insertLetter = async (tx: Sql, { consumer, incoming, death, inbox }: Burial): Promise<void> => {
  const { reason, attempts, error } = death;
  const columns = columnsOf(incoming);
  const stack = error?.stack === undefined ? null : storable(error.stack);
  const values = [consumer, ...columns, reason, attempts, error && storable(error.message), stack];
  await tx.query(burySql, values, 'dead-letter-bury');
  if (inbox && incoming.kind === 'event')
    await recordHandled(tx, consumer, [{ messageId: incoming.event.id, position: incoming.event.position }]);
};

/** The message is out of the way, and so is all that follows it under its key, until an operator says otherwise. */
export const bury = (database: Database, burial: Burial): Promise<void> =>
  database.transaction(async (tx) => {
    if (burial.incoming.kind === 'event')
      await tx.query(blockSql, [burial.consumer, burial.incoming.event.key], 'dead-letter-block');
    await insertLetter(tx, burial);
  });

/**
 * Puts a message behind the dead letters of its key. False when the key is no longer blocked: then it is its turn. The
 * row lock settles who is first when an operator unblocks the key at this moment.
 */
export const divert = (
  database: Database,
  burial: Omit<Burial, 'death'> & { readonly key: string },
): Promise<boolean> =>
  database.transaction(async (tx) => {
    const [blocked] = await tx.query(
      'select key from blocked_keys where consumer = $1 and key = $2 for share',
      [burial.consumer, burial.key],
      'dead-letter-blocked',
    );
    if (!blocked) return false;
    await insertLetter(tx, { ...burial, death: { reason: 'behind', attempts: 0, error: null } });
    return true;
  });

const columns = `consumer, message_id as "messageId", key, type, tenant_id as "tenantId", position::text as position, stream, reason,
  attempts, error, died_at as at, discarded_at as "discardedAt", discarded_by as "discardedBy"`;

/**
 * What operators do with dead letters; `database` is in the consumer's schema. Sending again is done by the running
 * consumer: here it is only asked for, so any process may ask.
 */
export const deadLetters = (database: Database) => ({
  /** Oldest first. Discarded ones only when asked for. */
  list: ({
    key,
    discarded = false,
    limit = 1_000,
  }: { readonly key?: string; readonly discarded?: boolean; readonly limit?: number } = {}) =>
    database.query<DeadLetter>(
      `select ${columns} from dead_letters
       where ($1::text is null or key = $1) and ($2 or discarded_at is null)
       order by position, arrival limit $3`,
      [key ?? null, discarded, limit],
      'dead-letters-list',
    ),

  show: async (messageId: string): Promise<DeadLetterDetails | null> => {
    const sql = `select ${columns}, body, stack from dead_letters where message_id = $1`;
    const [letter] = await database.query<DeadLetterDetails>(sql, [messageId], 'dead-letters-show');
    return letter ?? null;
  },

  /** Asks for all dead letters of the keys to be handled again, in log order; null means of every key. The number of keys. */
  resend: async (keys: readonly string[] | null): Promise<number> => {
    const sql = `update blocked_keys set resend_requested = true where $1::text[] is null or key = any($1) returning key`;
    return (await database.query(sql, [keys], 'dead-letters-resend')).length;
  },

  /** This message is never to be handled; those behind it are when their key is sent again. False: no such letter. */
  discard: async (messageId: string, by: string): Promise<boolean> => {
    const sql = `update dead_letters set discarded_at = clock_timestamp(), discarded_by = $2
      where message_id = $1 and discarded_at is null returning message_id`;
    return (await database.query(sql, [messageId, by], 'dead-letters-discard')).length > 0;
  },

  /** For the gauge. */
  count: async (): Promise<{ readonly letters: number; readonly keys: number }> => {
    const sql = `select (select count(*)::int from dead_letters where discarded_at is null) as letters,
      (select count(*)::int from blocked_keys) as keys`;
    const [counts] = await database.query<{ letters: number; keys: number }>(sql, [], 'dead-letters-count');
    return counts ?? { letters: 0, keys: 0 };
  },
});

/** Keys of a consumer that an operator wants sent again. */
export const keysToResend = async (sql: Sql, consumer: string): Promise<readonly string[]> => {
  const query = 'select key from blocked_keys where consumer = $1 and resend_requested order by blocked_at';
  return (await sql.query<{ key: string }>(query, [consumer], 'dead-letters-keys')).map(({ key }) => key);
};

const claimSql =
  'select key from blocked_keys where consumer = $1 and key = $2 and resend_requested for update skip locked';

const oldestSql = `
select message_id as "messageId", type, body, attempts from dead_letters
where consumer = $1 and key = $2 and discarded_at is null
order by position, arrival limit 1`;

/** `unblocked`: none was left. `failed`: it died again, and the operator must ask again. `elsewhere`: another process has the key. */
export type Resent = 'handled' | 'unblocked' | 'failed' | 'elsewhere';

/**
 * Handles the oldest dead letter of a key once more. The key's row is locked meanwhile, so nobody else handles this key
 * and messages that arrive for it wait. A crash in between leaves the letter where it was. Rejects with what `handle`
 * rejected with when `isTransient` says so.
 */
export const resendOldest = (
  database: Database,
  {
    consumer,
    key,
    handle,
    isTransient,
  }: {
    readonly consumer: string;
    readonly key: string;
    readonly handle: (event: PublicEvent) => Promise<void>;
    readonly isTransient: (error: unknown) => boolean;
  },
): Promise<Resent> =>
  database.transaction(async (tx) => {
    const [claimed] = await tx.query(claimSql, [consumer, key], 'dead-letters-claim');
    if (!claimed) return 'elsewhere';
    const [letter] = await tx.query<{ messageId: string; type: string; body: string; attempts: number }>(
      oldestSql,
      [consumer, key],
      'dead-letters-oldest',
    );
    if (!letter) {
      await tx.query(
        'delete from blocked_keys where consumer = $1 and key = $2',
        [consumer, key],
        'dead-letters-unblock',
      );
      return 'unblocked';
    }
    const incoming = parseMessage(letter.type, letter.messageId, letter.body);
    try {
      if (incoming.kind !== 'event') throw new Error('the dead letter cannot be read');
      await handle(incoming.event);
    } catch (error) {
      if (isTransient(error)) throw error;
      await keepDead(tx, { consumer, key, messageId: letter.messageId, error });
      return 'failed';
    }
    await tx.query(
      'delete from dead_letters where consumer = $1 and message_id = $2',
      [consumer, letter.messageId],
      'dead-letters-delete',
    );
    return 'handled';
  });

const keepDead = async (
  tx: Sql,
  {
    consumer,
    key,
    messageId,
    error,
  }: { readonly consumer: string; readonly key: string; readonly messageId: string; readonly error: unknown },
): Promise<void> => {
  const { message, stack = null } = error instanceof Error ? error : new Error(String(error));
  await tx.query(
    `update dead_letters set reason = 'failed', attempts = attempts + 1, error = $3, stack = $4, died_at = clock_timestamp()
     where consumer = $1 and message_id = $2`,
    [consumer, messageId, storable(message), stack === null ? null : storable(stack)],
    'dead-letters-again',
  );
  await tx.query(
    'update blocked_keys set resend_requested = false where consumer = $1 and key = $2',
    [consumer, key],
    'dead-letters-stay',
  );
};
