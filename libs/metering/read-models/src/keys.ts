import { type Instant, digest } from '@billstream/kernel';

/** Sixteen bytes of SHA-256 in the form of a uuid column; parts are length-prefixed so that no two lists look alike. */
const keyOf = (parts: readonly string[]): string =>
  digest(parts.map((part) => `${part.length}:${part}`).join(';')).slice(0, 32);

/** Names a record for ever: whoever comes first in the log with the same tenant, source and id is the record. */
export const identifiedKey = (tenantId: string, source: string, id: string): string => keyOf([tenantId, source, id]);

/** Names a correction for ever. */
export const correctionKey = (tenantId: string, correctionId: string): string =>
  keyOf(['correction', tenantId, correctionId]);

/** A period that was counted for an invoice. */
export type ClosedPeriod = {
  readonly subscriptionId: string;
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
};

export const closingKey = ({ subscriptionId, unit, usageName, fromAt, toAt }: ClosedPeriod): string =>
  keyOf(['closing', subscriptionId, unit, usageName, fromAt, toAt]);

/** A report of a subscription: its tracking id is unique in its stream, and the place in it tells its records apart. */
export const reportedKey = (subscriptionId: string, trackingId: string, index: number): string =>
  keyOf(['subscription', subscriptionId, trackingId, String(index)]);

/** A record without an id is itself alone: its place in the log names it. Ascending, so that its index grows at one end. */
export const placeKey = (position: bigint, index: number): string =>
  position.toString(16).padStart(24, '0') + index.toString(16).padStart(8, '0');

const seriesMax = 50_000;
const known = new Map<string, string>();

/** All usage of one user and unit. Kept in memory because the same few thousand come again and again. */
export const userSeries = (tenantId: string, user: string, unit: string): string => {
  const name = `${tenantId} ${unit.length} ${unit} ${user}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const key = keyOf(['user', tenantId, user, unit]);
  if (known.size >= seriesMax) known.clear();
  known.set(name, key);
  return key;
};

/** All usage that was reported for a subscription as such. */
export const subscriptionSeries = (tenantId: string, subscriptionId: string, unit: string): string =>
  keyOf(['subscription', tenantId, subscriptionId, unit]);
