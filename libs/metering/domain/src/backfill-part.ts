import { epochMs, type Instant } from '@billstream/kernel';
import { cloudEventField, recordOfCloudEvent } from './cloud-event';
import type { CountingMethod } from './rule';
import type { BackfillScope } from './usage-backfill';
import { type LoggedRecord, type RecordForm, type RejectedRecord, parseRecords } from './usage-record';

/** Records of this API, or the same in envelopes. */
export type PartForm = Exclude<RecordForm, 'METER'>;

export type PartDefaults = {
  readonly form: PartForm;
  readonly scope: BackfillScope;
  readonly methodOf: (unit: string) => CountingMethod | null;
  /** Source of records that name none. */
  readonly source: string;
  /** Names a record that brings no id by its place in the part. */
  readonly idOf: (index: number) => string;
};

/**
 * Reads a part as a client sent it: records as of this API or CloudEvents, each with its own time, of the units, users and range that
 * the backfill is for. What is not is named and left out.
 */
export const parseBackfillPart = (
  batch: readonly unknown[],
  { scope, form, ...defaults }: PartDefaults,
): { readonly records: readonly LoggedRecord[]; readonly rejected: readonly RejectedRecord[] } => {
  const { accepted, rejected } = parseRecords(batch, { ...defaults, now: scope.fromAt, form });
  const faults: RejectedRecord[] = [...rejected];
  const records: LoggedRecord[] = [];
  const held = heldBy(scope);
  for (const { index, record } of accepted) {
    const raw = batch[index];
    const fault = isWithoutTime(raw, form) ? timeRequired : held(record);
    if (fault === null) records.push(record);
    else faults.push({ index, ...fault, field: form === 'OWN' ? fault.field : cloudEventField(raw, fault.field) });
  }
  return { records, rejected: faults.toSorted((a, b) => a.index - b.index) };
};

type Fault = Omit<RejectedRecord, 'index'>;

const timeRequired: Fault = { field: 'time', code: 'required', message: 'a backfilled record says when it was' };

const isWithoutTime = (raw: unknown, form: PartForm): boolean => {
  if (form === 'OWN') return (raw as { readonly time?: unknown }).time == null;
  const event = recordOfCloudEvent(raw);
  return 'record' in event && event.record['time'] == null;
};

const heldBy = ({ units, users, fromAt, toAt }: BackfillScope): ((record: LoggedRecord) => Fault | null) => {
  const [from, to] = [epochMs(fromAt), epochMs(toAt)];
  const knownUnits = new Set(units);
  const knownUsers = users === null ? null : new Set(users);
  return ([unit, user, atMs]) => {
    if (!knownUnits.has(unit)) return outside('unit', 'is not a unit of this backfill');
    if (knownUsers !== null && !knownUsers.has(user)) return outside('user', 'is not a user of this backfill');
    return atMs < from || atMs >= to ? outside('time', rangeMessage(fromAt, toAt)) : null;
  };
};

const outside = (field: string, message: string): Fault => ({ field, code: 'outside-backfill', message });
const rangeMessage = (fromAt: Instant, toAt: Instant): string => `lies from ${fromAt} until before ${toAt}`;
