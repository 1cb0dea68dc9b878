export type {
  BillingAlignment,
  BillingMode,
  BillingPeriod,
  BillingTransition,
  PhaseType,
  ProductCategory,
  ResolvedBlock,
  ResolvedPhase,
  ResolvedUsage,
  SubscriptionsEvent,
} from './events';
export { withNamedPhases, withOwnPhases } from './named-phases';
export type { NamedPhases } from './named-phases';
