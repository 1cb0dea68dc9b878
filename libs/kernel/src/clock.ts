import { type Instant, instantOfMs, plusMs } from './instant';

/** Time enters here and nowhere else. Each tenant may have a clock of its own that tests move. */
export type Clock = { now(tenantId: string): Instant };

/** Wall time, for logs, leases and metadata; never for a decision. */
export const wallTime = (): Instant => instantOfMs(Date.now());

/** Wall time plus the distance a tenant's test clock was moved by. */
export const tenantClock = (distanceMs: (tenantId: string) => number): Clock => ({
  now: (tenantId) => instantOfMs(Date.now() + distanceMs(tenantId)),
});

export const fixedClock = (at: Instant): Clock => ({ now: () => at });

/** An effect that comes within this time of its cause is taken to come at once. */
const promptMs = 60_000;

/**
 * When something happens that has a cause: with the cause, if it is handled promptly, so that how busy a machine is changes
 * no date; else now. A tenant's clock may be told of a move later than the message of one who knew: time never runs behind
 * what happened.
 */
export const notBefore = (happened: Instant, now: Instant): Instant =>
  now > plusMs(happened, promptMs) ? now : happened;
