import type { Listener } from '@billstream/rabbitmq';
import type { ContextName, ServiceDefinition } from './service';

/** Every service follows the test clocks, which accounts announces; accounts has them from its own log. */
export const clockContext: ContextName = 'accounts';
export const clockMovedType = 'accounts.clock-moved.v1';

export const hearsOf = ({ name, hears }: Pick<ServiceDefinition, 'name' | 'hears'>): readonly ContextName[] =>
  name === clockContext ? hears : [...new Set<ContextName>([...hears, clockContext])];

/** What a bus has to know of a service before the first message is published. */
export const listenerOf = (definition: Pick<ServiceDefinition, 'name' | 'hears'>): Listener => ({
  service: definition.name,
  hears: hearsOf(definition),
});

/**
 * Who hears whom, for a service that runs in a process of its own: its relay declares the queues of the others, so that
 * nothing published before their first start is lost. A context too many costs messages that nobody handles.
 */
const audience: { readonly [Name in ContextName]: readonly ContextName[] } = {
  accounts: ['subscriptions', 'invoicing', 'payments'],
  subscriptions: ['accounts', 'invoicing'],
  metering: ['accounts', 'subscriptions', 'metering', 'invoicing'],
  invoicing: ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'],
  payments: ['accounts', 'invoicing'],
};

export const listenersFor = (definition: Pick<ServiceDefinition, 'name' | 'hears'>): readonly Listener[] => [
  ...(['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'] as const)
    .filter((name) => name !== definition.name)
    .map((name) => ({ service: name, hears: audience[name] })),
  listenerOf(definition),
];
