import type { EventStoreDBClient } from '@eventstore/db-client';
import type { SubscribeOptions, SubscriptionPage } from '@billstream/event-sourcing';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { backOffMs } from './failures';
import { Reception } from './reception';

const pageSizeDefault = 1_000;
const backOff = { firstMs: 100, lastMs: 5_000 };

/**
 * Supervises the calls to the server: when one fails or ends, the next starts after the last page that was taken. Says
 * when it lost the store and when it is back, not each attempt.
 */
export async function* subscription(
  client: EventStoreDBClient,
  { after, prefixes, pageSize = pageSizeDefault, signal }: SubscribeOptions,
  logger?: Logger,
): AsyncGenerator<SubscriptionPage, void> {
  let taken = after;
  let failures = 0;
  while (!signal.aborted) {
    const reception = new Reception(client, { after: taken, prefixes, pageSize });
    const stop = (): void => void reception.stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      for (;;) {
        const page = await reception.next();
        if (failures > 0) logger?.info({ prefixes, failures }, 'subscription is back');
        failures = 0;
        taken = page.position < 0n ? taken : page.position;
        yield page;
        if (isAborted(signal)) return;
      }
    } catch (error) {
      if (isAborted(signal)) return;
      failures += 1;
      if (failures === 1) logger?.warn({ err: error, prefixes, after: String(taken) }, 'subscription lost');
    } finally {
      signal.removeEventListener('abort', stop);
      await reception.stop();
    }
    await sleep(backOffMs(backOff, failures), undefined, { signal }).catch(() => undefined);
  }
}

/** A function, because a property that was read once is taken for constant although another task changes it. */
const isAborted = (signal: AbortSignal): boolean => signal.aborted;
