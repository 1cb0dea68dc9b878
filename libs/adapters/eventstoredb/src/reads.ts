import {
  BACKWARDS,
  END,
  type EventStoreDBClient,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
  type StreamingRead,
} from '@eventstore/db-client';
import type { EventStore, RecordedEvent, SubscriptionPage } from '@billstream/event-sourcing';
import { recordedEvent } from './recorded';

/** Some seconds without an event: the call is given up and the read begun again. */
const silenceMsMax = 10_000;

/** Hands over each event until there are no more or `take` says stop; the call is over when this settles. */
const drain = <T extends ResolvedEvent>(
  call: StreamingRead<T>,
  take: (resolved: T) => 'more' | 'stop',
): Promise<'end' | 'stopped'> =>
  new Promise((resolve, reject) => {
    let isOver = false;
    const finish = (settle: () => void): void => {
      if (isOver) return;
      isOver = true;
      clearInterval(watch);
      settle();
    };
    const give = (settle: () => void): void => {
      finish(() => {
        call
          .cancel()
          .catch(() => undefined)
          .finally(settle);
      });
    };
    let silent = true;
    const watch = setInterval(() => {
      if (silent)
        give(() => {
          reject(new Error('the event store went silent during a read'));
        });
      silent = true;
    }, silenceMsMax);
    call.on('data', (resolved: T) => {
      silent = false;
      if (!isOver && take(resolved) === 'stop')
        give(() => {
          resolve('stopped');
        });
    });
    call.on('end', () => {
      finish(() => {
        resolve('end');
      });
    });
    // Stays attached: a cancelled call still reports its cancellation.
    call.on('error', (error) => {
      finish(() => {
        reject(error);
      });
    });
  });

export const readStream = (
  client: EventStoreDBClient,
  stream: string,
  from: bigint,
  max: number,
): Promise<readonly RecordedEvent[]> =>
  collect(client.readStream(stream, { fromRevision: from, maxCount: max }, { highWaterMark: 256 }));

/** The end of a stream, oldest event first. */
export const readLast = async (
  client: EventStoreDBClient,
  stream: string,
  max: number,
): Promise<readonly RecordedEvent[]> => {
  if (max <= 0) return [];
  const call = client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: max });
  return [...(await collect(call))].reverse();
};

const collect = async (call: StreamingRead<ResolvedEvent>): Promise<readonly RecordedEvent[]> => {
  const events: RecordedEvent[] = [];
  try {
    await drain(call, (resolved) => {
      const event = recordedEvent(resolved);
      if (event) events.push(event);
      return 'more';
    });
  } catch (error) {
    if (error instanceof StreamNotFoundError) return [];
    throw error;
  }
  return events;
};

const positionOf = ({ commitPosition, event }: ResolvedEvent): bigint | undefined =>
  commitPosition ?? event?.position?.commit;

type ReadAll = Parameters<EventStore['readAll']>[0];

/** The server filters subscriptions only, so events of other streams are dropped here. */
export const readAll = async (
  client: EventStoreDBClient,
  { after, prefixes, max = 10_000 }: ReadAll,
): Promise<SubscriptionPage> => {
  const events: RecordedEvent[] = [];
  let position = after ?? -1n;
  if (max <= 0) return { events, position, caughtUp: false };
  // A read starts at the event of its position, a subscription after it; ours is "after".
  const fromPosition = position < 0n ? START : { commit: position, prepare: position };
  const outcome = await drain(client.readAll({ fromPosition }, { highWaterMark: 256 }), (resolved) => {
    const at = positionOf(resolved) ?? position;
    if (at <= position) return 'more';
    position = at;
    const event = recordedEvent(resolved);
    if (event && prefixes.some((prefix) => event.stream.startsWith(prefix))) events.push(event);
    return events.length === max ? 'stop' : 'more';
  });
  return { events, position, caughtUp: outcome === 'end' };
};

export const readHead = async (client: EventStoreDBClient): Promise<bigint> => {
  let head = -1n;
  await drain(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }), (resolved) => {
    head = positionOf(resolved) ?? head;
    return 'more';
  });
  return head;
};
