export type { ClosedUsage, LimitTransition, MeteringEvent } from './events';
