import { type Instant, epochMs, instantOfMs, startOfDay, zonedDateOf } from '@billstream/kernel';

export const hourMs = 3_600_000;

/** How far after a full hour of UTC the zone's hours begin: half-hour zones have theirs at :30. */
export const hourFractionMs = (at: Instant, timeZone: string): number =>
  epochMs(startOfDay(zonedDateOf(at, timeZone), timeZone)) % hourMs;

/** The start of the zone's hour around an instant, all in milliseconds. */
export const hourStartMs = (atMs: number, fractionMs: number): number =>
  Math.floor((atMs - fractionMs) / hourMs) * hourMs + fractionMs;

/** The first full hour of the zone at or after an instant. */
export const nextHour = (at: Instant, timeZone: string): Instant => {
  const start = hourStartMs(epochMs(at), hourFractionMs(at, timeZone));
  return instantOfMs(start === epochMs(at) ? start : start + hourMs);
};
