import { pushNotificationStream } from '@billstream/accounts-domain';
import { pushCallbackOf, sendNotification, waitingNotification } from '@billstream/accounts-read-models';
import type { CommandContext } from '@billstream/event-sourcing';
import { derivedId } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import type { Accounts } from '../accounts';
import type { SendNotification } from './callback-client';

/** Handlers of due work by kind. */
export const accountsDueWork = (
  accounts: Accounts,
  send: SendNotification,
): Readonly<Record<string, (item: DueItem) => Promise<void>>> => ({
  [sendNotification]: (item) => tell(accounts, send, item),
});

/** Tells the tenant's callback and records how that went: at least once, and over once. */
const tell = async (accounts: Accounts, send: SendNotification, item: DueItem): Promise<void> => {
  const { tenantId, key: notificationId } = item;
  const { runtime } = accounts;
  const body = await waitingNotification(runtime.database, notificationId);
  if (body === null) return;
  const url = await pushCallbackOf(runtime.database, tenantId);
  const failure =
    url === null ? { reason: 'the callback was removed', isFinal: true } : await send(url, notificationId, body);
  const context = contextOf(accounts, item);
  const command =
    failure === null
      ? { type: 'RecordDelivery' as const, data: { notificationId } }
      : { type: 'RecordFailure' as const, data: { notificationId, ...failure, at: context.at } };
  if (failure !== null) runtime.logger.warn({ notificationId, tenantId, reason: failure.reason }, 'callback not told');
  runtime.metrics.count('push_notifications', { outcome: failure === null ? 'delivered' : 'failed' });
  // Rejected: another process that had the item told the callback as well.
  await accounts.pushNotification(pushNotificationStream(notificationId), command, context);
};

const contextOf = ({ runtime }: Accounts, { tenantId, key, dueAt }: DueItem): CommandContext => ({
  commandId: derivedId('send-notification', key, dueAt),
  tenantId,
  actor: { createdBy: 'billstream' },
  at: runtime.clock.now(tenantId),
  correlationId: derivedId('due-work', sendNotification, key, dueAt),
});
