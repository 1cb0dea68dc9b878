export type { ClosedUsage, LateUsage, LimitCause, LimitStatus, LimitTransition, MeteringEvent } from './events';
