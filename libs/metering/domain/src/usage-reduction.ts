import { type Decimal, type Instant, isNegative, negate, parseDecimal, subtract } from '@billstream/kernel';
import type { CountingMethod } from './rule';
import type { Dimensions } from './usage-dimensions';
import type { UsageCorrection } from './usage-correction';
import { type RejectedRecord, parseRecords } from './usage-record';

/** A record with a negative amount: it takes back that much of the earlier record of its source that it names (M8). */
export type UsageReduction = {
  readonly index: number;
  readonly unit: string;
  readonly user: string;
  /** Positive: how much is taken back. */
  readonly by: Decimal;
  readonly source: string;
  /** Its own id; null: it brings none. */
  readonly id: string | null;
  /** Id of the record that is corrected. */
  readonly corrects: string;
};

/** The earlier record as it counts now. */
export type ReducibleRecord = {
  readonly unit: string | null;
  readonly user: string | null;
  readonly atMs: number;
  readonly amount: Decimal;
  readonly dimensions: Dimensions | null;
  readonly isVoid: boolean;
  readonly isReplaced: boolean;
};

const nameMax = 255;

const negativeAmount = (raw: unknown): Decimal | null => {
  const amount = parseDecimal((raw as { readonly amount?: unknown }).amount);
  return amount !== null && isNegative(amount) ? amount : null;
};

/** Whether a client sent a correction as a record; a negative amount that names no record is none. */
export const isReduction = (raw: unknown): boolean =>
  typeof raw === 'object' &&
  raw !== null &&
  ((raw as { readonly corrects?: unknown }).corrects ?? null) !== null &&
  negativeAmount(raw) !== null;

/** Reads what `isReduction` found. Its time says nothing: what is taken back is taken from when it was used. */
export const parseReduction = (
  raw: unknown,
  index: number,
  defaults: { readonly source: string; readonly now: Instant },
): UsageReduction | RejectedRecord => {
  const { corrects } = raw as { readonly corrects: unknown };
  const by = negate(negativeAmount(raw) ?? ('0' as Decimal));
  const { accepted, rejected } = parseRecords([{ ...(raw as object), amount: by }], {
    ...defaults,
    methodOf: () => null,
    idOf: () => null,
  });
  const [taken] = accepted;
  const [fault = { field: '', code: 'invalid', message: 'a usage record is a JSON object' }] = rejected;
  if (taken === undefined) return { ...fault, index };
  const [unit, user, , , , id] = taken.record;
  if (typeof corrects !== 'string' || corrects === '' || corrects.length > nameMax || corrects.includes('\u0000'))
    return { index, field: 'corrects', code: 'invalid', message: `corrects is a text of 1 to ${nameMax} characters` };
  if (corrects === id)
    return {
      index,
      field: 'corrects',
      code: 'itself',
      message: 'a record has an id of its own, not the corrected one',
    };
  const source = (raw as { readonly source?: string | null }).source ?? defaults.source;
  return { index, unit, user, by, source, id, corrects };
};

/** The correction that a reduction is, of the record as it counts now; or why it is none. */
export const reductionOf = (
  { index, unit, user, by, source, id, corrects }: UsageReduction,
  record: ReducibleRecord | null,
  {
    method,
    correctionId,
    reason,
  }: { readonly method: CountingMethod | null; readonly correctionId: string; readonly reason: string },
): UsageCorrection | RejectedRecord => {
  const refuse = (field: string, code: string, message: string): RejectedRecord => ({ index, field, code, message });
  if (method !== 'SUM') return refuse('amount', 'negative', 'only of a SUM unit can usage be taken back');
  const named = `record ${corrects} of ${source}`;
  if (record === null) return refuse('corrects', 'unknown-record', `no ${named} was taken`);
  if (record.isVoid) return refuse('corrects', 'void', `${named} is void`);
  if (record.isReplaced) return refuse('corrects', 'replaced', `${named} was replaced by a backfill`);
  if (record.unit !== unit) return refuse('unit', 'differs', `${named} is of another unit`);
  if (record.user !== user) return refuse('user', 'differs', `${named} is of another user`);
  const amount = subtract(record.amount, by);
  if (isNegative(amount))
    return refuse('amount', 'exceeds-record', `of ${named} no more than ${record.amount} can be taken back`);
  const { atMs, dimensions } = record;
  const replacement = { unit, user, atMs, amount, ...(dimensions === null ? {} : { dimensions }) };
  return { correctionId, source, id: corrects, reason, replacement, ...(id === null ? {} : { sentAs: id }) };
};
