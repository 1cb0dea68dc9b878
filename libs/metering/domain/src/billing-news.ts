import { type Decider, type RecordedEvent, accept, defineSchema } from '@billstream/event-sourcing';
import { meteredAccountSchema } from './metered-account';

/** What a Kill Bill server pushes when something has happened: the body of its notifications. */
export type BillingNotice = {
  readonly eventType: string;
  readonly accountId: string | null;
  readonly objectType: string | null;
  readonly objectId: string | null;
  readonly metaData: string | null;
};

export type BillingNewsEvent = { readonly type: 'NoticeHeard'; readonly data: BillingNotice };

/** One stream a notice, named by its id: heard twice, it is one. */
export const billingNewsStream = (noticeId: string): string => `billingNews-${noticeId}`;

export const billingNews: Decider<BillingNotice, BillingNewsEvent, { readonly isHeard: boolean }, never> = {
  initial: { isHeard: false },
  decide: (data, { isHeard }) => (isHeard ? accept() : accept<BillingNewsEvent>({ type: 'NoticeHeard', data })),
  evolve: () => ({ isHeard: true }),
};

export const billingNewsSchema = defineSchema<BillingNewsEvent>({ NoticeHeard: 'billing-news.heard.v1' });

/** Streams whose events are news for who follows billing. */
export const billingFeedPrefixes = ['billingNews-', 'meteredAccount-'] as const;

/** An event as a notice: one that was pushed, or what this platform itself told metering of accounts and plans. */
export const billingNoticeOf = (recorded: RecordedEvent): BillingNotice | null => {
  const heard = billingNewsSchema.decode(recorded);
  if (heard !== null) return heard.data;
  const fact = meteredAccountSchema.decode(recorded);
  if (fact === null) return null;
  const { accountId } = fact.data;
  const notice = { accountId, metaData: null };
  return fact.type === 'AccountRecorded'
    ? {
        ...notice,
        eventType: recorded.revision === 0n ? 'ACCOUNT_CREATION' : 'ACCOUNT_CHANGE',
        objectType: 'ACCOUNT',
        objectId: accountId,
      }
    : { ...notice, eventType: 'SUBSCRIPTION_CHANGE', objectType: 'SUBSCRIPTION', objectId: fact.data.subscriptionId };
};
