import {
  type Decimal,
  type Instant,
  compare,
  decimal,
  epochMs,
  instantOfMs,
  isNegative,
  parseDecimal,
  parseInstant,
  round,
} from '@billstream/kernel';
import { cloudEventField, recordOfCloudEvent } from './cloud-event';
import type { CountingMethod } from './rule';
import { type Dimensions, parseDimensions } from './usage-dimensions';

/** What few records say; absent where a record says nothing of it. */
export type RecordDetails = { readonly dimensions?: Dimensions };

/** A usage record as it stands in the log, in compact form: a batch of thousands is one event. `source` and `id` name it for ever. */
export type LoggedRecord = readonly [
  unit: string,
  user: string,
  atMs: number,
  amount: Decimal,
  source: string | null,
  id: string | null,
  details?: RecordDetails,
];

export type UsageRecordedEvent = {
  readonly type: 'UsageRecorded';
  readonly data: { readonly tenantId: string; readonly records: readonly LoggedRecord[] };
};
export const usageRecordedName = 'usage.recorded.v1';

/** One record that was not taken, and why: its place in the batch, the field, a word and a sentence. */
export type RejectedRecord = {
  readonly index: number;
  readonly field: string;
  readonly code: string;
  readonly message: string;
};

export type ParsedRecords = {
  readonly accepted: readonly { readonly index: number; readonly record: LoggedRecord }[];
  readonly rejected: readonly RejectedRecord[];
};

export type RecordDefaults = {
  readonly now: Instant;
  /** Null for a unit nobody has defined: its records are kept, unrated (M12). */
  readonly methodOf: (unit: string) => CountingMethod | null;
  /** Source of records that name none. */
  readonly source: string;
  /** Gives the id of a record that brings none (from the request's own key); null: it cannot be recognised again. */
  readonly idOf: (index: number) => string | null;
  /** `OWN`: the form of this API, where a field nobody knows is refused; `CLOUD_EVENT`: the same in an envelope. */
  readonly form?: RecordForm;
};

export type RecordForm = 'METER' | 'OWN' | 'CLOUD_EVENT';

/** Whose usage a record is when it names nobody: counted by the default rule, never limited (M16). */
export const anonymousUser = 'anonymous';

const nameMax = 255;
const refuse = (index: number, field: string, code: string, message: string): RejectedRecord => ({
  index,
  field,
  code,
  message,
});

/**
 * Reads a batch as a client sent it. A record that cannot be understood is named and left out, the others are taken
 * (D4); a zero is a zero (D2); a missing amount counts one for SUM and says nothing for a gauge.
 */
export const parseRecords = (batch: readonly unknown[], defaults: RecordDefaults): ParsedRecords => {
  const accepted: { index: number; record: LoggedRecord }[] = [];
  const rejected: RejectedRecord[] = [];
  batch.forEach((raw, index) => {
    const parsed = parseRaw(raw, index, defaults);
    if ('code' in parsed) rejected.push(parsed);
    else accepted.push({ index, record: parsed.record });
  });
  return { accepted, rejected };
};

type Fields = Readonly<Record<string, unknown>>;
type Parsed = { readonly record: LoggedRecord } | RejectedRecord;

const parseRaw = (raw: unknown, index: number, defaults: RecordDefaults): Parsed => {
  if (defaults.form !== 'CLOUD_EVENT') return parseRecord(raw, index, defaults);
  const event = recordOfCloudEvent(raw);
  if (!('record' in event)) return { index, ...event };
  const parsed = parseRecord(event.record, index, defaults);
  return 'code' in parsed ? { ...parsed, field: cloudEventField(raw, parsed.field) } : parsed;
};

const parseRecord = (raw: unknown, index: number, defaults: RecordDefaults): Parsed => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return refuse(index, '', 'not-an-object', 'a usage record is a JSON object');
  const fields = raw as Fields;
  const names = namesOf(fields, index);
  if ('code' in names) return names;
  const atMs = timeOf(fields.time, defaults.now);
  if (atMs === null) return refuse(index, 'time', 'invalid', 'time is epoch milliseconds or an ISO 8601 instant');
  const amount = amountOf(fields.amount, defaults.methodOf(names.unit));
  if (typeof amount === 'object') return refuse(index, 'amount', amount.code, amount.message);
  const details = detailsOf(fields, index, defaults.form);
  if ('code' in details) return details;
  const id = names.id ?? defaults.idOf(index);
  const source = id === null ? null : (names.source ?? defaults.source);
  const { unit, user } = names;
  const record: LoggedRecord = [unit, user, atMs, amount, source, id];
  return { record: details.details === null ? record : [unit, user, atMs, amount, source, id, details.details] };
};

/** What clients of this API may say of a record; anything else is a slip of the pen that would be lost in silence. */
const knownFields = new Set(['unit', 'user', 'amount', 'time', 'source', 'id', 'dimensions']);

/** The original ignored what it did not know, and a client of it may send anything under any name. */
const detailsOf = (
  fields: Fields,
  index: number,
  form: RecordForm = 'METER',
): { readonly details: RecordDetails | null } | RejectedRecord => {
  if (form === 'METER') return { details: null };
  const unknown = Object.keys(fields).find((field) => !knownFields.has(field));
  if (unknown !== undefined)
    return refuse(index, unknown.slice(0, nameMax), 'unknown-field', 'a usage record has no such field');
  const parsed = parseDimensions(fields['dimensions']);
  if ('fault' in parsed) return { index, ...parsed.fault };
  return { details: parsed.dimensions === null ? null : { dimensions: parsed.dimensions } };
};

type Names = {
  readonly unit: string;
  readonly user: string;
  readonly source: string | null;
  readonly id: string | null;
};

const namesOf = ({ unit, user, source, id }: Fields, index: number): Names | RejectedRecord => {
  const invalid = (field: string): RejectedRecord =>
    refuse(index, field, 'invalid', `${field} is a text of 1 to ${nameMax} characters`);
  const named = user ?? anonymousUser;
  if (!isName(unit)) return invalid('unit');
  if (!isName(named)) return invalid('user');
  if (!isOptionalName(source)) return invalid('source');
  if (!isOptionalName(id)) return invalid('id');
  return { unit, user: named, source: source ?? null, id: id ?? null };
};

// A NUL cannot be stored as text by PostgreSQL; refusing it here keeps it out of the log.
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= nameMax && !value.includes('\u0000');
const isOptionalName = (value: unknown): value is string | null | undefined =>
  value === undefined || value === null || isName(value);

/** Years 2000 to 2100: outside of that a client has sent seconds, or nonsense. */
const earliestMs = 946_684_800_000;
const latestMs = 4_102_444_800_000;

const timeOf = (time: unknown, now: Instant): number | null => {
  if (time === undefined || time === null) return epochMs(now);
  const ms =
    typeof time === 'string' ? (parseInstant(time) === null ? Number.NaN : epochMs(parseInstant(time) ?? now)) : time;
  return typeof ms === 'number' && Number.isInteger(ms) && ms >= earliestMs && ms < latestMs ? ms : null;
};

const amountMax = decimal('1000000000000000000');

const amountOf = (
  amount: unknown,
  method: CountingMethod | null,
): Decimal | { readonly code: string; readonly message: string } => {
  if (amount === undefined || amount === null)
    return method === 'AVG' || method === 'PEAK'
      ? { code: 'required', message: 'a gauge has no default: send the measured amount' }
      : decimal(1);
  if (typeof amount === 'number' && Number.isInteger(amount) && amount >= 0 && amount <= Number.MAX_SAFE_INTEGER)
    return String(amount) as Decimal;
  const parsed = parseDecimal(amount);
  if (parsed === null) return { code: 'invalid', message: 'amount is a decimal number' };
  if (isNegative(parsed))
    return {
      code: 'negative',
      message: 'amount is not negative, but where it takes back usage of an earlier record, which is then named',
    };
  if (compare(round(parsed, 9), parsed) !== 0)
    return { code: 'too-precise', message: 'amount has at most nine digits behind the point' };
  return compare(parsed, amountMax) > 0 ? { code: 'too-large', message: 'amount is at most 10^18' } : parsed;
};

/** Usage of one tenant is spread over this many streams by user, so that writers and readers can work side by side. */
export const usagePartitions = 4;

/** FNV-1a: the same on every machine and cheap enough to run for each record. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
};

export const usageStream = (tenantId: string, user: string): string =>
  `usage-${tenantId}-${hashOf(user) % usagePartitions}`;

/** All streams of a tenant's usage, e.g. to see whether everything that was accepted has been counted. */
export const usageStreamsOf = (tenantId: string): readonly string[] =>
  Array.from({ length: usagePartitions }, (_, partition) => `usage-${tenantId}-${partition}`);

export const recordedAt = ([, , atMs]: LoggedRecord): Instant => instantOfMs(atMs);
