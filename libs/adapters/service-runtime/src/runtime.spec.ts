import {
  type CommandContext,
  type Decider,
  accept,
  commandHandler,
  defineSchema,
  memoryEventStore,
} from '@billstream/event-sourcing';
import { instantOfMs } from '@billstream/kernel';
import { setTimeout as sleep } from 'node:timers/promises';
import { onePerSchema, passed } from './runtime';

type Claimed = { readonly type: 'Claimed'; readonly data: { readonly by: string } };

const claim: Decider<string, Claimed, string | null, { readonly code: 'taken' }> = {
  initial: null,
  decide: (by) => accept({ type: 'Claimed', data: { by } }),
  evolve: (_before, { data }) => data.by,
};
const shelfSchema = defineSchema<Claimed>({ Claimed: 'shelf.claimed.v1' });
const bookSchema = defineSchema<Claimed>({ Claimed: 'book.claimed.v1' });

const contextOf = (commandId: string): CommandContext => ({
  commandId,
  tenantId: 't',
  actor: { createdBy: 'tester' },
  at: instantOfMs(0),
  correlationId: commandId,
});

describe('the loops of a service', () => {
  it('are one for all who ask for the same', () => {
    const store = memoryEventStore();
    const handle = onePerSchema((decider, schema) => commandHandler({ store, decider, schema }));
    expect(handle(claim, shelfSchema)).toBe(handle(claim, shelfSchema));
  });

  it('name events by the schema that was asked for, where streams of two kinds share a decider', async () => {
    const store = memoryEventStore();
    const handle = onePerSchema((decider, schema) => commandHandler({ store, decider, schema }));
    await handle(claim, shelfSchema)('shelf-1', 'one', contextOf('1'));
    await handle(claim, bookSchema)('book-1', 'two', contextOf('2'));
    const types = async (stream: string) => (await store.read(stream)).map(({ type }) => type);
    expect(await types('shelf-1')).toEqual(['shelf.claimed.v1']);
    expect(await types('book-1')).toEqual(['book.claimed.v1']);
  });
});

describe('a position of the read models', () => {
  /** Read models that are one position further at each look, up to `end`. */
  const movingTo = (end: bigint) => {
    let [at, looks] = [0n, 0];
    return {
      progress: () => ({ position: at, caughtUp: false, lagMs: 0, events: 0, isActive: true }),
      visible: (position: bigint) => {
        looks += 1;
        if (at < end) at += 1n;
        return Promise.resolve(at >= position);
      },
      looks: () => looks,
    };
  };

  it('is waited for as long as they move', async () => {
    const models = movingTo(9n);
    expect(await passed(models, 5n, { withinMs: 1 })).toBe(true);
    expect(models.looks()).toBe(5);
  });

  it('is given up once they stand', async () => {
    const models = movingTo(3n);
    expect(await passed(models, 5n, { withinMs: 1 })).toBe(false);
    expect(models.looks()).toBe(4);
  });

  it('is given up when the time is over, though they move', async () => {
    const asked: number[] = [];
    let position = 0n;
    const models = {
      progress: () => ({ position, caughtUp: false, lagMs: 0, events: 0, isActive: true }),
      visible: async (_: bigint | null, ms: number) => {
        asked.push(ms);
        await sleep(ms);
        position += 1n;
        return false;
      },
    };
    expect(await passed(models, 1_000_000n, { withinMs: 40, mostMs: 60 })).toBe(false);
    expect(asked.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(61);
  });
});
