import { memoryEventStore, type PublicEvent, type StoredEvent } from '@billstream/event-sourcing';
import { type Instant, newId } from '@billstream/kernel';
import { pino } from 'pino';
import { eventually } from '@billstream/testing';
import { type Bus, type Fence, PublishFailed } from './bus';
import { fenceRaiser } from './fences';
import { isFence } from './message';
import { relay } from './relay';
import type { RelayCheckpoint } from './relay-checkpoint';

const at = '2026-03-01T10:00:00.000Z' as Instant;
const stored = (number: number): StoredEvent => ({
  id: newId(),
  type: 'account.updated.v1',
  data: { number },
  metadata: {
    $correlationId: 'c',
    $causationId: 'c',
    commandId: 'c',
    tenantId: 't',
    actor: { createdBy: 'x' },
    at,
    recordedAt: at,
  },
});

/** A bus that remembers what it confirmed, and fails when told to. */
const recordingBus = () => {
  const confirmed: (PublicEvent | Fence)[] = [];
  let failures = 0;
  const bus: Bus = {
    partitions: 4,
    publish: (messages) => {
      if (failures > 0) {
        failures -= 1;
        return Promise.reject(new PublishFailed('told to'));
      }
      confirmed.push(...messages);
      return Promise.resolve();
    },
    consume: () => {
      throw new Error('nobody consumes here');
    },
    notice: () => undefined,
    connected: () => true,
    close: () => Promise.resolve(),
  };
  return { bus, confirmed, fail: (times: number) => (failures = times) };
};

const memoryCheckpoint = (): RelayCheckpoint & { readonly positions: bigint[] } => {
  const positions: bigint[] = [];
  return {
    positions,
    load: () => Promise.resolve(positions.at(-1) ?? null),
    store: (position) => Promise.resolve(void positions.push(position)),
    exclusively: (signal, work) => work(signal),
  };
};

const start = (
  store = memoryEventStore(),
  checkpoint = memoryCheckpoint(),
  pace: { readonly pageSize: number; readonly busyPauseMs?: number } = { pageSize: 3 },
) => {
  const recording = recordingBus();
  const stopping = new AbortController();
  const running = relay({
    service: 'accounts',
    store,
    prefixes: ['account-'],
    publication: ({ data, stream }) =>
      'secret' in data
        ? []
        : [
            { type: 'accounts.a.v1', key: stream, data },
            { type: 'accounts.b.v1', key: stream, data },
          ],
    bus: recording.bus,
    checkpoint,
    signal: stopping.signal,
    logger: pino({ level: 'silent' }),
    ...pace,
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running.done;
  };
  return { store, checkpoint, stop, ...recording, ...running };
};

describe('the relay', () => {
  it('publishes what its service says of its own streams, in log order', async () => {
    const { store, confirmed, stop } = start();
    await store.append('account-a', 'none', [stored(0), stored(1)]);
    await store.append('invoice-a', 'none', [stored(2)]);
    await store.append('account-b', 'none', [{ ...stored(3), data: { secret: true } }, stored(4)]);
    await eventually(() => confirmed.length === 6);
    expect(confirmed.map((message) => ('data' in message ? [message.type, message.data] : []))).toEqual(
      [0, 1, 4].flatMap((number) => ['accounts.a.v1', 'accounts.b.v1'].map((type) => [type, { number }])),
    );
    await stop();
  });

  it('lets the pages of a busy log fill, and those of a quiet one go at once', async () => {
    const { store, confirmed, stop } = start(memoryEventStore(), memoryCheckpoint(), {
      pageSize: 100,
      busyPauseMs: 3_600_000,
    });
    const append = async (name: string, count: number): Promise<void> => {
      await store.append(
        `account-${name}`,
        'none',
        Array.from({ length: count }, (_, number) => stored(number)),
      );
    };
    for (const [index, name] of ['one', 'another'].entries()) {
      await append(name, 1);
      await eventually(() => confirmed.length === 2 * (index + 1));
    }
    await append('many', 10);
    await eventually(() => confirmed.length === 24);
    await append('later', 1);
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
    expect(confirmed).toHaveLength(24);
    await stop();
  });

  it('publishes a page again until it is confirmed, and stores no position before', async () => {
    const { store, confirmed, fail, stop, checkpoint, progress } = start();
    fail(2);
    await store.append('account-a', 'none', [stored(0), stored(1), stored(2), stored(3)]);
    expect(checkpoint.positions).toEqual([]);
    await eventually(() => confirmed.length === 8);
    expect(confirmed.map((message) => (isFence(message) ? '' : message.revision))).toEqual([
      '0',
      '0',
      '1',
      '1',
      '2',
      '2',
      '3',
      '3',
    ]);
    await stop();
    expect(checkpoint.positions.at(-1)).toBe(3n);
    expect(progress()).toMatchObject({ position: 3n, caughtUp: true, messages: 8 });
  });

  it('passes fences on between the events they stand between, whoever raised them', async () => {
    const { store, confirmed, stop } = start();
    const raise = fenceRaiser(store);
    const raiseElsewhere = fenceRaiser(store);
    await store.append('account-a', 'none', [stored(0)]);
    const first = await raise();
    const second = await raiseElsewhere();
    await store.append('account-a', 0n, [stored(1)]);
    const [third, same] = await Promise.all([raise(), raise()]);
    expect(third).toEqual(same);
    await eventually(() => confirmed.filter(isFence).length === 3);
    expect(confirmed.map((message) => (isFence(message) ? message.position : 'event'))).toEqual([
      'event',
      'event',
      String(first.position),
      String(second.position),
      'event',
      'event',
      String(third.position),
    ]);
    await stop();
  });
});
