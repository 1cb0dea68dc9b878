import type { PublicEvent } from '@billstream/event-sourcing';
import type { Database } from '@billstream/postgres';
import type { Logger } from 'pino';
import { hasEnded, pause } from './back-off';
import { keysToResend, resendOldest } from './dead-letters';
import { isInfrastructure } from './failures';
import type { Report } from './measures';

export type ResendParts = {
  readonly service: string;
  readonly database: Database;
  readonly handle: (event: PublicEvent) => Promise<void>;
  readonly everyMs: number;
  readonly report: Report;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** Looks now and then whether an operator asked for dead letters to be handled again, and does it, key by key. */
export const resendLoop = async (parts: ResendParts): Promise<void> => {
  const { service, database, everyMs, logger, signal } = parts;
  let failing = false;
  while (!signal.aborted) {
    try {
      for (const key of await keysToResend(database, service)) await resendKey(parts, key);
      failing = false;
    } catch (error) {
      if (!failing && !hasEnded(signal))
        logger.warn({ service, err: error }, 'dead letters cannot be sent again for now');
      failing = true;
    }
    await pause(everyMs, signal);
  }
};

const resendKey = async (
  { service, database, handle, report, logger, signal }: ResendParts,
  key: string,
): Promise<void> => {
  let handled = 0;
  while (!signal.aborted) {
    const started = performance.now();
    let type = '';
    const result = await resendOldest(database, {
      consumer: service,
      key,
      handle: (event) => {
        type = event.type;
        return handle(event);
      },
      isTransient: isInfrastructure,
    });
    if (result !== 'handled') {
      if (handled > 0 || result === 'failed')
        logger.info({ service, key, handled, result }, 'dead letters were sent again');
      return;
    }
    handled += 1;
    report({ kind: 'handled', service, type, outcome: 'resent', ms: performance.now() - started });
  }
};
