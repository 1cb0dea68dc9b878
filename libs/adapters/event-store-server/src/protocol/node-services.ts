import { message, messageField, numberField, textField } from './wire';

export interface ServedMethod {
  readonly service: string;
  readonly method: string;
}

/** Without these the client falls back to HTTP calls of older servers. */
const featuresOf = ({ service, method }: ServedMethod): readonly string[] => {
  if (service.endsWith('.PersistentSubscriptions')) return ['stream', 'all'];
  return FEATURES.get(`${service}/${method}`) ?? [];
};

const FEATURES: ReadonlyMap<string, readonly string[]> = new Map([
  ['event_store.client.streams.Streams/Read', ['position', 'events']],
  ['event_store.client.streams.Streams/BatchAppend', ['deadline_duration']],
]);

/** Which generation of the protocol is spoken; clients choose their calls by it. */
const PROTOCOL_VERSION = '24.2.0';

export const supportedMethods = (served: readonly ServedMethod[]): Buffer =>
  message(
    ...served.map((entry) =>
      messageField(
        1,
        textField(1, entry.method.toLowerCase()),
        textField(2, entry.service.toLowerCase()),
        ...featuresOf(entry).map((feature) => textField(3, feature)),
      ),
    ),
    textField(2, PROTOCOL_VERSION),
  );

const LEADER = 8;

/** A cluster of one: alive, leader, here. */
export const gossip = (instanceId: string, host: string, port: number): Buffer =>
  messageField(
    1,
    messageField(1, textField(2, instanceId)),
    numberField(2, Date.now() * 10_000),
    numberField(3, LEADER),
    numberField(4, 1),
    messageField(5, textField(1, host), numberField(2, port)),
  );
