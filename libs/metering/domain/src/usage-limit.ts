import type { Decimal } from '@billstream/kernel';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { LimitOverride } from './limit';

/** What was set by hand on the limit of a user and a unit (M18). What usage does to it is not recorded here but counted. */
export type UsageLimitEvent =
  | {
      readonly type: 'CounterSet';
      readonly data: { readonly unit: string; readonly user: string; readonly amount: Decimal };
    }
  /** Null: the state follows usage again. */
  | {
      readonly type: 'OverrideSet';
      readonly data: { readonly unit: string; readonly user: string; readonly override: LimitOverride | null };
    };

/** One stream a user of a tenant, whichever the unit: commands by hand are few. */
export const usageLimitStream = (userId: string): string => `usageLimit-${userId}`;

/** Every command is carried out: setting a counter to what it may already be is still an act that someone answers for. */
export const usageLimit: Decider<UsageLimitEvent, UsageLimitEvent, null, never> = {
  initial: null,
  decide: (event) => accept(event),
  evolve: (state) => state,
};

export const usageLimitSchema = defineSchema<UsageLimitEvent>({
  CounterSet: 'usage-limit.counter-set.v1',
  OverrideSet: 'usage-limit.override-set.v1',
});
