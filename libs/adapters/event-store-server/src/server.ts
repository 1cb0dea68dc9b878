import { randomUUID } from 'node:crypto';
import {
  Server,
  ServerCredentials,
  status,
  type Metadata,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { beginAppend, remove, type AppendLimits } from './protocol/append-service';
import { batchAppend } from './protocol/batch-append-service';
import {
  answering,
  collecting,
  conversing,
  createOpenCalls,
  method,
  unary,
  type Authenticate,
  type CallContext,
} from './protocol/calls';
import { accessDenied, CallFailure, notAuthenticated } from './protocol/failures';
import { gossip, supportedMethods, type ServedMethod } from './protocol/node-services';
import { read } from './protocol/read-service';
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

interface Service {
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

const path = (service: string, name: string): string => `/${service}/${name}`;

const STREAMS = 'event_store.client.streams.Streams';
const FEATURES = 'event_store.client.server_features.ServerFeatures';
const GOSSIP = 'event_store.client.gossip.Gossip';

const streamsService = (store: EventStore, context: CallContext, limits: AppendLimits): Service => ({
  name: STREAMS,
  definition: {
    Read: method(path(STREAMS, 'Read'), false, true),
    Append: method(path(STREAMS, 'Append'), true, false),
    BatchAppend: method(path(STREAMS, 'BatchAppend'), true, true),
    Delete: method(path(STREAMS, 'Delete'), false, false),
    Tombstone: method(path(STREAMS, 'Tombstone'), false, false),
  },
  implementation: {
    Read: answering(context, read(store)),
    Append: collecting(context, () => beginAppend(store, limits)),
    BatchAppend: conversing(context, batchAppend(store, limits)),
    Delete: unary(context, (request) => remove(store, 'delete', request)),
    Tombstone: unary(context, (request) => remove(store, 'tombstone', request)),
  },
});

const nodeServices = (context: CallContext, served: () => readonly ServedMethod[], member: () => Buffer): Service[] => {
  // A client asks these before it knows whom it talks to.
  const open = { ...context, authenticate: () => ANONYMOUS };
  return [
    {
      name: FEATURES,
      definition: { GetSupportedMethods: method(path(FEATURES, 'GetSupportedMethods'), false, false) },
      implementation: { GetSupportedMethods: unary(open, () => supportedMethods(served())) },
    },
    {
      name: GOSSIP,
      definition: { Read: method(path(GOSSIP, 'Read'), false, false) },
      implementation: { Read: unary(open, member) },
    },
  ];
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

/** An embedded single node that speaks EventStoreDB's gRPC protocol. For development and tests, not a cluster. */
export const startEventStoreServer = async (options: EventStoreServerOptions): Promise<EventStoreServer> => {
  const { log, host = '127.0.0.1', tls, credentials } = options;
  const store = await openEventStore(log);
  const calls = createOpenCalls();
  const context = { calls, authenticate: authenticateBy(tls ? credentials : undefined) };
  const limits = { maxAppendSizeBytes: options.maxAppendSizeBytes ?? MAX_APPEND_SIZE_BYTES };
  const instanceId = randomUUID();
  let port = 0;
  const served = (): ServedMethod[] =>
    services.flatMap(({ name, definition }) =>
      Object.keys(definition).map((entry) => ({ service: name, method: entry })),
    );
  const services = [
    streamsService(store, context, limits),
    ...nodeServices(context, served, () => gossip(instanceId, host, port)),
  ];
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
    await store.close();
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
      await store.close();
    },
  };
};
