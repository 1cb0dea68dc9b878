import type { NotificationBody } from '@billstream/accounts-domain';
import { Agent, request } from 'undici';
import { namesPrivateAddress, publicLookup } from './public-addresses';

/** Null: the callback answered 2xx. Else why it was not told, and whether telling it again can help. */
export type SendNotification = (
  url: string,
  notificationId: string,
  body: NotificationBody,
) => Promise<{ readonly reason: string; readonly isFinal: boolean } | null>;

/** Kill Bill's time-out (its PushNotificationListener, 0.24). */
const timeoutMs = 15_000;
const answerBytesMax = 64 * 1024;

/**
 * Calls tenants' callbacks. Unless private networks are allowed, a callback must be at a public address, whatever its
 * name says: a tenant must not reach the platform's own network through it. Redirects are not followed.
 */
export const callbackClient = (allowPrivateNetworks: boolean): SendNotification => {
  const dispatcher = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: 1_000,
    connect: { timeout: 5_000, ...(allowPrivateNetworks ? {} : { lookup: publicLookup }) },
  });
  return async (url, notificationId, body) => {
    if (!allowPrivateNetworks && namesPrivateAddress(new URL(url)))
      return { reason: 'the callback is not at a public address', isFinal: true };
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher,
        signal: AbortSignal.timeout(timeoutMs),
        headers: {
          'content-type': 'application/json; charset=UTF-8',
          'user-agent': 'KillBill/1.0',
          // The same for each attempt, so that a callback that answered too late can tell a repetition.
          'x-notification-id': notificationId,
        },
        body: JSON.stringify(body),
      });
      await answer.body.dump({ limit: answerBytesMax });
      const { statusCode } = answer;
      return statusCode >= 200 && statusCode < 300
        ? null
        : { reason: `the callback answered ${statusCode}`, isFinal: false };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error), isFinal: false };
    }
  };
};
