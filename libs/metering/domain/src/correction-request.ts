import type { RejectedRecord } from './usage-record';

/** A correction as a client asks for it; what is not a correction is named by its place and field. */
export type CorrectionRequest = {
  readonly index: number;
  /** Null: the client gave the correction no name. */
  readonly correctionId: string | null;
  readonly source: string;
  readonly id: string;
  readonly reason: string;
  /** What of the record is another; null: the record is void. */
  readonly replacement: Readonly<Record<string, unknown>> | null;
};

type Fields = Readonly<Record<string, unknown>>;

const knownFields = new Set(['action', 'correctionId', 'source', 'id', 'reason', 'replacement']);
const replaceable = new Set(['unit', 'user', 'amount', 'time', 'dimensions']);
const nameMax = 255;
const reasonMax = 1_024;

const isTextUpTo = (max: number, value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= max && !value.includes('\u0000');

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `defaultReason` and `defaultSource` stand in for what the correction does not say. */
export const parseCorrection = (
  raw: unknown,
  index: number,
  defaults: { readonly reason: string | null; readonly source: string },
): CorrectionRequest | RejectedRecord => {
  const refuse = (field: string, code: string, message: string): RejectedRecord => ({ index, field, code, message });
  if (!isObject(raw)) return refuse('', 'not-an-object', 'a correction is a JSON object');
  const unknown = Object.keys(raw).find((field) => !knownFields.has(field));
  if (unknown !== undefined)
    return refuse(unknown.slice(0, nameMax), 'unknown-field', 'a correction has no such field');
  const { action, id, replacement } = raw;
  const source = raw['source'] ?? defaults.source;
  const reason = raw['reason'] ?? defaults.reason;
  const correctionId = raw['correctionId'] ?? null;
  if (action !== 'VOID' && action !== 'REPLACE') return refuse('action', 'invalid', 'action is VOID or REPLACE');
  for (const [field, value] of Object.entries({ source, id, ...(correctionId === null ? {} : { correctionId }) }))
    if (!isTextUpTo(nameMax, value))
      return refuse(field, 'invalid', `${field} is a text of 1 to ${nameMax} characters`);
  if (!isTextUpTo(reasonMax, reason))
    return refuse('reason', 'required', `a correction has a reason of up to ${reasonMax} characters`);
  const fault = replacementFault(action, replacement);
  if (fault !== null) return refuse(fault.field, fault.code, fault.message);
  const named = { index, correctionId: correctionId as string | null, source: source as string, id: id as string };
  return { ...named, reason, replacement: action === 'VOID' ? null : (replacement as Fields) };
};

type Fault = Omit<RejectedRecord, 'index'>;

const replacementFault = (action: 'VOID' | 'REPLACE', replacement: unknown): Fault | null => {
  const field = 'replacement';
  if (action === 'VOID')
    return replacement === undefined || replacement === null
      ? null
      : { field, code: 'not-allowed', message: 'what is void is replaced by nothing' };
  if (!isObject(replacement) || Object.keys(replacement).length === 0)
    return { field, code: 'required', message: 'replacement says what of the record is another' };
  const unknown = Object.keys(replacement).find((name) => !replaceable.has(name));
  return unknown === undefined
    ? null
    : {
        field: `${field}.${unknown.slice(0, nameMax)}`,
        code: 'unknown-field',
        message: 'unit, user, amount, time and dimensions can be replaced',
      };
};
