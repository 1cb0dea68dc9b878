import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { billstreamApi } from './billstream-api';
import { MeteringClientError } from './client-error';
import { type DirectoryLock, lockDirectory } from './directory-lock';
import { type LimitVerdict, limitCheck } from './limit-check';
import { type MeteringClientOptions, type Settings, settingsOf } from './options';
import { type Sent, startShipper } from './shipper';
import { type Spool, openSpool } from './spool';
import { type RecordName, type UsageRecord, encodeRecord } from './usage-record';

/** What became of the records since the client was opened, and what is still here. */
export type ClientStats = Readonly<Sent> & {
  /** Bytes of records that are kept and not sent. */
  readonly waitingBytes: number;
};

export type MeteringClient = {
  /**
   * Resolves with the record's name once it is kept on this machine (see `durability`). From then on it is counted once by
   * the server, or told of in `rejects.jsonl`, whatever happens to this process, to the server and to the way between.
   * Throws `MeteringClientError`.
   */
  record(usage: UsageRecord): Promise<RecordName>;
  /** Whether a user may use a unit now. Does not throw for want of the server. */
  check(user: string, unit: string): Promise<LimitVerdict>;
  /** Resolves once the server has everything that was recorded before the call; throws `not-in-time` (default: 30 s). */
  flush(options?: { readonly withinMs?: number }): Promise<void>;
  stats(): ClientStats;
  /**
   * Takes no more records, sends what there is for at most `withinMs` (default 5 s), and lets go of the directory. What
   * was not sent stays there for the next client; `isEmpty` says whether there is any.
   */
  close(options?: { readonly withinMs?: number }): Promise<{ readonly isEmpty: boolean }>;
};

const flushMs = 30_000;
const closeMs = 5_000;

/** Opens the directory, takes up what an earlier client left there, and begins to send. */
export const openMeteringClient = async (options: MeteringClientOptions): Promise<MeteringClient> => {
  const settings = settingsOf(options);
  await mkdir(settings.directory, { recursive: true, mode: 0o700 });
  const lock = await lockDirectory(settings.directory);
  try {
    let wake = (): void => undefined;
    const spool = await openSpool(settings.directory, settings.spool, () => wake());
    const client = clientOn(settings, spool, lock);
    wake = client.wake;
    return client.surface;
  } catch (error) {
    await lock.release();
    throw error;
  }
};

const clientOn = (settings: Settings, spool: Spool, lock: DirectoryLock) => {
  const { url, credentials, directory, onRejected, onError } = settings;
  const api = billstreamApi(url, credentials);
  const shipper = startShipper({ api, spool, directory, options: settings.shipping, onRejected, onError });
  const limits = limitCheck(api, settings.limits, quiet(onError));
  const defaults = { source: settings.source, nowMs: Date.now, newId: randomUUID };
  let closing: Promise<{ readonly isEmpty: boolean }> | null = null;

  const sentWithin = async (withinMs: number): Promise<boolean> => {
    const end = await spool.end();
    return shipper.hurry(() => spool.isDone(end), withinMs);
  };
  const close = async (withinMs: number): Promise<{ readonly isEmpty: boolean }> => {
    spool.shut();
    limits.stop();
    const isEmpty = await sentWithin(withinMs);
    api.end();
    await shipper.stop();
    await spool.close();
    await lock.release();
    return { isEmpty };
  };
  const surface: MeteringClient = {
    record: async (usage) => {
      const { name, text } = encodeRecord(usage, defaults);
      await spool.append(text);
      return name;
    },
    check: (user, unit) => {
      if (closing !== null) return Promise.reject(new MeteringClientError('closed', 'The client is closed'));
      return limits.check(user, unit);
    },
    flush: async ({ withinMs = flushMs } = {}) => {
      if (await sentWithin(withinMs)) return;
      throw new MeteringClientError('not-in-time', `Not everything was sent within ${withinMs} ms; it is kept`);
    },
    stats: () => ({ ...shipper.sent, waitingBytes: spool.waitingBytes() }),
    close: ({ withinMs = closeMs } = {}) => (closing ??= close(withinMs)),
  };
  return { surface, wake: shipper.wake };
};

/** A listener's mistake is not a reason to fail a check. */
const quiet =
  (listener: (error: Error) => void) =>
  (error: Error): void => {
    try {
      listener(error);
    } catch {
      // It was told; what it does with that is its own affair.
    }
  };
