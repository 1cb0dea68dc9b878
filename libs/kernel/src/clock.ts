import { type Instant, instantOfMs } from './instant';

/** Time enters here and nowhere else. Each tenant may have a clock of its own that tests move. */
export type Clock = { now(tenantId: string): Instant };

/** Wall time, for logs, leases and metadata; never for a decision. */
export const wallTime = (): Instant => instantOfMs(Date.now());

/** Wall time plus the distance a tenant's test clock was moved by. */
export const tenantClock = (distanceMs: (tenantId: string) => number): Clock => ({
  now: (tenantId) => instantOfMs(Date.now() + distanceMs(tenantId)),
});

export const fixedClock = (at: Instant): Clock => ({ now: () => at });
