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
