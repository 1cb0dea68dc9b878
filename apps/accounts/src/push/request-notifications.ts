import {
  type NotificationBody,
  blockingNewsStream,
  pushNotificationStream,
  subscriptionNewsStream,
} from '@billstream/accounts-domain';
import { pushCallbackOf } from '@billstream/accounts-read-models';
import type { PublicEvent } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import type { SubscriptionsEvent } from '@billstream/subscriptions-contracts';
import type { Accounts } from '../accounts';
import { type Heard, contextOf, settled } from '../reactions/heard';

const wantsToHear = async ({ runtime }: Accounts, tenantId: string): Promise<boolean> =>
  (await pushCallbackOf(runtime.database, tenantId)) !== null;

/** Asks that a tenant's callback be told, once however often the event comes; tenants without one are left alone. */
export const requestNotifications = async (
  accounts: Accounts,
  event: PublicEvent,
  bodies: readonly NotificationBody[],
): Promise<void> => {
  if (bodies.length === 0 || !(await wantsToHear(accounts, event.tenantId))) return;
  for (const [index, body] of bodies.entries()) {
    const notificationId = derivedId('push-notification', event.id, String(index));
    const command = { type: 'RequestNotification' as const, data: { notificationId, body } };
    settled(await accounts.pushNotification(pushNotificationStream(notificationId), command, contextOf(event)));
  }
};

/** The timeline of a subscription, from which its news follows. */
export const recordTimeline = async (
  accounts: Accounts,
  event: Heard<SubscriptionsEvent, 'subscriptions.billing-changed.v1'>,
): Promise<void> => {
  if (!(await wantsToHear(accounts, event.tenantId))) return;
  const { accountId, bundleId, bundleExternalKey, subscriptionId } = event.data;
  const transitions = event.data.transitions.map(({ kind, effectiveAt }) => ({ kind, effectiveAt }));
  const command = {
    type: 'RecordTimeline' as const,
    data: { accountId, bundleId, bundleExternalKey, subscriptionId, transitions, now: event.at },
  };
  settled(await accounts.subscriptionNews(subscriptionNewsStream(subscriptionId), command, contextOf(event)));
};

/** Kept of every account: whoever asks to be told later is told of what blocks against what was blocked before. */
export const recordBlockingState = async (
  accounts: Accounts,
  event: Heard<SubscriptionsEvent, 'subscriptions.blocking-state-set.v1'>,
): Promise<void> => {
  const command = { type: 'RecordBlockingState' as const, data: { ...event.data, now: event.at } };
  settled(await accounts.blockingNews(blockingNewsStream(event.data.accountId), command, contextOf(event)));
};
