export type { ClosedUsage, LimitCause, LimitStatus, LimitTransition, MeteringEvent } from './events';
