import { type Instant, instantOfMs, parseInstant } from '@billstream/kernel';
import type { LineageRecord } from '@billstream/metering-read-models';
import { invalidField } from './problems';

/** A record by its place in the log, with what it counted as. */
export const lineageJson = ({ stream, revision, index, atMs, amount, dimensions }: LineageRecord) => ({
  ...{ stream, revision: String(revision), index },
  ...{ time: instantOfMs(Number(atMs)), amount },
  ...(dimensions === null ? {} : { dimensions }),
});

export const instantIn = (text: string, pointer: string): Instant => {
  const instant = parseInstant(text);
  if (instant === null) throw invalidField(pointer, 'is an ISO 8601 instant');
  return instant;
};
