import { type Decider, accept, defineSchema, reject } from '@billstream/event-sourcing';
import { type Instant, plusMs } from '@billstream/kernel';

/** What a tenant's callback is told (Kill Bill's NotificationJson, 0.24). `metaData` is JSON in a text. */
export type NotificationBody = {
  readonly eventType: string;
  readonly accountId: string | null;
  readonly objectType: string;
  readonly objectId: string;
  readonly metaData: string | null;
};

export type PushNotificationEvent =
  /** Another context told something that the tenant wants to hear of. What accounts itself records needs no request. */
  | {
      readonly type: 'NotificationRequested';
      readonly data: { readonly notificationId: string; readonly body: NotificationBody };
    }
  | { readonly type: 'NotificationDelivered'; readonly data: { readonly notificationId: string } }
  /** `retryAt` null: given up. */
  | {
      readonly type: 'NotificationFailed';
      readonly data: { readonly notificationId: string; readonly reason: string; readonly retryAt: Instant | null };
    };

export type PushNotificationCommand =
  | {
      readonly type: 'RequestNotification';
      readonly data: { readonly notificationId: string; readonly body: NotificationBody };
    }
  | { readonly type: 'RecordDelivery'; readonly data: { readonly notificationId: string } }
  | {
      readonly type: 'RecordFailure';
      readonly data: {
        readonly notificationId: string;
        readonly reason: string;
        /** When the attempt was made, and whether another one makes sense. */
        readonly at: Instant;
        readonly isFinal: boolean;
      };
    };

export type PushNotificationState = {
  readonly isRequested: boolean;
  readonly failures: number;
  /** Delivered, or given up. */
  readonly isOver: boolean;
};

export type PushNotificationRejection = { readonly code: 'notification-is-over' };

const minute = 60_000;
const hour = 60 * minute;
/** Kill Bill's pauses between attempts (its NotificationConfig, 0.24); after the last one it gives up. */
const pausesMs: readonly number[] = [15 * minute, 30 * minute, 2 * hour, 12 * hour, 24 * hour];

/** One stream a notification: however often it is asked for and tried, it is over once. */
export const pushNotification: Decider<
  PushNotificationCommand,
  PushNotificationEvent,
  PushNotificationState,
  PushNotificationRejection
> = {
  initial: { isRequested: false, failures: 0, isOver: false },
  decide: (command, state) => {
    if (command.type === 'RequestNotification')
      return state.isRequested ? accept() : accept({ type: 'NotificationRequested', data: command.data });
    if (state.isOver) return reject({ code: 'notification-is-over' });
    const { notificationId } = command.data;
    if (command.type === 'RecordDelivery') return accept({ type: 'NotificationDelivered', data: { notificationId } });
    const { at, isFinal, reason } = command.data;
    const pauseMs = isFinal ? undefined : pausesMs[state.failures];
    const retryAt = pauseMs === undefined ? null : plusMs(at, pauseMs);
    return accept({ type: 'NotificationFailed', data: { notificationId, reason, retryAt } });
  },
  evolve: (state, event) => {
    switch (event.type) {
      case 'NotificationRequested':
        return { ...state, isRequested: true };
      case 'NotificationDelivered':
        return { ...state, isOver: true };
      case 'NotificationFailed':
        return { ...state, failures: state.failures + 1, isOver: event.data.retryAt === null };
    }
  },
};

export const pushNotificationSchema = defineSchema<PushNotificationEvent>({
  NotificationRequested: 'pushNotification.requested.v1',
  NotificationDelivered: 'pushNotification.delivered.v1',
  NotificationFailed: 'pushNotification.failed.v1',
});
