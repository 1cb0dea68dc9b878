import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, type AllStreamSubscription, type JSONEventData } from '@eventstore/db-client';
import { startEventStoreServer, type EventStoreServer } from '../server';
import type { EventLog } from '../storage/event-log';

const DEADLINE_MS = 20_000;

/** Polls until the condition holds; fails loudly at the deadline. */
export const eventually = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

export const event = (n: number, id: string = randomUUID()): JSONEventData =>
  jsonEvent({ id, type: 'counted', data: { n } });

export const events = (count: number): JSONEventData[] => Array.from({ length: count }, (_, n) => event(n));

export const clientOf = (connectionString: string): EventStoreDBClient =>
  EventStoreDBClient.connectionString([connectionString] as unknown as TemplateStringsArray);

/** A server with its only client. The client keeps books for the whole process, so there is one at a time. */
export interface Bench {
  readonly server: EventStoreServer;
  readonly client: EventStoreDBClient;
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const startBench = async (makeLog: () => EventLog): Promise<Bench> => {
  let server = await startEventStoreServer({ log: makeLog() });
  let client = clientOf(server.connectionString);
  const close = async (): Promise<void> => {
    await client.dispose();
    await server.close();
  };
  return {
    get server() {
      return server;
    },
    get client() {
      return client;
    },
    close,
    restart: async () => {
      await close();
      server = await startEventStoreServer({ log: makeLog() });
      client = clientOf(server.connectionString);
    },
  };
};

export interface Seen {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
  readonly id: string;
}

/** Keeps what a subscription delivers, users' events only. */
export const gather = (subscription: AllStreamSubscription, into: Seen[]): { failure(): Error | undefined } => {
  let failure: Error | undefined;
  subscription.on('error', (error) => (failure = error));
  subscription.on('data', ({ event: found }) => {
    if (!found || found.streamId.startsWith('$')) return;
    const { streamId: stream, revision, id, position } = found;
    into.push({ stream, revision, id, position: position.commit });
  });
  return { failure: () => failure };
};

export const readAllOf = async (client: EventStoreDBClient): Promise<Seen[]> => {
  const seen: Seen[] = [];
  for await (const { event: found } of client.readAll()) {
    if (!found || found.streamId.startsWith('$')) continue;
    seen.push({ stream: found.streamId, revision: found.revision, id: found.id, position: found.position.commit });
  }
  return seen;
};

export const readStreamOf = async (client: EventStoreDBClient, stream: string): Promise<Seen[]> => {
  const seen: Seen[] = [];
  for await (const { event: found } of client.readStream(stream)) {
    if (found) seen.push({ stream, revision: found.revision, id: found.id, position: found.position?.commit ?? 0n });
  }
  return seen;
};
