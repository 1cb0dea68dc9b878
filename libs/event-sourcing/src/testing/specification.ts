import type { Decider, Rejection } from '../decider';
import type { DomainEvent } from '../message';

/**
 * Given past events, when a command comes, then these events (or this refusal). Each call of `then…` checks that
 * `evolve` accepts what `decide` emitted, too.
 */
export const specificationOf = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  decider: Decider<Command, Event, State, Refusal>,
) => {
  const given = (...past: readonly Event[]) => ({
    when: (command: Command) => {
      const state = past.reduce(decider.evolve, decider.initial);
      const decision = decider.decide(command, state);
      return {
        then: (...expected: readonly Event[]): State => {
          expect(decision).toEqual({ events: expected });
          return expected.reduce(decider.evolve, state);
        },
        thenEvents: (): readonly Event[] => {
          if ('rejected' in decision) throw new Error(`refused: ${JSON.stringify(decision.rejected)}`);
          decision.events.reduce(decider.evolve, state);
          return decision.events;
        },
        thenRejected: (refusal: Refusal): void => {
          expect(decision).toEqual({ rejected: refusal });
        },
        thenNothing: (): void => {
          expect(decision).toEqual({ events: [] });
        },
      };
    },
  });
  return { given };
};
