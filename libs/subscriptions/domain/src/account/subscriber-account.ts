import type { AccountFacts } from '@billstream/accounts-contracts';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';

/** What is known here of an account: a copy of its public events, newest wins. */
export type SubscriberAccountEvent = { readonly type: 'AccountRecorded'; readonly data: AccountFacts };
export type RecordAccount = { readonly type: 'RecordAccount'; readonly data: AccountFacts };

export const subscriberAccountDecider: Decider<RecordAccount, SubscriberAccountEvent, AccountFacts | null, never> = {
  initial: null,
  decide: ({ data }, state) =>
    JSON.stringify(data) === JSON.stringify(state)
      ? accept()
      : accept<SubscriberAccountEvent>({ type: 'AccountRecorded', data }),
  evolve: (_, { data }) => data,
};

export const subscriberAccountStream = (accountId: string): string => `subscriberAccount-${accountId}`;

export const subscriberAccountSchema = defineSchema<SubscriberAccountEvent>({
  AccountRecorded: 'subscriber-account.recorded.v1',
});
