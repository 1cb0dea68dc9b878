import { DatabaseError, Pool, type ClientBase, type PoolClient } from 'pg';
import { holdAdvisoryLock } from './advisory-lock';
import { connectionConfig, type ConnectionOptions } from './connection-config';

/** One connection inside a transaction, or the pool. `name` makes a prepared statement. */
export type Sql = {
  query<R extends object = Record<string, unknown>>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<readonly R[]>;
};

export type Database = Sql & {
  /** `BEGIN` … `COMMIT`; rolls back when `work` throws. The `Sql` is dead once `work` has ended. */
  transaction<T>(work: (tx: Sql) => Promise<T>): Promise<T>;
  /**
   * Runs `work` while a session advisory lock, one per name and schema, is held on a connection of its own; waits until
   * the lock is free. If that connection breaks, the signal that `work` got is aborted, and the next holder may start
   * before `work` has noticed: writes under the lock still need a guard (a revision, a checkpoint compared).
   * Resolves when `work` has ended, also after a loss; an error of `work` rejects unless the signal was aborted first.
   */
  exclusively(lock: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void>;
  /** The same database with another schema on the search path, with connections of its own. Closes with its parent. */
  withSchema(schema: string): Database;
  readonly schema: string;
  close(): Promise<void>;
};

type Options = ConnectionOptions & {
  readonly poolSize?: number;
  /** Hears of broken connections that no caller hears of: idle ones, and those of locks. */
  readonly onError?: (error: Error) => void;
};

const poolSizeDefault = 10;

/** Only an error that the server reported inside a living session leaves the connection usable. */
const leavesConnectionUsable = (error: unknown): boolean =>
  error instanceof DatabaseError && error.severity === 'ERROR';

const run = async <R extends object>(
  client: ClientBase,
  text: string,
  values: readonly unknown[] | undefined,
  name: string | undefined,
): Promise<readonly R[]> => {
  const config = { text, ...(values && { values: [...values] }), ...(name !== undefined && { name }) };
  const result: unknown = await client.query<R>(config);
  // Several statements in one text give one result each; the last one answers.
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  return (last as { rows: R[] }).rows;
};

/**
 * The driver deprecates queueing queries on a client, and callers like `Promise.all`: one query at a time here. After
 * `end` the client may belong to someone else, so a forgotten `await` in a transaction fails instead of leaking out.
 */
const transactionSql = (client: ClientBase): { tx: Sql; end: () => Promise<void> } => {
  let open = true;
  let last: Promise<unknown> = Promise.resolve();
  return {
    tx: {
      query: <R extends object>(text: string, values?: readonly unknown[], name?: string) => {
        if (!open) return Promise.reject(new Error('The transaction has already ended'));
        const result = last.then(() => run<R>(client, text, values, name));
        last = result.catch(() => undefined);
        return result;
      },
    },
    end: async () => {
      open = false;
      await last;
    },
  };
};

const inTransaction = async <T>(client: ClientBase, work: (tx: Sql) => Promise<T>): Promise<T> => {
  await client.query('begin');
  const { tx, end } = transactionSql(client);
  let result: T;
  try {
    result = await work(tx);
  } finally {
    await end();
  }
  const { command } = await client.query('commit');
  // A statement failed and `work` went on: PostgreSQL answers such a commit with a roll-back, without an error.
  if (command !== 'COMMIT') throw new Error('The transaction was rolled back: one of its statements had failed');
  return result;
};

const rollBack = async (client: PoolClient, error: unknown): Promise<void> => {
  try {
    await client.query('rollback');
    client.release();
  } catch {
    client.release(error instanceof Error ? error : true);
  }
};

export const openDatabase = (options: Options): Database => {
  const { schema, poolSize = poolSizeDefault, onError = () => undefined } = options;
  const config = connectionConfig(options);
  const pool = new Pool({ ...config, max: poolSize });
  const children = new Set<Database>();
  let closing: Promise<void> | undefined;
  pool.on('error', (error) => {
    onError(error);
  });
  // While a client is checked out nobody else listens, and an unheard 'error' would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));

  const closeAll = async (): Promise<void> => {
    await Promise.all([...children].map((child) => child.close()));
    await pool.end();
  };

  return {
    schema,
    query: async <R extends object>(text: string, values?: readonly unknown[], name?: string) => {
      const client = await pool.connect();
      try {
        const rows = await run<R>(client, text, values, name);
        client.release();
        return rows;
      } catch (error) {
        client.release(!leavesConnectionUsable(error));
        throw error;
      }
    },
    transaction: async (work) => {
      const client = await pool.connect();
      try {
        const result = await inTransaction(client, work);
        client.release();
        return result;
      } catch (error) {
        await rollBack(client, error);
        throw error;
      }
    },
    exclusively: (lock, signal, work) => holdAdvisoryLock({ config, name: `${schema}/${lock}`, onError }, signal, work),
    withSchema: (other) => {
      const child = openDatabase({ ...options, schema: other });
      children.add(child);
      return {
        ...child,
        close: async () => {
          children.delete(child);
          await child.close();
        },
      };
    },
    close: () => (closing ??= closeAll()),
  };
};
