import type { DomainEvent } from './message';

/** An expected refusal: a word a machine can branch on, and the facts that explain it. Never an HTTP number. */
export type Rejection<Code extends string = string> = { readonly code: Code };

export type Decision<Event, Refusal> = { readonly events: readonly Event[] } | { readonly rejected: Refusal };

/** Pure, synchronous: facts in, events out. The same events, command and clock decide the same on every machine. */
export type Decider<Command, Event extends DomainEvent, State, Refusal extends Rejection> = {
  readonly initial: State;
  readonly decide: (command: Command, state: State) => Decision<Event, Refusal>;
  /** Never refuses and has no default case: the past is not up for debate, a forgotten event must not compile. */
  readonly evolve: (state: State, event: Event) => State;
  /**
   * Events that mean nothing until one that is no part follows them in the same decision. They come first in it; where a
   * decision is too large for one append they are appended ahead, and count for nothing when the rest never comes.
   */
  readonly isPart?: (event: Event) => boolean;
  /**
   * Commands that wait for one stream share an append. For streams that many ask at once, whose decisions are a few small
   * events without parts.
   */
  readonly appendsTogether?: boolean;
};

export const accept = <Event>(...events: readonly Event[]): { readonly events: readonly Event[] } => ({ events });
export const reject = <Refusal extends Rejection>(rejected: Refusal): { readonly rejected: Refusal } => ({ rejected });
