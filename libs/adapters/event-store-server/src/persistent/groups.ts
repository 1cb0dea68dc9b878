import type { Outlet } from '../protocol/calls';
import { groupDoesNotExist, groupExists } from '../protocol/failures';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import { dataOf } from '../storage/stored-event';
import type { StartingPoint } from '../protocol/read-request';
import { startGroup, type Group } from './group';
import { jsonProposal, loadCheckpoint, newestOf, removeBooks } from './group-streams';
import type { GroupDefinition, GroupKey, GroupRequest } from './settings';

/** All groups. Their definitions are one event in the log, written anew with each change. */
export interface Groups {
  create(request: GroupRequest): Promise<void>;
  update(request: GroupRequest): Promise<void>;
  remove(key: GroupKey): Promise<void>;
  get(key: GroupKey): Group;
  list(stream?: string): readonly Group[];
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const CONFIG_STREAM = '$persistentSubscriptionConfig';
const CONFIG_TYPE = '$PersistentConfig';

const nameOf = ({ stream, group }: GroupKey): string => `${stream}::${group}`;

/** Groups begin with the given place, subscriptions after it. "End" is settled now, so that a restart skips nothing. */
const startAfter = (store: EventStore, stream: string, from: StartingPoint): number => {
  const whole = stream === ALL;
  if (from === 'start') return whole ? 0 : -1;
  if (from !== 'end') return from - 1;
  return whole ? store.head.lastPosition() : (store.head.stream(stream)?.next ?? 0) - 1;
};

const readDefinitions = async (store: EventStore): Promise<GroupDefinition[]> => {
  const event = await newestOf(store, CONFIG_STREAM);
  if (!event) return [];
  // Written by this server, below; the log is not an open door for others' data.
  const config = JSON.parse(dataOf(event).toString('utf8')) as { readonly entries: GroupDefinition[] };
  return config.entries;
};

export const openGroups = async (store: EventStore): Promise<Groups> => {
  const groups = new Map<string, Group>();

  const start = async (definition: GroupDefinition): Promise<void> => {
    const done = (await loadCheckpoint(store, definition)) ?? definition.startAfter;
    const last = store.head.lastPosition();
    const from = definition.stream === ALL ? Math.min(done, last) : done;
    groups.set(nameOf(definition), startGroup(store, { ...definition, startAfter: from }));
  };

  const save = async (): Promise<void> => {
    const entries = [...groups.values()].map(({ definition }) => definition);
    await store.append(CONFIG_STREAM, [jsonProposal(CONFIG_TYPE, { version: 1, entries })]);
  };

  const find = (key: GroupKey): Group => {
    const group = groups.get(nameOf(key));
    if (!group) throw groupDoesNotExist(key);
    return group;
  };

  const define = (request: GroupRequest): GroupDefinition => ({
    ...request,
    startAfter: startAfter(store, request.stream, request.settings.startFrom),
  });

  for (const definition of await readDefinitions(store)) await start(definition);

  return {
    get: find,
    create: async (request) => {
      if (groups.has(nameOf(request))) throw groupExists(request);
      groups.set(nameOf(request), startGroup(store, define(request)));
      await save();
    },
    update: async (request) => {
      const before = find(request);
      await before.stop('dropped');
      const known = await loadCheckpoint(store, request);
      const filter = before.definition.filter;
      const after = known === undefined ? define(request).startAfter : Math.max(known, before.doneThrough());
      groups.set(nameOf(request), startGroup(store, { ...request, filter, startAfter: after }));
      await save();
    },
    remove: async (key) => {
      const group = find(key);
      groups.delete(nameOf(key));
      await group.stop('dropped');
      await save();
      await removeBooks(store, key);
    },
    list: (stream) => {
      const all = [...groups.values()];
      if (stream === undefined) return all;
      const own = all.filter(({ definition }) => definition.stream === stream);
      if (own.length === 0) throw groupDoesNotExist({ stream, group: '' });
      return own;
    },
    restart: async () => {
      const before = [...groups.values()];
      groups.clear();
      for (const group of before) {
        await group.stop('dropped');
        await start(group.definition);
      }
    },
    stop: async () => {
      await Promise.all([...groups.values()].map((group) => group.stop('closing')));
    },
  };
};

export const connect = (groups: Groups, key: GroupKey, outlet: Outlet, slots: number) => {
  const group = groups.get(key);
  return { group, consumer: group.connect(outlet, slots), id: nameOf(key) };
};
