import type { Handled } from '@billstream/event-sourcing';

type Accepted<Event, State> = Extract<Handled<Event, State, never>, { readonly outcome: 'accepted' }>;

/** A fact of another context cannot be refused: if it is, one of the two is wrong, and the message must not be lost. */
export const settled = <Event extends object, State>(
  handled: Handled<Event, State, { readonly code: string }>,
): Accepted<Event, State> => {
  if (handled.outcome === 'rejected') throw new Error(`payments refuses what it was told: ${handled.rejection.code}`);
  if (handled.outcome !== 'accepted') throw new Error(`payments could not record what it was told: ${handled.outcome}`);
  return handled;
};
