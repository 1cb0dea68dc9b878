import type { Brand } from './brand';

/** A point in time: UTC, milliseconds, always `yyyy-MM-ddTHH:mm:ss.SSSZ`, so that text order is time order. */
export type Instant = Brand<string, 'Instant'>;

/** `Date` is used here and in clock.ts alone: parsing and printing UTC text is the one thing it does right and fast. */
export const instantOfMs = (epochMs: number): Instant => new Date(epochMs).toISOString() as Instant;
export const epochMs = (instant: Instant): number => Date.parse(instant);

/** Accepts ISO 8601 with `Z`, an offset or none (then UTC); null for anything that is not such an instant. */
export const parseInstant = (text: string): Instant | null => {
  const shape = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?$/i.exec(text.trim());
  if (!shape) return null;
  const [, date, time, , , zone] = shape;
  const offset = zone === undefined ? 'Z' : zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  const ms = Date.parse(`${date}T${(time ?? '').replace(',', '.').replace(/(\.\d{3})\d+/, '$1')}${offset}`);
  if (Number.isNaN(ms)) return null;
  // A day that does not exist (30 February) would roll over silently; compare the calendar day at the stated offset.
  const day = new Date(Date.parse(`${date}T00:00:00Z`));
  return day.toISOString().startsWith(date ?? '') ? instantOfMs(ms) : null;
};

export const plusMs = (instant: Instant, ms: number): Instant => instantOfMs(epochMs(instant) + ms);
