import { type EventStore, commandHandler } from '@billstream/event-sourcing';
import type { RequestContext } from '@billstream/http';
import { type Instant, newId } from '@billstream/kernel';
import { usageBackfillStream } from '@billstream/metering-domain';
import { usageQuarters } from '@billstream/metering-read-models';
import type { ServiceRuntime } from '@billstream/service-runtime';
import { meteringOf } from '../metering';
import { meteringWithTenant } from '../testing/metering-over-http';
import { commitBackfill, revertBackfill } from './end-backfill';
import { knownBackfill } from './find-backfill';
import { stagePart } from './stage-part';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
beforeAll(async () => {
  system = await meteringWithTenant('2024-05-10T12:00:00.000Z');
}, 30_000);
afterAll(() => system.close());

const span = { fromAt: '2024-05-01T00:00:00.000Z' as Instant, toAt: '2024-05-08T00:00:00.000Z' as Instant };
const large = 'x'.repeat(240);

/** A process that dies at its n-th append, before it or after it. */
const processDyingAt = (
  n: number,
  isAfter: boolean,
): { readonly runtime: ServiceRuntime; readonly died: () => boolean } => {
  const { store: inner } = system;
  let appends = 0;
  const store: EventStore = {
    ...inner,
    append: async (stream, expected, events) => {
      appends += 1;
      if (appends > n || (appends === n && !isAfter)) throw new Error('killed');
      const appended = await inner.append(stream, expected, events);
      if (appends === n) throw new Error('killed');
      return appended;
    },
  };
  const runtime: ServiceRuntime = {
    ...system.runtime,
    store,
    handle: (decider, schema) => commandHandler({ store, decider, schema }),
  };
  return { runtime, died: () => appends >= n };
};

const total = async (user: string): Promise<number> => {
  await system.runtime.caughtUp();
  const quarters = await usageQuarters(system.database, { tenantId: system.tenantId, user, unit: 'analytics' }, span);
  return quarters.reduce((sum, quarter) => sum + Number(quarter.sum), 0);
};

const requestOf = (commandId: string): RequestContext => ({
  ...{ tenantId: system.tenantId, user: 'admin', actor: { createdBy: 'test' }, correlationId: 'c', commandId },
});

/** What a client does: every request has a name, and is sent again by it when no answer comes. */
const client = async (user: string) => {
  const backfillId = newId();
  const opened = { backfillId, name: 'n', reason: 'r', mode: 'REPLACE' as const, units: ['analytics'], users: [user] };
  const metering = meteringOf(system.runtime);
  const context = { ...requestOf(newId()), at: system.runtime.clock.now(system.tenantId) };
  const own = usageBackfillStream(system.tenantId, backfillId);
  await metering.backfill(own, { type: 'Open', opened: { ...opened, ...span } }, context);
  const batchOf = (part: number) =>
    Array.from({ length: 1_000 }, (_, n) => ({
      ...{
        unit: 'analytics',
        user,
        amount: 1,
        time: '2024-05-03T00:00:00Z',
        source: large,
        id: `${part} ${n} ${large}`,
      },
    }));
  const names = { commit: newId(), revert: newId() };
  const on = async (runtime: ServiceRuntime) => {
    const process = meteringOf(runtime);
    const backfill = (await knownBackfill(process, system.tenantId, backfillId))!;
    return {
      stage: (part: number) =>
        stagePart(process, {
          ...{ context: requestOf(newId()), backfill, part: String(part), batch: batchOf(part), form: 'OWN' },
        }),
      commit: () => commitBackfill(process, { context: requestOf(names.commit), backfill }),
      revert: () => revertBackfill(process, { context: requestOf(names.revert), backfill }, 'r'),
    };
  };
  return { on };
};

describe.each([
  ['before', false],
  ['after', true],
])('a process that dies %s an append', (_, isAfter) => {
  it('loses and doubles nothing of a backfill: until the commit none of it counts, then all does', async () => {
    let deaths = 0;
    for (let n = 1; ; n += 1) {
      const user = `${String(isAfter)} ${n}`;
      const direct = { unit: 'analytics', user, amount: 7, time: '2024-05-02T00:00:00Z', id: newId() };
      await system.metering.ingest({ tenantId: system.tenantId, batch: [direct], requestKey: null });
      const { on } = await client(user);
      const { runtime, died } = processDyingAt(n, isAfter);
      const first = await on(runtime);
      const isDone = { commit: false };
      try {
        await first.stage(1);
        await first.stage(2);
        expect(await total(user)).toBe(7);
        await first.commit();
        isDone.commit = true;
        await first.revert();
      } catch (error) {
        expect(error).toEqual(new Error('killed'));
      }
      deaths += died() ? 1 : 0;
      const seen = await total(user);
      expect([7, 2_000]).toContain(seen);
      const second = await on(system.runtime);
      if (!isDone.commit) {
        await second.stage(1);
        await second.stage(2);
        await second.commit();
        expect(await total(user)).toBe(2_000);
      }
      await second.revert();
      expect(await total(user)).toBe(7);
      if (!died()) break;
    }
    // Two pieces and a name for each of two parts, a seal, a commit that first finds its stream longer than it knew, a revert.
    expect(deaths).toBe(10);
  }, 60_000);
});
