import { type Instant, instantOfMs, parseInstant } from '@billstream/kernel';
import { serviceUnderTest } from '@billstream/service-runtime/testing';
import type { InjectOptions } from 'fastify';
import { invoicingService } from '../index';
import { OnFactsTold } from '../reactions/on-facts-told';
import { OnFamily } from '../reactions/on-family';
import { OnOverdueFacts } from '../reactions/on-overdue-facts';

/** The service over the memory store, a real database and a clock that stands until it is moved. */
export const invoicingUnderTest = async (startsAt: string) => {
  const time = { now: at(startsAt) };
  const service = await serviceUnderTest(invoicingService, { now: () => time.now });
  const { app, runtime } = service;
  return {
    ...service,
    reactions: app.get(OnFactsTold, { strict: false }),
    family: app.get(OnFamily, { strict: false }),
    overdue: app.get(OnOverdueFacts, { strict: false }),
    call: (
      method: 'GET' | 'POST' | 'PUT' | 'DELETE',
      url: string,
      options: InjectOptions & { readonly tenant?: string } = {},
    ) => service.call({ method, url: `/1.0/kb${url}`, ...options }),
    /** Does what falls due until then, each at its own time. */
    moveTo: async (when: string): Promise<void> => {
      await runtime.caughtUp();
      const handlers = invoicingService.dueWork?.(runtime) ?? {};
      for (let [item] = await service.dueBy(at(when)); item !== undefined; [item] = await service.dueBy(at(when))) {
        time.now = item.dueAt;
        await handlers[item.kind]?.(item);
        await runtime.caughtUp();
      }
      time.now = at(when);
    },
  };
};

export const at = (text: string): Instant => {
  const instant = parseInstant(text);
  if (instant === null) throw new RangeError(text);
  return instantOfMs(Date.parse(instant));
};
