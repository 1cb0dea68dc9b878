import type { PublicEvent } from '@billstream/event-sourcing';
import type { Intake } from './intake';
import type { Incoming } from './message';

/** Who hears which contexts, e.g. `{ service: 'invoicing', hears: ['accounts', 'subscriptions'] }`. */
export type Listener = { readonly service: string; readonly hears: readonly string[] };

/**
 * A mark in the flow of one context's messages: whoever meets it has been given everything that the context published
 * before it. `position` is where the fence stands in the log.
 */
export type Fence = { readonly fenceId: string; readonly context: string; readonly position: string };

/** One message as a partition hands it over; `receipt` is the bus's own and comes back when the message is settled. */
export type Delivery<Receipt> = {
  readonly incoming: Incoming;
  readonly redelivered: boolean;
  readonly receipt: Receipt;
};

/** Takes the messages of one partition in order. Nothing is taken for handled before its receipt was given to `settle`. */
export type Lane<Receipt> = {
  readonly take: (delivery: Delivery<Receipt>) => void;
  /** Resolves when nothing of this lane runs any more. `drain`: what was taken is finished first; else it is dropped. */
  readonly stop: (how: 'drain' | 'drop') => Promise<void>;
};

/** Receipts in the order of the messages; all of them are durably done with. */
export type Settle<Receipt> = (receipts: readonly Receipt[]) => void;

export type Subscription = Listener & {
  /** Called for each partition, and again after each lost connection once the lane before it has stopped. */
  readonly open: <Receipt>(partition: number, settle: Settle<Receipt>) => Lane<Receipt>;
};

export type Consumer = {
  /** Partitions that are subscribed at the moment; `partitions` of them when all is well. */
  readonly subscribed: () => number;
  /** Resolves once all partitions are subscribed for the first time, rejects when the consumer is closed before. */
  readonly ready: Promise<void>;
  /** Takes no more, finishes what runs, acknowledges it. */
  readonly close: () => Promise<void>;
};

/** Best effort copy of a dead letter for whoever watches the broker; the letter itself is in the consumer's database. */
export type DeadLetterNotice = {
  readonly service: string;
  readonly messageId: string;
  readonly type: string;
  readonly key: string;
  readonly reason: string;
  readonly attempts: number;
  readonly error: string;
};

/** Public events between services: at least once, in order per key. */
export type Bus = {
  /** Keys are hashed to this many partitions; order is kept within one. The same for every service of an installation. */
  readonly partitions: number;
  /**
   * Sends the messages in order and resolves when each of them is safe: confirmed by the broker, or committed by every
   * consumer of this process. Rejects when that is not known for one of them: publish all of them again, in order.
   * A fence goes to every partition.
   */
  readonly publish: (messages: readonly (PublicEvent | Fence)[]) => Promise<void>;
  readonly consume: (subscription: Subscription) => Consumer;
  readonly notice: (deadLetter: DeadLetterNotice) => void;
  /** Takes what others send to an exchange; absent where nobody but this process's own services can reach the bus. */
  readonly intake?: Intake;
  /** False while the broker cannot be reached or does not take messages. */
  readonly connected: () => boolean;
  readonly close: () => Promise<void>;
};

/** The bus was closed, or its connection lost, before the messages were known to be safe. */
export class PublishFailed extends Error {
  override readonly name = 'PublishFailed';
}
