import type { FastifyReply } from 'fastify';
import { once } from 'node:events';

/** One server-sent event. `id` is what a client that reconnects sends back as Last-Event-ID. */
export type ServerSentEvent = { readonly id: string; readonly event: string; readonly data: object };

export type EventStreamOptions = {
  /** Ends the stream from this side. */
  readonly signal: AbortSignal;
  readonly heartbeatMs?: number;
};

/** Half of what the gateway waits for between two bytes. */
const heartbeatMsDefault = 15_000;

/**
 * Answers with server-sent events until the client leaves or the source ends. The source is asked for the next events
 * only when the client has taken those before, so a slow client costs no memory. A comment now and then keeps proxies
 * from taking silence for death.
 */
export const sendEventStream = async (
  reply: FastifyReply,
  source: (signal: AbortSignal) => AsyncIterable<readonly ServerSentEvent[]>,
  { signal, heartbeatMs = heartbeatMsDefault }: EventStreamOptions,
): Promise<void> => {
  reply.hijack();
  const { raw } = reply;
  const gone = new AbortController();
  raw.once('close', () => {
    gone.abort();
  });
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    // A server that closes waits for connections that are kept alive.
    connection: 'close',
  });
  raw.write('retry: 2000\n\n');
  const heartbeat = setInterval(() => raw.write(': still here\n\n'), heartbeatMs);
  const ended = AbortSignal.any([gone.signal, signal]);
  try {
    for await (const events of source(ended)) {
      if (ended.aborted) break;
      const isTaken = raw.write(events.map(written).join(''));
      if (!isTaken) await once(raw, 'drain', { signal: ended });
    }
  } catch (error) {
    if (!ended.aborted) throw error;
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
};

const written = ({ id, event, data }: ServerSentEvent): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
