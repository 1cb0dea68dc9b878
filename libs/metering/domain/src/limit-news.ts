import type { Instant } from '@billstream/kernel';
import type { LimitTransition } from '@billstream/metering-contracts';
import { type Decider, type RecordedEvent, accept, defineSchema } from '@billstream/event-sourcing';

/**
 * What was told of the limit of one user and unit. The read model decides transitions, because it alone knows which
 * records count; here they become facts of the log, once each, for others to hear.
 */
export type LimitNewsEvent =
  | { readonly type: 'LimitReached' | 'LimitReleased'; readonly data: LimitTransition }
  /** Nobody did anything, but an instant was reached at which a status can change. */
  | {
      readonly type: 'TimePassed';
      readonly data: { readonly user: string; readonly unit: string; readonly dueAt: Instant };
    };

export type LimitNewsCommand = {
  readonly user: string;
  readonly unit: string;
  /** By ordinal; those that were told before are left out. */
  readonly transitions: readonly LimitTransition[];
  /** What was due by time alone; null: nothing was. */
  readonly dueAt: Instant | null;
};

export const limitNewsPrefix = 'limitNews-';

/** `series` names a tenant's user and unit, as the read model does. */
export const limitNewsStream = (series: string): string => `${limitNewsPrefix}${series}`;

/** The state is the ordinal that was told last; -1: none. */
export const limitNews: Decider<LimitNewsCommand, LimitNewsEvent, number, never> = {
  initial: -1,
  decide: ({ user, unit, transitions, dueAt }, told) =>
    accept(
      ...transitions
        .filter(({ ordinal }) => ordinal > told)
        .map((data): LimitNewsEvent => ({ type: data.to === 'LIMITED' ? 'LimitReached' : 'LimitReleased', data })),
      ...(dueAt === null ? [] : [{ type: 'TimePassed' as const, data: { user, unit, dueAt } }]),
    ),
  evolve: (told, event) => {
    switch (event.type) {
      case 'LimitReached':
      case 'LimitReleased':
        return event.data.ordinal;
      case 'TimePassed':
        return told;
    }
  },
};

/** A user at the edge of a limit makes a few events an hour, for ever. */
export const limitNewsSnapshots = { version: 'limit-news.1', every: 500 } as const;

export const limitNewsSchema = defineSchema<LimitNewsEvent>({
  LimitReached: 'limit-news.reached.v1',
  LimitReleased: 'limit-news.released.v1',
  TimePassed: 'limit-news.time-passed.v1',
});

/** The change of status that an event of these streams tells; null: it tells none. */
export const limitTransitionOf = (recorded: RecordedEvent): LimitTransition | null => {
  const event = limitNewsSchema.decode(recorded);
  return event === null || event.type === 'TimePassed' ? null : event.data;
};
