import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, status, type Metadata } from '@grpc/grpc-js';
import { jsonProposal } from './persistent/group-streams';
import { openGroups } from './persistent/groups';
import { openProjections } from './projections/system-projections';
import { createOpenCalls, type Authenticate } from './protocol/calls';
import { accessDenied, CallFailure, notAuthenticated } from './protocol/failures';
import { gossip } from './protocol/node-services';
import { servicesOf } from './services';
import type { EventLog } from './storage/event-log';
import { openEventStore, type EventStore } from './storage/event-store';

export interface EventStoreServerOptions {
  readonly log: EventLog;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer };
  /** Passwords by user; checked on TLS connections only, because clients send them on no other. */
  readonly credentials?: Readonly<Record<string, string>>;
  readonly maxAppendSizeBytes?: number;
}

export interface EventStoreServer {
  readonly port: number;
  readonly connectionString: string;
  /** Calls being served now; the standing append call of each client is one. */
  openCalls(): number;
  close(): Promise<void>;
}

/** The protocol's default limit for one append. */
const MAX_APPEND_SIZE_BYTES = 1_024 * 1_024;
/** Clients send up to 3 MiB at once, and more if told to. */
const MAX_MESSAGE_BYTES = 17 * 1_024 * 1_024;
const STOP_GRACE_MS = 1_000;

const ANONYMOUS = 'anonymous';

const authenticateBy =
  (credentials: EventStoreServerOptions['credentials']): Authenticate =>
  (metadata: Metadata) => {
    if (!credentials) return ANONYMOUS;
    const [header] = metadata.get('authorization');
    if (header === undefined) throw accessDenied();
    const [, encoded = ''] = String(header).split(' ');
    const [user = '', ...password] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    if (credentials[user] === undefined || credentials[user] !== password.join(':')) throw notAuthenticated();
    return user;
  };

const listen = (server: Server, address: string, credentials: ServerCredentials): Promise<number> =>
  new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port)));
  });

const shutDown = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => server.forceShutdown(), STOP_GRACE_MS);
    server.tryShutdown(() => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Each start is a fact of the log, as a change of the leader is in a cluster. */
const recordStart = async (store: EventStore, instanceId: string): Promise<void> => {
  await store.append('$epoch-information', [jsonProposal('$EpochInformation', { leaderInstanceId: instanceId })]);
};

const openParts = async (log: EventLog, instanceId: string) => {
  const store = await openEventStore(log);
  try {
    await recordStart(store, instanceId);
    return { store, groups: await openGroups(store), projections: await openProjections(store) };
  } catch (error) {
    await store.close();
    throw error;
  }
};

/** An embedded single node that speaks EventStoreDB's gRPC protocol. For development and tests, not a cluster. */
export const startEventStoreServer = async (options: EventStoreServerOptions): Promise<EventStoreServer> => {
  const { log, host = '127.0.0.1', tls, credentials } = options;
  const instanceId = randomUUID();
  const parts = await openParts(log, instanceId);
  const calls = createOpenCalls();
  const closeParts = async (): Promise<void> => {
    await Promise.all([parts.groups.stop(), parts.projections.stop()]);
    await parts.store.close();
  };
  let port = 0;
  const services = servicesOf({
    ...parts,
    context: { calls, authenticate: authenticateBy(tls ? credentials : undefined) },
    limits: { maxAppendSizeBytes: options.maxAppendSizeBytes ?? MAX_APPEND_SIZE_BYTES },
    member: () => gossip(instanceId, host, port),
  });
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
  });
  for (const { definition, implementation } of services) server.addService(definition, implementation);
  const security = tls
    ? ServerCredentials.createSsl(null, [{ private_key: tls.key, cert_chain: tls.cert }])
    : ServerCredentials.createInsecure();
  try {
    port = await listen(server, `${host}:${options.port ?? 0}`, security);
  } catch (error) {
    await closeParts();
    throw error;
  }
  return {
    port,
    connectionString: `esdb://${host}:${port}?tls=${tls ? 'true' : 'false'}`,
    openCalls: calls.count,
    close: async () => {
      // Clients take this status for a stop of the server and connect again.
      calls.abort(new CallFailure(status.CANCELLED, 'the server is stopping'));
      await shutDown(server);
      await closeParts();
    },
  };
};
