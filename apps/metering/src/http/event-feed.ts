import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { ProblemException, type ServerSentEvent, headerOf, sendEventStream } from '@billstream/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidField } from './problems';

const listenersMax = 200;

export type FeedParts = {
  readonly store: Pick<EventStore, 'head' | 'subscribe'>;
  readonly prefixes: readonly string[];
};

export type Listening = {
  readonly tenantId: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Null: this event is not news to the listener. */
  readonly newsOf: (recorded: RecordedEvent) => Omit<ServerSentEvent, 'id'> | null;
};

/**
 * Events of the log as server-sent events, each listener those of its tenant: from now on, or from where its
 * Last-Event-ID says that it broke off. Their ids are positions of the log, so any process can go on for any other.
 */
export const eventFeed = ({ store, prefixes }: FeedParts) => {
  const ending = new AbortController();
  let listeners = 0;
  const news = async function* (
    { tenantId, newsOf }: Listening,
    after: bigint,
    signal: AbortSignal,
  ): AsyncIterable<readonly ServerSentEvent[]> {
    for await (const { events } of store.subscribe({ after: after < 0n ? null : after, prefixes, signal }))
      yield events
        .filter(({ metadata }) => metadata.tenantId === tenantId)
        .flatMap((recorded) => {
          const one = newsOf(recorded);
          return one === null ? [] : [{ id: String(recorded.position), ...one }];
        });
  };
  return {
    /** Ends all streams: a server that stops does not wait for those who listen. */
    end: (): void => {
      ending.abort();
    },
    listen: async (listening: Listening): Promise<void> => {
      const after = lastEventId(listening.request) ?? (await store.head());
      if (listeners >= listenersMax)
        throw new ProblemException({ status: 503, code: 'too-many-listeners', detail: 'Too many listen already' });
      listeners += 1;
      const source = (signal: AbortSignal) => news(listening, after, signal);
      await sendEventStream(listening.reply, source, { signal: ending.signal }).finally(() => {
        listeners -= 1;
      });
    },
  };
};

const lastEventId = (request: FastifyRequest): bigint | null => {
  const text = headerOf(request, 'last-event-id');
  if (text === undefined || text === '') return null;
  if (!/^\d{1,19}$/.test(text)) throw invalidField('header:Last-Event-ID', 'is the id of an event of this stream');
  return BigInt(text);
};
