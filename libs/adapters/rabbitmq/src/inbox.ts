import { type Database, type Sql, askTogether } from '@billstream/postgres';

export type HandledMessage = { readonly messageId: string; readonly position: string };

export type Known = {
  /** Message ids that are in the inbox. */
  readonly seen: ReadonlySet<string>;
  /** Keys of which a dead letter waits for an operator. */
  readonly blocked: Set<string>;
};

const lookUpSql = `
select 'seen' as what, message_id as name from inbox where consumer = $1 and message_id = any($2::text[])
union all
select 'blocked', key from blocked_keys where consumer = $1 and key = any($3::text[])`;

type Message = { readonly id: string; readonly key: string };

const lookUp = async (sql: Sql, consumer: string, messages: readonly Message[]): Promise<Known> => {
  const ids = messages.map(({ id }) => id);
  const keys = [...new Set(messages.map(({ key }) => key))];
  const rows = await sql.query<{ what: string; name: string }>(lookUpSql, [consumer, ids, keys], 'inbox-look-up');
  const named = (what: string): Set<string> => new Set(rows.filter((row) => row.what === what).map((row) => row.name));
  return { seen: named('seen'), blocked: named('blocked') };
};

const recordSql = `
insert into inbox (consumer, message_id, position)
select $1, * from unnest($2::text[], $3::numeric[])
on conflict do nothing`;

/** From now on these messages are dropped when they come again. */
export const recordHandled = async (sql: Sql, consumer: string, messages: readonly HandledMessage[]): Promise<void> => {
  if (messages.length === 0) return;
  await sql.query(
    recordSql,
    [consumer, messages.map(({ messageId }) => messageId), messages.map(({ position }) => position)],
    'inbox-record',
  );
};

export type Inbox = {
  /** What is known of a window of messages. */
  readonly lookUp: (messages: readonly Message[]) => Promise<Known>;
  /** Resolves once the rows are committed. */
  readonly record: (messages: readonly HandledMessage[]) => Promise<unknown>;
};

/**
 * Nobody waits for a row but the acknowledgement of its message: where many are handled, they share statements. A few are
 * written at once.
 */
const manyRows = 8;
const manyRowsEveryMs = 50;

/** A consumer's inbox for the partitions of one process, which are busy side by side: they share statements and commits. */
export const openInbox = (database: Database, consumer: string): Inbox => ({
  lookUp: askTogether<readonly Message[], Known>(async (windows) => {
    const { seen, blocked } = await lookUp(database, consumer, windows.flat());
    // Each partition takes keys off its own set, and none has a key of another.
    return windows.map(() => ({ seen, blocked: new Set(blocked) }));
  }),
  record: askTogether<readonly HandledMessage[], null>(
    async (batches) => {
      await recordHandled(database, consumer, batches.flat());
      return batches.map(() => null);
    },
    (batches) => (batches.flat().length < manyRows ? 0 : manyRowsEveryMs),
  ),
});

const pruneSql = `
with old as (
  select consumer, message_id from inbox
  where handled_at < clock_timestamp() - make_interval(days => $1)
  order by handled_at limit $2 for update skip locked
)
delete from inbox using old
where inbox.consumer = old.consumer and inbox.message_id = old.message_id
returning inbox.message_id`;

/**
 * Forgets what was handled long ago, in small batches so that nobody waits. A message that comes again later than that
 * is handled again, which its derived command id makes a no-op: the inbox saves work, it is not the guarantee.
 */
export const pruneInbox = async (
  database: Database,
  {
    olderThanDays = 14,
    batch = 5_000,
    signal,
  }: { readonly olderThanDays?: number; readonly batch?: number; readonly signal?: AbortSignal } = {},
): Promise<number> => {
  let pruned = 0;
  while (signal?.aborted !== true) {
    const rows = await database.query(pruneSql, [olderThanDays, batch], 'inbox-prune');
    pruned += rows.length;
    if (rows.length < batch) break;
  }
  return pruned;
};
