import type { BillingCycle } from './billing-cycle';
import type { Instant } from '@billstream/kernel';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** A stretch of time in which a subscription was on a plan; `toAt` null: still is. */
export type PlanInterval = {
  readonly subscriptionId: string;
  readonly planName: string;
  readonly category: 'BASE' | 'ADD_ON' | 'STANDALONE';
  readonly fromAt: Instant;
  readonly toAt: Instant | null;
  /** Units that the plan prices in this stretch; the second list: those of them it prices by level (CAPACITY), not by sum. */
  readonly units: readonly string[];
  readonly capacityUnits: readonly string[];
  /** How it is billed; absent in what was recorded before anybody asked. */
  readonly cycle?: BillingCycle;
};

/** What metering knows of an account, recorded from what accounts and subscriptions published. `user` is its external key. */
export type MeteredAccountEvent =
  | {
      readonly type: 'AccountRecorded';
      readonly data: {
        readonly accountId: string;
        readonly user: string;
        readonly timeZone: string;
        /** 0 or absent: the account has none yet. */
        readonly billCycleDay?: number;
      };
    }
  | {
      readonly type: 'PlansRecorded';
      readonly data: {
        readonly accountId: string;
        readonly subscriptionId: string;
        readonly intervals: readonly PlanInterval[];
      };
    };

export type MeteredAccountCommand =
  | {
      readonly type: 'RecordAccount';
      readonly accountId: string;
      readonly user: string;
      readonly timeZone: string;
      readonly billCycleDay?: number;
    }
  | {
      readonly type: 'RecordPlans';
      readonly accountId: string;
      readonly subscriptionId: string;
      readonly intervals: readonly PlanInterval[];
    };

type State = { readonly account: string | null; readonly plans: Readonly<Record<string, string>> };

export const meteredAccountStream = (accountId: string): string => `meteredAccount-${accountId}`;

type AccountFacts = { readonly user: string; readonly timeZone: string; readonly billCycleDay?: number };

const accountKey = ({ user, timeZone, billCycleDay = 0 }: AccountFacts): string =>
  JSON.stringify([user, timeZone, billCycleDay]);

/** Records what changed and nothing else: a message heard twice, or one that says nothing new, leaves no trace. */
export const meteredAccount: Decider<MeteredAccountCommand, MeteredAccountEvent, State, never> = {
  initial: { account: null, plans: {} },
  decide: (command, state) => {
    if (command.type === 'RecordAccount') {
      const { accountId, user, timeZone, billCycleDay = 0 } = command;
      return state.account === accountKey(command)
        ? accept()
        : accept<MeteredAccountEvent>({
            type: 'AccountRecorded',
            data: { accountId, user, timeZone, ...(billCycleDay > 0 && { billCycleDay }) },
          });
    }
    const { accountId, subscriptionId, intervals } = command;
    return state.plans[subscriptionId] === JSON.stringify(intervals)
      ? accept()
      : accept<MeteredAccountEvent>({ type: 'PlansRecorded', data: { accountId, subscriptionId, intervals } });
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'AccountRecorded':
        return { ...state, account: accountKey(event.data) };
      case 'PlansRecorded':
        return {
          ...state,
          plans: { ...state.plans, [event.data.subscriptionId]: JSON.stringify(event.data.intervals) },
        };
    }
  },
};

export const meteredAccountSchema = defineSchema<MeteredAccountEvent>({
  AccountRecorded: 'metered-account.recorded.v1',
  PlansRecorded: 'metered-account.plans-recorded.v1',
});
