import type { Instant } from '@billstream/kernel';
import type { ResolvedPhase } from '@billstream/subscriptions-contracts';
import type { BlockingState } from '@billstream/subscriptions-domain';

/** Kill Bill's event types, in the order in which events of one instant are listed. */
export const eventTypes = [
  'START_ENTITLEMENT',
  'START_BILLING',
  'PAUSE_ENTITLEMENT',
  'PAUSE_BILLING',
  'RESUME_ENTITLEMENT',
  'RESUME_BILLING',
  'PHASE',
  'CHANGE',
  'STOP_ENTITLEMENT',
  'STOP_BILLING',
  'SERVICE_STATE_CHANGE',
] as const;
export type EventType = (typeof eventTypes)[number];

const services: { readonly [Type in EventType]: string } = {
  START_ENTITLEMENT: 'entitlement-service',
  START_BILLING: 'billing-service',
  PAUSE_ENTITLEMENT: 'entitlement-service',
  PAUSE_BILLING: 'billing-service',
  RESUME_ENTITLEMENT: 'entitlement-service',
  RESUME_BILLING: 'billing-service',
  PHASE: 'entitlement+billing-service',
  CHANGE: 'entitlement+billing-service',
  STOP_ENTITLEMENT: 'entitlement-service',
  STOP_BILLING: 'billing-service',
  SERVICE_STATE_CHANGE: '',
};

type Shown = {
  readonly eventId: string;
  readonly type: EventType;
  readonly at: Instant;
  readonly phase: ResolvedPhase;
  readonly state: string;
  /** Where it is not the one that goes with the type. */
  readonly service?: string | undefined;
  readonly blocking?: BlockingState;
};

export const eventJson = ({ eventId, type, at, phase, state, service, blocking }: Shown) => ({
  eventId,
  billingPeriod: phase.recurring?.billingPeriod ?? 'NO_BILLING_PERIOD',
  effectiveDate: at,
  catalogEffectiveDate: phase.catalogEffectiveDate,
  plan: phase.planName,
  product: phase.productName,
  priceList: phase.priceList,
  eventType: type,
  isBlockedBilling: blocking?.blockBilling ?? false,
  isBlockedEntitlement: blocking?.blockEntitlement ?? false,
  serviceName: service ?? services[type],
  serviceStateName: state,
  phase: phase.phaseName,
  auditLogs: [],
});
