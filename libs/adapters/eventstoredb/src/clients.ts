import { EventStoreDBClient } from '@eventstore/db-client';
import type { Logger } from 'pino';
import { decodeProposedNatively } from './proposed-bytes';

const open = new Map<string, { readonly client: EventStoreDBClient; users: number }>();

/**
 * One client per process and connection string: the client keeps the pending appends of all its instances in one table,
 * so that an error of one instance fails the appends of every other. Two connection strings at once are worth a warning
 * for the same reason.
 */
export const takeClient = (connectionString: string, logger?: Logger): EventStoreDBClient => {
  const known = open.get(connectionString);
  if (known) {
    known.users += 1;
    return known.client;
  }
  if (open.size > 0) logger?.warn({ clients: open.size + 1 }, 'more than one event store client in this process');
  decodeProposedNatively();
  const client = EventStoreDBClient.connectionString(connectionString);
  open.set(connectionString, { client, users: 1 });
  return client;
};

/** Ends the client's calls and connection when its last user has gone. */
export const releaseClient = async (connectionString: string): Promise<void> => {
  const known = open.get(connectionString);
  if (!known) return;
  known.users -= 1;
  if (known.users > 0) return;
  open.delete(connectionString);
  await known.client.dispose();
};
