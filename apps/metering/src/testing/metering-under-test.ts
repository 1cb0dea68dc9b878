import { type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import { serviceUnderTest } from '@billstream/service-runtime/testing';
import { meteringService } from '../index';
import { type Metering, meteringToken } from '../metering';
import { OnFactsOfOthers } from '../reactions/on-facts-of-others';
import { OnUsageRequested } from '../reactions/on-usage-requested';

/** The service over the memory store and a real database, with a clock that stands where a test puts it. */
export const meteringUnderTest = async (start: string) => {
  const time = { now: instant(start) };
  const service = await serviceUnderTest(meteringService, { now: () => time.now });
  const { app, fastify, runtime } = service;
  const metering = app.get<Metering>(meteringToken, { strict: false });
  return {
    ...service,
    metering,
    facts: new OnFactsOfOthers(metering),
    requests: new OnUsageRequested(metering),
    at: (now: string): void => {
      time.now = instant(now);
    },
    /** On a socket, for answers that do not end. */
    listen: (): Promise<string> => fastify.listen({ port: 0, host: '127.0.0.1' }),
    /** Does what is due by now, and what becomes due by that. */
    doDueWork: async (): Promise<void> => {
      const handlers = meteringService.dueWork?.(runtime) ?? {};
      for (let rounds = 0; ; rounds += 1) {
        await runtime.caughtUp();
        const items = await service.dueBy(time.now);
        if (items.length === 0) return;
        if (rounds > 20) throw new Error(`work is due again and again: ${JSON.stringify(items)}`);
        for (const item of items) await handlers[item.kind]?.(item);
      }
    },
    heard: service.told,
  };
};

const instant = (text: string): Instant => instantOfMs(epochMs(text as Instant));
