import { randomUUID } from 'node:crypto';
import {
  ANY,
  BACKWARDS,
  END,
  NO_STREAM,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
  type AppendExpectedRevision,
  type EventStoreDBClient,
  type ReadRevision,
} from '@eventstore/db-client';
import type { EventLog } from '../storage/event-log';
import { event, events, eventually, gather, readAllOf, readStreamOf, startBench, type Bench, type Seen } from './bench';

const outcomeOf = (append: Promise<unknown>): Promise<string> =>
  append.then(
    () => 'written',
    (error: unknown) => {
      if (error instanceof WrongExpectedVersionError) return 'conflict';
      if (error instanceof StreamDeletedError) return 'deleted';
      throw error;
    },
  );

/** Writers append to streams of their own until told to stop; resolves to all ids they were told are written. */
const startWriters = (client: EventStoreDBClient, count: number) => {
  let stopped = false;
  const written: string[] = [];
  const run = async (): Promise<void> => {
    const stream = `writer-${randomUUID()}`;
    let expectedRevision: AppendExpectedRevision = NO_STREAM;
    while (!stopped) {
      const batch = events(3);
      expectedRevision = (await client.appendToStream(stream, batch, { expectedRevision })).nextExpectedRevision;
      written.push(...batch.map(({ id }) => id));
    }
  };
  const running = Array.from({ length: count }, run);
  return {
    written,
    stop: async (): Promise<readonly string[]> => {
      stopped = true;
      await Promise.all(running);
      return written;
    },
  };
};

const revisionsOf = async (
  client: EventStoreDBClient,
  stream: string,
  options: { fromRevision?: ReadRevision; maxCount?: number; direction?: 'forwards' | 'backwards' },
): Promise<number[]> => {
  const revisions: number[] = [];
  for await (const { event: found } of client.readStream(stream, options)) revisions.push(Number(found?.revision));
  return revisions;
};

const isAscending = (positions: readonly bigint[]): boolean =>
  positions.every((position, index) => index === 0 || position > (positions[index - 1] ?? 0n));

/** What every log behind the server has to give. */
export const storeContract = (makeLog: () => EventLog): void => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await startBench(makeLog);
  });
  afterAll(() => bench.close());

  describe('an append', () => {
    const prepare: Record<string, (stream: string) => Promise<unknown>> = {
      absent: () => Promise.resolve(),
      filled: (stream) => bench.client.appendToStream(stream, events(3)),
      deleted: async (stream) => {
        await bench.client.appendToStream(stream, events(3));
        await bench.client.deleteStream(stream);
      },
      tombstoned: async (stream) => {
        await bench.client.appendToStream(stream, events(3));
        await bench.client.tombstoneStream(stream);
      },
    };

    it.each([
      ['absent', ANY, 'written'],
      ['absent', NO_STREAM, 'written'],
      ['absent', STREAM_EXISTS, 'conflict'],
      ['absent', 2n, 'conflict'],
      ['filled', ANY, 'written'],
      ['filled', NO_STREAM, 'conflict'],
      ['filled', STREAM_EXISTS, 'written'],
      ['filled', 2n, 'written'],
      ['filled', 1n, 'conflict'],
      ['filled', 3n, 'conflict'],
      ['deleted', ANY, 'written'],
      ['deleted', NO_STREAM, 'written'],
      ['deleted', STREAM_EXISTS, 'deleted'],
      ['deleted', 2n, 'written'],
      ['tombstoned', ANY, 'deleted'],
      ['tombstoned', NO_STREAM, 'deleted'],
      ['tombstoned', 2n, 'deleted'],
    ] as const)('to a stream that is %s, expecting %s, is %s', async (state, expectedRevision, outcome) => {
      const stream = `expecting-${randomUUID()}`;
      await prepare[state]?.(stream);
      const append = bench.client.appendToStream(stream, events(1), { expectedRevision });
      expect(await outcomeOf(append)).toBe(outcome);
    });

    it('lets exactly one of two racing writers win', async () => {
      const stream = `race-${randomUUID()}`;
      let expectedRevision: AppendExpectedRevision = NO_STREAM;
      for (let round = 0n; round < 200n; round++) {
        const racers = [event(1), event(2)].map((one) =>
          bench.client.appendToStream(stream, one, { expectedRevision }),
        );
        expect((await Promise.all(racers.map(outcomeOf))).sort()).toEqual(['conflict', 'written']);
        expectedRevision = round;
      }
      expect(await readStreamOf(bench.client, stream)).toHaveLength(200);
    });

    it('gives the first result again when it is repeated, also after a restart', async () => {
      const stream = `repeated-${randomUUID()}`;
      const first = events(3);
      const written = await bench.client.appendToStream(stream, first, { expectedRevision: NO_STREAM });
      await bench.client.appendToStream(stream, events(2), { expectedRevision: 2n });
      expect(await bench.client.appendToStream(stream, first, { expectedRevision: NO_STREAM })).toEqual(written);
      await bench.restart();
      expect(await bench.client.appendToStream(stream, first, { expectedRevision: NO_STREAM })).toEqual(written);
      const mixed = [...first.slice(0, 2), event(9)];
      const late = bench.client.appendToStream(stream, mixed, { expectedRevision: NO_STREAM });
      expect(await outcomeOf(late)).toBe('conflict');
      const elsewhere = bench.client.appendToStream(stream, first, { expectedRevision: 1n });
      expect(await outcomeOf(elsewhere)).toBe('conflict');
      expect(await readStreamOf(bench.client, stream)).toHaveLength(5);
    });

    it('of known ids without an expectation is a repetition in the same stream only', async () => {
      const [stream, other] = [`any-${randomUUID()}`, `any-${randomUUID()}`];
      const batch = events(2);
      const written = await bench.client.appendToStream(stream, batch);
      expect(await bench.client.appendToStream(stream, batch)).toEqual(written);
      await bench.client.appendToStream(other, batch);
      expect(await readStreamOf(bench.client, other)).toHaveLength(2);
    });

    it('takes names, types and payloads of any script', async () => {
      const stream = `어학연구소-0️⃣-ด้้-${randomUUID()}`;
      const sent = { ...event(1), type: 'größer 🎉', data: { text: '„ヽ༼ຈل͜ຈ༽ﾉ“' } };
      await bench.client.appendToStream(stream, sent);
      await bench.restart();
      for await (const { event: found } of bench.client.readStream(stream)) {
        expect(found).toMatchObject({ streamId: stream, type: sent.type, data: sent.data, id: sent.id });
      }
      const conflicting = bench.client.appendToStream(stream, event(2), { expectedRevision: 7n });
      expect(await outcomeOf(conflicting)).toBe('conflict');
      await expect(bench.client.deleteStream(stream, { expectedRevision: 7n })).rejects.toThrow(
        WrongExpectedVersionError,
      );
    });

    it('of up to a mebibyte is taken, and refused with the limit beyond that', async () => {
      const stream = `size-${randomUUID()}`;
      const sized = (bytes: number) => ({ ...event(1), type: 'sized', data: { text: 'x'.repeat(bytes) } });
      const overhead = JSON.stringify({ text: '' }).length + 'sized'.length * 2;
      await bench.client.appendToStream(stream, sized(1_048_576 - overhead));
      const tooLarge = bench.client.appendToStream(stream, sized(1_048_577 - overhead));
      await expect(tooLarge).rejects.toMatchObject({ type: 'maximum-append-size-exceeded', maxAppendSize: 1_048_576 });
      expect(await readStreamOf(bench.client, stream)).toHaveLength(1);
    });
  });

  describe('a read of a stream', () => {
    it.each([
      ['all of it', {}, [0, 1, 2, 3, 4]],
      ['from the middle', { fromRevision: 3n }, [3, 4]],
      ['past the end', { fromRevision: 9n }, []],
      ['one', { maxCount: 1 }, [0]],
      ['backwards from the end', { direction: BACKWARDS, fromRevision: END }, [4, 3, 2, 1, 0]],
      ['backwards from the middle', { direction: BACKWARDS, fromRevision: 2n, maxCount: 2 }, [2, 1]],
      ['backwards from past the end', { direction: BACKWARDS, fromRevision: 9n, maxCount: 2 }, [4, 3]],
    ] as const)('gives %s', async (_what, options, expected) => {
      const stream = `read-${randomUUID()}`;
      await bench.client.appendToStream(stream, events(5));
      expect(await revisionsOf(bench.client, stream, options)).toEqual(expected);
    });

    it('shows what metadata and deletion leave, also after a restart', async () => {
      const [counted, deleted, closed] = [
        `counted-${randomUUID()}`,
        `deleted-${randomUUID()}`,
        `closed-${randomUUID()}`,
      ];
      for (const stream of [counted, deleted, closed]) await bench.client.appendToStream(stream, events(5));
      await bench.client.setStreamMetadata(counted, { maxCount: 2 });
      await bench.client.deleteStream(deleted);
      await bench.client.tombstoneStream(closed);
      for (const again of [false, true]) {
        if (again) await bench.restart();
        expect(await revisionsOf(bench.client, counted, {})).toEqual([3, 4]);
        await expect(readStreamOf(bench.client, deleted)).rejects.toThrow(StreamNotFoundError);
        await expect(readStreamOf(bench.client, closed)).rejects.toThrow(StreamDeletedError);
      }
      await bench.client.appendToStream(deleted, events(1));
      expect(await revisionsOf(bench.client, deleted, {})).toEqual([5]);
    });
  });

  describe('the whole log', () => {
    it('has the order of the commits, the same at each read and after a restart', async () => {
      const told: { stream: string; position: bigint }[] = [];
      const lane = async (n: number): Promise<void> => {
        const stream = `order-${n}-${randomUUID()}`;
        for (let round = 0; round < 40; round++) {
          const { position } = await bench.client.appendToStream(stream, events(2));
          told.push({ stream, position: position?.commit ?? 0n });
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, n) => lane(n)));
      const first = await readAllOf(bench.client);
      expect(isAscending(first.map(({ position }) => position))).toBe(true);
      const streams = new Set(told.map(({ stream }) => stream));
      for (const stream of streams) {
        const own = first.filter((seen) => seen.stream === stream);
        expect(own.map(({ revision }) => Number(revision))).toEqual(Array.from({ length: 80 }, (_, n) => n));
        const ends = told.filter((one) => one.stream === stream).map(({ position }) => position);
        expect(own.filter((_, index) => index % 2 === 1).map(({ position }) => position)).toEqual(ends);
      }
      expect(await readAllOf(bench.client)).toEqual(first);
      await bench.restart();
      expect(await readAllOf(bench.client)).toEqual(first);
    });
  });

  describe('a subscription', () => {
    it('gives every event once and in order across history, live and resumption, while writers append', async () => {
      await bench.client.appendToStream(`history-${randomUUID()}`, events(500));
      const before = (await readAllOf(bench.client)).length;
      const writers = startWriters(bench.client, 8);
      const seen: Seen[] = [];
      for (let part = 1; part <= 4; part++) {
        const last = seen.at(-1)?.position;
        const fromPosition = last === undefined ? START : { commit: last, prepare: last };
        const subscription = bench.client.subscribeToAll({ fromPosition });
        const enough = before + part * 200;
        gather(subscription, seen);
        await eventually('enough events', () => seen.length >= enough);
        await subscription.unsubscribe();
      }
      await writers.stop();
      const subscription = bench.client.subscribeToAll({ fromPosition: lastPosition(seen) });
      gather(subscription, seen);
      const all = await readAllOf(bench.client);
      await eventually('the end of the log', () => seen.length >= all.length);
      await subscription.unsubscribe();
      expect(seen).toEqual(all);
    });

    it('that nobody reads from does not slow appends', async () => {
      const stalled = bench.client.subscribeToAll({ fromPosition: START });
      stalled.pause();
      const stream = `unhindered-${randomUUID()}`;
      for (let round = 0; round < 20; round++) await bench.client.appendToStream(stream, events(100));
      expect(await readStreamOf(bench.client, stream)).toHaveLength(2_000);
      await stalled.unsubscribe();
    });

    it('leaves no call behind', async () => {
      await bench.client.appendToStream(`open-${randomUUID()}`, events(1));
      await eventually('rest', () => bench.server.openCalls() === 1);
      const subscriptions = Array.from({ length: 10 }, (_, n) =>
        n % 2 === 0 ? bench.client.subscribeToAll() : bench.client.subscribeToStream(`not-yet-${n}`),
      );
      await eventually('the subscriptions', () => bench.server.openCalls() === 11);
      for (const subscription of subscriptions) await subscription.unsubscribe();
      await eventually('rest again', () => bench.server.openCalls() === 1);
      await bench.client.dispose();
      await eventually('no call at all', () => bench.server.openCalls() === 0);
      await bench.restart();
    });
  });

  describe('a persistent subscription', () => {
    it('goes on behind its checkpoint after a restart', async () => {
      const stream = `work-${randomUUID()}`;
      const settings = persistentSubscriptionToStreamSettingsFromDefaults({
        startFrom: START,
        checkPointUpperBound: 1,
      });
      await bench.client.createPersistentSubscriptionToStream(stream, 'workers', settings);
      await bench.client.appendToStream(stream, events(20));
      const take = async (until: number, taken: number[]): Promise<void> => {
        const subscription = bench.client.subscribeToPersistentSubscriptionToStream(stream, 'workers');
        for await (const resolved of subscription) {
          taken.push(Number(resolved.event?.revision));
          await subscription.ack(resolved);
          if (taken.length === until) break;
        }
        await eventually('the checkpoint', async () => {
          const { stats } = await bench.client.getPersistentSubscriptionToStreamInfo(stream, 'workers');
          return stats.lastCheckpointedEventRevision === BigInt(taken.at(-1) ?? -1);
        });
        await subscription.unsubscribe();
      };
      const taken: number[] = [];
      await take(10, taken);
      await bench.restart();
      await take(20, taken);
      expect(taken).toEqual(Array.from({ length: 20 }, (_, n) => n));
    });
  });
};

const lastPosition = (seen: readonly Seen[]) => {
  const position = seen.at(-1)?.position ?? 0n;
  return { commit: position, prepare: position };
};
