import type { BillingTransition, ResolvedPhase } from './events';

type Timeline = { readonly transitions: readonly BillingTransition[] };

/** Phases of a timeline, each once; the transitions beside them name theirs by its place, null is none. */
export type NamedPhases = {
  readonly phases: readonly ResolvedPhase[];
  readonly transitions: readonly (Omit<BillingTransition, 'phase'> & { readonly phase: number | null })[];
};

/**
 * A timeline with each phase said once: hundreds of changes of one subscription share a few, each many times the size of
 * what changes. Everything else stays as it was and where it was, as texts of timelines are compared.
 */
export const withNamedPhases = <One extends Timeline>(timeline: One): Omit<One, 'transitions'> & NamedPhases => {
  const places = new Map<string, number>();
  const phases: ResolvedPhase[] = [];
  const placeOf = (phase: ResolvedPhase): number => {
    const text = JSON.stringify(phase);
    const place = places.get(text) ?? phases.length;
    if (place === phases.length) phases.push(phase);
    places.set(text, place);
    return place;
  };
  const transitions = timeline.transitions.map((transition) => ({
    ...transition,
    phase: transition.phase === null ? null : placeOf(transition.phase),
  }));
  return { ...timeline, transitions, phases };
};

/** The timeline as it was before its phases were named. */
export const withOwnPhases = ({ phases, ...named }: NamedPhases): Timeline => ({
  ...named,
  transitions: named.transitions.map((transition) => ({
    ...transition,
    phase: transition.phase === null ? null : (phases[transition.phase] ?? null),
  })),
});
