import type { Connection, LimitChange } from './limit-stream';

/** Where a user stands with a unit, as the server said it last. Amounts are exact decimals, as text. */
export type UnitLimit = {
  readonly state: 'LIMITED' | 'RELEASED';
  readonly exhausted: boolean;
  readonly current: string;
  readonly limit: string | null;
  /** Null: nothing limits, or the status changed since the counter was read. */
  readonly remaining: string | null;
  readonly resetAt: string | null;
  readonly changedAt: string | null;
};

/** What is known of a user. */
export type KnownUser = {
  readonly units: Map<string, UnitLimit>;
  /** The counters are at least as new as this. */
  readonly countedAtMs: number;
  /** Brings every change since the counters were read; null: none was open then. */
  readonly connection: Connection | null;
  /** How far the server's clock for this tenant is ahead of this machine's. */
  readonly clockAheadMs: number;
  /** A status changed since: the counters of then say nothing any more. */
  isChanged: boolean;
};

/** The instant up to which the states are known to be complete. */
export const knownUntilMs = ({ countedAtMs, connection }: KnownUser): number =>
  Math.max(countedAtMs, connection?.heardAtMs ?? 0);

/** Takes in a change, unless what is known is newer: a stream that goes on tells what happened before, too. */
export const applyChange = (known: KnownUser, change: LimitChange): void => {
  const { unit, to, current, limit, resetAt, at } = change;
  const changedAt = known.units.get(unit)?.changedAt ?? null;
  if (changedAt !== null && Date.parse(changedAt) > Date.parse(at)) return;
  known.isChanged = true;
  known.units.set(unit, {
    ...{ state: to, exhausted: to === 'LIMITED', current, limit, resetAt },
    remaining: null,
    changedAt: at,
  });
};

/** Has the window ended in which this was so? */
export const isOver = ({ resetAt }: UnitLimit, { clockAheadMs }: KnownUser, nowMs: number): boolean =>
  resetAt !== null && Date.parse(resetAt) <= nowMs + clockAheadMs;
