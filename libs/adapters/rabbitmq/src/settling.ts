import type { Logger } from 'pino';
import { backOffMs, hasEnded, pause } from './back-off';
import type { Settle } from './bus';
import type { HandledMessage, Inbox } from './inbox';

/** Runs `work` as long as there is some, one run at a time; `start` during a run is not lost. */
export const runner = (work: () => Promise<void>, isThereWork: () => boolean) => {
  let running: Promise<void> | null = null;
  const start = (): void => {
    running ??= work().finally(() => {
      running = null;
      if (isThereWork()) start();
    });
  };
  const idle = async (): Promise<void> => {
    while (running) await running;
  };
  return { start, idle };
};

/** Tries again, with back-off, until it succeeds or the signal aborts. */
export type Persist = <T>(what: string, work: () => Promise<T>, signal: AbortSignal) => Promise<T | 'stopped'>;

export const persisting =
  (logger: Logger, facts: object): Persist =>
  async (what, work, signal) => {
    for (let attempt = 0; !hasEnded(signal); attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (attempt === 0) logger.warn({ ...facts, err: error }, what);
        await pause(backOffMs(attempt), signal);
      }
    }
    return 'stopped';
  };

export type SettlerParts<Receipt> = {
  /** Null: nothing is remembered. */
  readonly inbox: Pick<Inbox, 'record'> | null;
  readonly persist: Persist;
  readonly settle: Settle<Receipt>;
  /** From here on nothing is settled any more. */
  readonly dropped: AbortSignal;
};

/**
 * Writes inbox rows, then gives the receipts back, in order. What is handled while one statement runs goes into the
 * next: no message waits for a batch to fill, and under load a commit serves many.
 */
export const settler = <Receipt>({ inbox, persist, settle, dropped }: SettlerParts<Receipt>) => {
  const unsettled: { readonly receipt: Receipt; readonly row: HandledMessage | null }[] = [];
  const flush = async (): Promise<void> => {
    while (unsettled.length > 0) {
      const batch = unsettled.splice(0);
      const rows = batch.flatMap(({ row }) => row ?? []);
      if (inbox && rows.length > 0) await persist('inbox cannot be written', () => inbox.record(rows), dropped);
      if (dropped.aborted) return;
      settle(batch.map(({ receipt }) => receipt));
    }
  };
  const flushing = runner(flush, () => unsettled.length > 0 && !dropped.aborted);
  return {
    add: (receipt: Receipt, row: HandledMessage | null): void => {
      unsettled.push({ receipt, row });
      flushing.start();
    },
    idle: flushing.idle,
  };
};
