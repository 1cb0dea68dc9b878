import type { EventStore } from '../storage/event-store';
import { linkTargetOf, type StoredEvent } from '../storage/stored-event';
import { resolve } from '../storage/visibility';
import type { Outlet } from './calls';
import { eventAnswer } from './read-answers';

/** Sends one event; a promise means to wait before the next. */
export const sendEvent = (
  store: EventStore,
  outlet: Outlet,
  event: StoredEvent,
  resolveLinks: boolean,
): Promise<void> | undefined => {
  if (!resolveLinks || !linkTargetOf(event)) return outlet.send(event.response);
  return resolve(store, event).then((resolved) => outlet.send(eventAnswer(resolved)));
};
