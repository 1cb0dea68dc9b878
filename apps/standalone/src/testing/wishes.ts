import { type AccountTime, type Currency, type Instant, localDateOf, plusMs } from '@billstream/kernel';
import type { BundleCommand, Catalog, PlanSpecifier } from '@billstream/subscriptions-domain';

export const hourMs = 3_600_000;

/** Negative hours are a request that is dated back. */
type InHours = { readonly inHours: number };

/** What a request says of a subscription; everything else follows from the time and the account. */
export type Wish =
  | { readonly kind: 'SUBSCRIBE'; readonly plan: string }
  | ({
      readonly kind: 'CHANGE';
      readonly plan: string;
      readonly policy: 'IMMEDIATE' | 'END_OF_TERM' | null;
    } & Partial<InHours>)
  | ({ readonly kind: 'CANCEL'; readonly policy: 'IMMEDIATE' | 'END_OF_TERM' } & Partial<InHours>)
  | { readonly kind: 'UNDO' }
  | ({
      readonly kind: 'BLOCK';
      readonly isBilled: boolean;
      /** Absent: the bundle. */
      readonly level?: 'ACCOUNT' | 'SUBSCRIPTION';
      /** Who blocks; absent: the desk. States of one service follow each other, those of several hold together. */
      readonly service?: 'overdue';
    } & InHours)
  | ({ readonly kind: 'DAY'; readonly billCycleDayLocal: number } & InHours)
  | ({ readonly kind: 'QUANTITY'; readonly quantity: number } & InHours);

export type Subscriber = {
  readonly accountId: string;
  readonly currency: Currency | null;
  readonly time: AccountTime;
  readonly billCycleDayLocal: number;
};

export type About = {
  readonly account: Subscriber;
  readonly catalog: Catalog;
  readonly now: Instant;
  readonly name: string;
  readonly bundleId: string;
  readonly subscriptionId: string;
};

const noOverrides = { startIn: null, billCycleDayLocal: null, priceOverrides: [] } as const;

/** The instant that a wish is about; null where it follows from a policy. */
export const datedAt = (wish: Wish, now: Instant): Instant | null =>
  'inHours' in wish ? plusMs(now, wish.inHours * hourMs) : null;

type WishOf<Kind extends Wish['kind']> = Extract<Wish, { readonly kind: Kind }>;

const subscribe = ({ plan: planName }: WishOf<'SUBSCRIBE'>, about: About): BundleCommand => {
  const { bundleId, subscriptionId, account, catalog, now } = about;
  const plan: PlanSpecifier = { planName };
  const subscription = { subscriptionId, externalKey: null, plan, quantity: 1, ...noOverrides };
  const dates = { entitlementAt: null, billingAt: null, migrated: false };
  return {
    type: 'StartSubscriptions',
    data: { bundleId, externalKey: null, account, catalog, now, ...dates, subscriptions: [subscription] },
  };
};

const block = (wish: WishOf<'BLOCK'>, { name, bundleId, subscriptionId, account, now }: About): BundleCommand => {
  const flags = { blockChange: false, blockEntitlement: !wish.isBilled, blockBilling: !wish.isBilled };
  const { level } = wish;
  const blockedId = level === undefined ? bundleId : level === 'ACCOUNT' ? account.accountId : subscriptionId;
  const of = { type: level ?? ('SUBSCRIPTION_BUNDLE' as const), blockedId, service: wish.service ?? 'desk' };
  const stateName = wish.isBilled ? 'open' : 'closed';
  const effectiveAt = plusMs(now, wish.inHours * hourMs);
  return {
    type: 'SetBlockingState',
    data: { now, state: { blockingId: name, ...of, stateName, ...flags, effectiveAt } },
  };
};

export const commandOf = (wish: Wish, about: About): BundleCommand => {
  const { subscriptionId, account, catalog, now, name } = about;
  const requestedAt = datedAt(wish, now);
  switch (wish.kind) {
    case 'SUBSCRIBE':
      return subscribe(wish, about);
    case 'CHANGE': {
      const plan = { planName: wish.plan };
      const dates = { requestedAt, policy: requestedAt === null ? wish.policy : null };
      return {
        type: 'ChangePlan',
        data: { subscriptionId, changeId: name, plan, ...noOverrides, ...dates, account, catalog, now },
      };
    }
    case 'CANCEL': {
      const end = requestedAt === null ? { policy: wish.policy } : { at: requestedAt };
      const ends = { entitlement: end, billing: end };
      return {
        type: 'CancelSubscription',
        data: { subscriptionId, cancellationId: name, ...ends, account, catalog, now },
      };
    }
    case 'UNDO':
      return { type: 'UndoCancellation', data: { subscriptionId, now } };
    case 'BLOCK':
      return block(wish, about);
    case 'DAY': {
      const { billCycleDayLocal } = wish;
      const from = localDateOf(requestedAt ?? now, account.time);
      return { type: 'ChangeBillCycleDay', data: { subscriptionId, changeId: name, from, billCycleDayLocal, now } };
    }
    case 'QUANTITY': {
      const { quantity } = wish;
      const effectiveAt = requestedAt ?? now;
      return { type: 'ChangeQuantity', data: { subscriptionId, changeId: name, effectiveAt, quantity, account, now } };
    }
  }
};
