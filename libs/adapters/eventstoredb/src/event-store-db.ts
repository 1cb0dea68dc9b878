import { type EventData, type EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import type { Appended, EventStore, ExpectedRevision } from '@billstream/event-sourcing';
import type { Logger } from 'pino';
import { releaseClient, takeClient } from './clients';
import { appendFailure, retryRead } from './failures';
import { readAll, readHead, readLast, readStream } from './reads';
import { eventData } from './recorded';
import { subscription } from './subscription';

export type EventStoreDbOptions = {
  /** e.g. `esdb://127.0.0.1:2113?tls=false` */
  readonly connectionString: string;
  readonly logger?: Logger;
  /** The client enforces no deadline of an append itself. After this time its outcome counts as unknown. */
  readonly appendTimeoutMs?: number;
};

const appendTimeoutMsDefault = 5_000;

/** The port over EventStoreDB's official client, with what it does not do itself; see the README beside it. */
export const eventStoreDb = (options: EventStoreDbOptions): EventStore & { close(): Promise<void> } => {
  const { connectionString, logger, appendTimeoutMs = appendTimeoutMsDefault } = options;
  const client = takeClient(connectionString, logger);
  const closing = new AbortController();
  let closed: Promise<void> | undefined;
  return {
    read: (stream, from = 0n, max = Number.MAX_SAFE_INTEGER) => retryRead(() => readStream(client, stream, from, max)),
    readLast: (stream, max) => retryRead(() => readLast(client, stream, max)),
    append: async (stream, expected, events) => {
      const data = events.map(eventData);
      try {
        return await append(client, { stream, expected, data, appendTimeoutMs });
      } catch (error) {
        throw appendFailure(error, stream, expected);
      }
    },
    subscribe: (choices) =>
      subscription(client, { ...choices, signal: AbortSignal.any([choices.signal, closing.signal]) }, logger),
    readAll: (choices) => retryRead(() => readAll(client, choices)),
    head: () => retryRead(() => readHead(client)),
    close: () => {
      closing.abort();
      return (closed ??= releaseClient(connectionString));
    },
  };
};

type Append = {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly data: EventData[];
  readonly appendTimeoutMs: number;
};

const append = async (
  client: EventStoreDBClient,
  { stream, expected, data, appendTimeoutMs }: Append,
): Promise<Appended> => {
  const answer = client.appendToStream(stream, data, {
    expectedRevision: expected === 'none' ? NO_STREAM : expected,
    deadline: appendTimeoutMs,
  });
  const { nextExpectedRevision, position } = await within(appendTimeoutMs, answer);
  return { revision: nextExpectedRevision, position: position?.commit ?? -1n };
};

const within = async <T>(ms: number, answer: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the event store did not answer within ${ms} ms`));
    }, ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    // An answer that fails after its time must not count as unhandled.
    answer.catch(() => undefined);
  }
};
