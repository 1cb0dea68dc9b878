import { MeteringClientError } from './client-error';

/** Something that was used. What is left out is filled in when the record is kept, so that sending it later changes nothing. */
export type UsageRecord = {
  readonly unit: string;
  readonly user: string;
  /** A number, or decimal text with up to nine digits behind the point. Left out: 1 of a `SUM` unit. */
  readonly amount?: number | string;
  /** A date, epoch milliseconds, or an ISO 8601 instant with its zone. Default: now. */
  readonly time?: Date | number | string;
  /** With the source the record's name for ever. Give one to make your own repetitions safe; default: a new UUID. */
  readonly id?: string;
  readonly source?: string;
  /** Up to 16 texts by name. */
  readonly dimensions?: Readonly<Record<string, string>>;
};

/** The name under which a record counts once, however often it is sent. */
export type RecordName = { readonly source: string; readonly id: string };

export type EncodedRecord = { readonly name: RecordName; readonly text: string };

export type RecordDefaults = { readonly source: string; readonly nowMs: () => number; readonly newId: () => string };

const nameMax = 255;
const recordBytesMax = 64 * 1024;
/** Years 2000 to 2100, as the server has it: outside of that somebody has sent seconds, or nonsense. */
const earliestMs = 946_684_800_000;
const latestMs = 4_102_444_800_000;
const known = new Set(['unit', 'user', 'amount', 'time', 'id', 'source', 'dimensions']);

/**
 * A record as the server takes it. What can be seen to be wrong here is refused, because the caller can still mend it;
 * what only the server knows comes back as a reject.
 */
export const encodeRecord = (record: UsageRecord, defaults: RecordDefaults): EncodedRecord => {
  const unknown = Object.keys(record).find((field) => !known.has(field));
  if (unknown !== undefined) throw invalid(unknown, 'is no field of a usage record');
  const { dimensions } = record;
  const name = {
    source: nameIn('source', record.source ?? defaults.source),
    id: nameIn('id', record.id ?? defaults.newId()),
  };
  const text = JSON.stringify({
    unit: nameIn('unit', record.unit),
    user: nameIn('user', record.user),
    ...(record.amount === undefined ? {} : { amount: amountIn(record.amount) }),
    time: record.time === undefined ? defaults.nowMs() : timeIn(record.time),
    ...name,
    ...(dimensions === undefined ? {} : { dimensions: dimensionsIn(dimensions) }),
  });
  if (Buffer.byteLength(text) > recordBytesMax) throw invalid('', `is larger than ${recordBytesMax} bytes`);
  return { name, text };
};

const invalid = (field: string, fault: string): MeteringClientError =>
  new MeteringClientError('invalid-record', `${field === '' ? 'the record' : field} ${fault}`, field);

/** A NUL, or half a character, would make the server refuse the whole request. */
const isStorable = (value: string): boolean => !value.includes('\u0000') && !/\p{Surrogate}/u.test(value);

const nameIn = (field: string, value: unknown): string => {
  if (typeof value !== 'string' || value.length === 0 || value.length > nameMax || !isStorable(value))
    throw invalid(field, `is a text of 1 to ${nameMax} characters`);
  return value;
};

const amountIn = (amount: unknown): number | string => {
  if (typeof amount === 'number' ? !Number.isFinite(amount) : !isDecimal(amount))
    throw invalid('amount', 'is a number, or decimal text');
  if (Number(amount) < 0) throw invalid('amount', 'is not negative');
  return amount as number | string;
};

const isDecimal = (value: unknown): boolean => typeof value === 'string' && /^-?\d{1,40}(\.\d{1,40})?$/.test(value);

const timeIn = (time: Date | number | string): number => {
  const ms = time instanceof Date ? time.getTime() : typeof time === 'string' ? instantMs(time) : time;
  if (!Number.isInteger(ms) || ms < earliestMs || ms >= latestMs)
    throw invalid('time', 'is a date, epoch milliseconds, or an ISO 8601 instant with its zone');
  return ms;
};

/** Without a zone it would be the time of whichever machine reads it. */
const instantMs = (text: string): number => (/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN);

const dimensionsIn = (dimensions: unknown): object => {
  const fault = 'are texts by name';
  if (typeof dimensions !== 'object' || dimensions === null || Array.isArray(dimensions))
    throw invalid('dimensions', fault);
  for (const [name, value] of Object.entries(dimensions))
    if (typeof value !== 'string' || !isStorable(value) || !isStorable(name))
      throw invalid(`dimensions.${name}`, 'is a text');
  return dimensions;
};
