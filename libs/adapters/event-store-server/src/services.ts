import type { ServiceDefinition, UntypedHandleCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import {
  consume,
  createGroup,
  deleteGroup,
  groupInfo,
  listGroups,
  replayParked,
  restartGroups,
  updateGroup,
} from './persistent/persistent-service';
import type { Groups } from './persistent/groups';
import {
  disableProjection,
  enableProjection,
  noCustomProjections,
  projectionStatistics,
  restartProjections,
} from './projections/projections-service';
import type { SystemProjections } from './projections/system-projections';
import { beginAppend, remove, type AppendLimits } from './protocol/append-service';
import { batchAppend } from './protocol/batch-append-service';
import {
  answering,
  collecting,
  conversing,
  method,
  unary,
  type CallContext,
  type UnaryHandler,
} from './protocol/calls';
import { supportedMethods, type ServedMethod } from './protocol/node-services';
import { read } from './protocol/read-service';
import type { EventStore } from './storage/event-store';

export interface ServiceParts {
  readonly store: EventStore;
  readonly groups: Groups;
  readonly projections: SystemProjections;
  readonly context: CallContext;
  readonly limits: AppendLimits;
  readonly member: () => Buffer;
}

export interface Service {
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

type Shape = 'unary' | 'answering' | 'collecting' | 'conversing';
type Methods = Readonly<Record<string, readonly [Shape, UntypedHandleCall]>>;

const serviceOf = (name: string, methods: Methods): Service => ({
  name,
  definition: Object.fromEntries(
    Object.entries(methods).map(([entry, [shape]]) => {
      const [asks, answers] = [
        shape === 'collecting' || shape === 'conversing',
        shape === 'answering' || shape === 'conversing',
      ];
      return [entry, method(`/${name}/${entry}`, asks, answers)];
    }),
  ),
  implementation: Object.fromEntries(Object.entries(methods).map(([entry, [, handler]]) => [entry, handler])),
});

const streams = ({ store, context, limits }: ServiceParts): Service =>
  serviceOf('event_store.client.streams.Streams', {
    Read: ['answering', answering(context, read(store))],
    Append: ['collecting', collecting(context, () => beginAppend(store, limits))],
    BatchAppend: ['conversing', conversing(context, batchAppend(store, limits))],
    Delete: ['unary', unary(context, (request) => remove(store, 'delete', request))],
    Tombstone: ['unary', unary(context, (request) => remove(store, 'tombstone', request))],
  });

const persistentSubscriptions = ({ store, context, groups }: ServiceParts): Service => {
  const serve = (handle: UnaryHandler): readonly [Shape, UntypedHandleCall] => ['unary', unary(context, handle)];
  return serviceOf('event_store.client.persistent_subscriptions.PersistentSubscriptions', {
    Create: serve((request) => createGroup(groups, request)),
    Update: serve((request) => updateGroup(groups, request)),
    Delete: serve((request) => deleteGroup(groups, request)),
    Read: ['conversing', conversing(context, consume(groups))],
    GetInfo: serve((request) => groupInfo(store, groups, request)),
    ReplayParked: serve((request) => replayParked(groups, request)),
    List: serve((request) => listGroups(store, groups, request)),
    RestartSubsystem: serve(() => restartGroups(groups)),
  });
};

const projectionsService = ({ context, projections }: ServiceParts): Service => {
  const serve = (handle: UnaryHandler): readonly [Shape, UntypedHandleCall] => ['unary', unary(context, handle)];
  return serviceOf('event_store.client.projections.Projections', {
    Create: serve(noCustomProjections),
    Update: serve(noCustomProjections),
    Delete: serve(noCustomProjections),
    Statistics: ['answering', answering(context, projectionStatistics(projections))],
    Disable: serve((request) => disableProjection(projections, request)),
    Enable: serve((request) => enableProjection(projections, request)),
    Reset: serve(noCustomProjections),
    State: serve(noCustomProjections),
    Result: serve(noCustomProjections),
    RestartSubsystem: serve(() => restartProjections(projections)),
  });
};

/** What a client asks before it knows whom it talks to; no credentials are needed for it. */
const nodeServices = (parts: ServiceParts, served: () => readonly ServedMethod[]): Service[] => {
  const context: CallContext = { ...parts.context, authenticate: () => '' };
  return [
    serviceOf('event_store.client.server_features.ServerFeatures', {
      GetSupportedMethods: ['unary', unary(context, () => supportedMethods(served()))],
    }),
    serviceOf('event_store.client.gossip.Gossip', { Read: ['unary', unary(context, parts.member)] }),
  ];
};

export const servicesOf = (parts: ServiceParts): readonly Service[] => {
  const served = (): ServedMethod[] =>
    services.flatMap(({ name, definition }) =>
      Object.keys(definition).map((entry) => ({ service: name, method: entry })),
    );
  const services = [
    streams(parts),
    persistentSubscriptions(parts),
    projectionsService(parts),
    ...nodeServices(parts, served),
  ];
  return services;
};
