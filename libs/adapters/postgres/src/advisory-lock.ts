import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type ClientConfig } from 'pg';

type Lock = {
  readonly config: ClientConfig;
  readonly name: string;
  readonly onError: (error: Error) => void;
};

type Session = {
  readonly client: Client;
  /** Aborted as soon as the connection is known to be gone, and with it the lock. */
  readonly lost: AbortSignal;
  readonly lose: (reason: Error) => void;
};

const retryDelayMinMs = 50;
const retryDelayMaxMs = 1_000;
const heartbeatMs = 5_000;
const heartbeatsMissedMax = 2;
const endTimeoutMs = 1_000;

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error(String(reason)));

/** Computed here and not by the server, whose hash functions may change with its major version. */
export const lockKey = (name: string): bigint => createHash('sha256').update(name).digest().readBigInt64BE();

const openSession = async (config: ClientConfig): Promise<Session> => {
  const client = new Client(config);
  const controller = new AbortController();
  const lose = (reason: Error): void => {
    if (!controller.signal.aborted) controller.abort(reason);
  };
  client.on('error', lose);
  client.on('end', () => {
    lose(new Error('The connection that held the lock has ended'));
  });
  await client.connect();
  return { client, lost: controller.signal, lose };
};

/** Ending the connection gives the lock back. On a dead network a polite end never completes. */
const endSession = async ({ client }: Session): Promise<void> => {
  const timer = setTimeout(() => client.connection.stream.destroy(), endTimeoutMs);
  await client.end().catch(() => undefined);
  clearTimeout(timer);
};

/** Polls, because a waiting `pg_advisory_lock` is an open statement that holds back vacuum for as long as it waits. */
const acquire = async ({ config, name, onError }: Lock, signal: AbortSignal): Promise<Session | undefined> => {
  let session: Session | undefined;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      session ??= await openSession(config);
      const { rows } = await session.client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [
        lockKey(name),
      ]);
      if (rows[0]?.held === true) return session;
    } catch (error) {
      onError(asError(error));
      if (session) await endSession(session);
      session = undefined;
    }
    const pauseMs = Math.min(retryDelayMaxMs, retryDelayMinMs * 2 ** Math.min(attempt, 10));
    await delay(pauseMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
  }
  if (session) await endSession(session);
  return undefined;
};

/**
 * A connection can die without a word. The holder notices within 15 s, well before the server gives the lock to the
 * next one (its keep-alive needs a minute).
 */
const startHeartbeat = ({ client, lost, lose }: Session): (() => void) => {
  let missed = 0;
  let waiting = false;
  const beat = (): void => {
    if (lost.aborted) return;
    if (waiting) {
      missed += 1;
      if (missed >= heartbeatsMissedMax) lose(new Error('The connection that holds the lock does not answer'));
      return;
    }
    waiting = true;
    client.query('select 1').then(
      () => {
        waiting = false;
        missed = 0;
      },
      (error: unknown) => {
        lose(asError(error));
      },
    );
  };
  const timer = setInterval(beat, heartbeatMs);
  return () => {
    clearInterval(timer);
  };
};

/** See `Database.exclusively`. */
export const holdAdvisoryLock = async (
  lock: Lock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const session = await acquire(lock, signal);
  if (!session) return;
  const either = AbortSignal.any([signal, session.lost]);
  const stopHeartbeat = startHeartbeat(session);
  try {
    if (!either.aborted) await work(either);
  } catch (error) {
    if (!either.aborted) throw error;
    // `work` was told to stop; what it threw on its way out is for the log only.
    if (error !== either.reason) lock.onError(asError(error));
  } finally {
    stopHeartbeat();
    await endSession(session);
  }
};
