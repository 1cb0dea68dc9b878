import { type Instant, derivedId } from '@billstream/kernel';
import {
  type BlockingState,
  type Bundle,
  type Subscription,
  billingEnd,
  entitlementEnd,
} from '@billstream/subscriptions-domain';
import type { EventType } from './subscription-event-json';

export type BlockingEvent = {
  readonly eventId: string;
  readonly type: EventType;
  /** `entitlement-service` is the service of `pause` and `resume`; its events name the side that they are about. */
  readonly service: string | undefined;
  readonly state: BlockingState;
};

const entitlementService = 'entitlement-service';

type Side = {
  readonly blocks: 'blockEntitlement' | 'blockBilling';
  readonly resume: EventType;
  readonly pause: EventType;
  readonly from: Instant;
  readonly to: Instant | null;
};

/** What can be paused, and from when to when there is something to pause. What expires is not paused by its end. */
const sidesOf = (bundle: Bundle, subscription: Subscription): readonly Side[] => {
  const end = entitlementEnd(bundle, subscription);
  return [
    {
      blocks: 'blockEntitlement',
      resume: 'RESUME_ENTITLEMENT',
      pause: 'PAUSE_ENTITLEMENT',
      from: subscription.entitlementAt,
      to: end?.kind === 'CANCEL' ? end.at : null,
    },
    {
      blocks: 'blockBilling',
      resume: 'RESUME_BILLING',
      pause: 'PAUSE_BILLING',
      from: subscription.billingAt,
      to: billingEnd(bundle, subscription)?.at ?? null,
    },
  ];
};

/** Of all services together: a second one that blocks what is blocked already pauses nothing. */
const turned = (
  sides: readonly Side[],
  before: readonly BlockingState[],
  after: readonly BlockingState[],
  at: Instant,
) =>
  sides.flatMap(({ blocks, resume, pause, from, to }): readonly EventType[] => {
    if (at < from || (to !== null && at > to)) return [];
    const was = before.some((state) => state[blocks]);
    const is = after.some((state) => state[blocks]);
    return was === is ? [] : [is ? pause : resume];
  });

/**
 * What the blocking states of a subscription, its bundle and its account do to it, as Kill Bill tells it: a state that
 * turns entitlement or billing off or on is told as that, whichever service it is of, and one that turns nothing as a
 * change of its service's state. Pausing what has not begun is told as nothing.
 */
export const blockingEvents = (bundle: Bundle, subscription: Subscription): readonly BlockingEvent[] => {
  const { bundleId, accountId } = bundle;
  const over = new Set([bundleId, accountId, subscription.subscriptionId]);
  const sides = sidesOf(bundle, subscription);
  const told = new Map<string, BlockingState>();
  return bundle.blockingStates
    .filter(({ blockedId }) => over.has(blockedId))
    .flatMap((state): readonly BlockingEvent[] => {
      const key = `${state.blockedId}/${state.service}`;
      const after = new Map(told).set(key, state);
      const turns = turned(sides, [...told.values()], [...after.values()], state.effectiveAt);
      const isPausing = state.service === entitlementService;
      if (turns.length > 0 || !isPausing) told.set(key, state);
      const types: readonly EventType[] = turns.length > 0 || isPausing ? turns : ['SERVICE_STATE_CHANGE'];
      return types.map((type, i) => ({
        eventId: i === 0 ? state.blockingId : derivedId(state.blockingId, 'billing'),
        type,
        service: isPausing ? undefined : state.service,
        state,
      }));
    });
};
