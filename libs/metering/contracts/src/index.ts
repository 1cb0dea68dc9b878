export type {
  ClosedUsage,
  LateUsage,
  LimitCause,
  LimitStatus,
  LimitTransition,
  MeteringEvent,
  ReservationCommitted,
} from './events';
