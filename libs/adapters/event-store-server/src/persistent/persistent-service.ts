import type { Dialogue, Outlet } from '../protocol/calls';
import { invalidArgument } from '../protocol/failures';
import { confirmation } from '../protocol/read-answers';
import { streamNameIn } from '../protocol/proposals';
import { decode, EMPTY, LAST, message, readUuid, type Message } from '../protocol/wire';
import type { EventStore } from '../storage/event-store';
import { ALL } from '../storage/head';
import type { NackAction } from './group';
import { connect, type Groups } from './groups';
import { infoAnswer, infoOf } from './info';
import { groupKeyIn, groupRequestIn } from './settings';

const ACTIONS: readonly NackAction[] = ['retry', 'park', 'retry', 'skip', 'skip'];
const DEFAULT_SLOTS = 10;

const idsIn = (answer: Message): string[] => answer.slices(2).map(readUuid);

export const createGroup = async (groups: Groups, request: Buffer): Promise<Buffer> => {
  await groups.create(groupRequestIn(request));
  return EMPTY;
};

export const updateGroup = async (groups: Groups, request: Buffer): Promise<Buffer> => {
  await groups.update(groupRequestIn(request));
  return EMPTY;
};

export const deleteGroup = async (groups: Groups, request: Buffer): Promise<Buffer> => {
  await groups.remove(groupKeyIn(decode(request).message(1), { stream: 1, all: 3, group: 2 }));
  return EMPTY;
};

export const groupInfo = (store: EventStore, groups: Groups, request: Buffer): Buffer => {
  const key = groupKeyIn(decode(request).message(1), { stream: 1, all: 2, group: 3 });
  return infoAnswer(infoOf(store, groups.get(key)));
};

/** Options: 1 all subscriptions, 2 those of 1 a stream or 2 the whole log. */
export const listGroups = (store: EventStore, groups: Groups, request: Buffer): Buffer => {
  const options = decode(request).message(1);
  const source = options.message(2);
  const ofSource = (): string => (source.has(2) ? ALL : streamNameIn(source.bytes(1)));
  const found = options.has(2) ? groups.list(ofSource()) : groups.list();
  return message(...found.map((group) => infoAnswer(infoOf(store, group))));
};

export const replayParked = async (groups: Groups, request: Buffer): Promise<Buffer> => {
  const options = decode(request).message(1);
  const group = groups.get(groupKeyIn(options, { stream: 2, all: 3, group: 1 }));
  await group.replayParked(options.has(4) ? options.number(4) : LAST);
  return EMPTY;
};

export const restartGroups = async (groups: Groups): Promise<Buffer> => {
  await groups.restart();
  return EMPTY;
};

/** Options first, then what the consumer has done with the messages it was sent. */
export const consume =
  (groups: Groups) =>
  (outlet: Outlet): Dialogue => {
    let connected: ReturnType<typeof connect> | undefined;
    const begin = (options: Message): void => {
      const key = groupKeyIn(options, { stream: 1, all: 5, group: 2 });
      connected = connect(groups, key, outlet, options.number(3) || DEFAULT_SLOTS);
      void outlet.send(confirmation(connected.id));
    };
    return {
      receive: (bytes) => {
        const request = decode(bytes);
        if (request.has(1)) {
          begin(request.message(1));
          return;
        }
        if (!connected) throw invalidArgument('a subscription begins with its options');
        const { group, consumer } = connected;
        if (request.has(2)) group.ack(consumer, idsIn(request.message(2)));
        if (!request.has(3)) return;
        const nack = request.message(3);
        group.nack(consumer, idsIn(nack), ACTIONS[nack.number(3)] ?? 'retry', nack.text(4));
      },
    };
  };
