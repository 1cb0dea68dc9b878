import type { EventStore, RecordedEvent } from '@billstream/event-sourcing';
import { epochMs } from '@billstream/kernel';
import {
  type LoggedRecord,
  type UsageCorrection,
  type UsageRecordedEvent,
  backfillRecordsSchema,
  backfilledUsageSchema,
  countedStreamsOf,
  usageCorrectionSchema,
  usageRecordedName,
} from '@billstream/metering-domain';

type Counts = { readonly user: string; readonly atMs: number; readonly amount: number };
type Known = { readonly isDirect: boolean; readonly counts: Counts | null; readonly isReplaced: boolean };
type Standing = {
  readonly records: Map<string, Known>;
  readonly usedNames: Set<string>;
  /** Position of the last end of a backfill. */
  endedAt: bigint;
};

const nameOf = (source: string | null, id: string | null): string => `${source} ${id}`;
const countsOf = ([, user, atMs, amount]: LoggedRecord): Counts => ({ user, atMs, amount: Number(amount) });

const recordDirectly = ({ records }: Standing, logged: readonly LoggedRecord[]): void => {
  for (const record of logged) {
    const name = nameOf(record[4], record[5]);
    if (!records.has(name)) records.set(name, { isDirect: true, counts: countsOf(record), isReplaced: false });
  }
};

type Correction = UsageCorrection & { readonly name: string; readonly own: string | null };

const correctionsIn = (recorded: RecordedEvent, endedAt: bigint): readonly Correction[] => {
  const data = usageCorrectionSchema.decode(recorded)?.data;
  if (data === undefined || (data.backfilledTo !== undefined && BigInt(data.backfilledTo) < endedAt)) return [];
  return data.corrections.map((one) => {
    const { source, id, sentAs } = one;
    return { ...one, name: nameOf(source, id), own: sentAs === undefined ? null : nameOf(source, sentAs) };
  });
};

const correct = ({ records, usedNames, endedAt }: Standing, recorded: RecordedEvent): void => {
  for (const { correctionId, name, own, replacement } of correctionsIn(recorded, endedAt)) {
    if (usedNames.has(correctionId) || (own !== null && records.has(own))) continue;
    usedNames.add(correctionId);
    const known = records.get(name);
    const counts = replacement && { ...replacement, amount: Number(replacement.amount) };
    if (known) records.set(name, { ...known, counts });
    if (own !== null) records.set(own, { isDirect: true, counts: null, isReplaced: false });
  }
};

type Committed = Extract<ReturnType<typeof backfilledUsageSchema.decode>, { readonly type: 'BackfillCommitted' }>;

const commit = (
  { records }: Standing,
  { data: { mode, users, fromAt, toAt } }: Committed,
  staged: readonly LoggedRecord[],
): void => {
  const isIn = ({ user, atMs }: Counts): boolean =>
    (users === null || users.includes(user)) && atMs >= epochMs(fromAt) && atMs < epochMs(toAt);
  const gone = new Set<string>();
  for (const [name, { isDirect, counts, isReplaced }] of records)
    if (mode === 'REPLACE' && isDirect && !isReplaced && counts !== null && isIn(counts)) gone.add(name);
  for (const name of gone) records.set(name, { ...records.get(name)!, isReplaced: true });
  for (const record of staged) {
    const name = nameOf(record[4], record[5]);
    if (!records.has(name) || gone.delete(name))
      records.set(name, { isDirect: false, counts: countsOf(record), isReplaced: false });
  }
};

/**
 * What the log of a tenant means, read event by event as if the backfills that were reverted in it had never been: names of
 * the records that came directly, and sums by user and hour. All parts are taken for staged, and all usage for one unit's.
 */
export const countedByLog = async (store: EventStore, tenantId: string) => {
  const prefixes = [...countedStreamsOf(tenantId), `usageBackfillPart-${tenantId}-`];
  const { events } = await store.readAll({ after: null, prefixes });
  const ends = events.flatMap((recorded) => backfilledUsageSchema.decode(recorded) ?? []);
  const reverted = new Set(ends.flatMap(({ type, data }) => (type === 'BackfillReverted' ? [data.backfillId] : [])));
  const pieces = events.flatMap((recorded) => backfillRecordsSchema.decode(recorded) ?? []);
  const standing: Standing = { records: new Map(), usedNames: new Set(), endedAt: -1n };
  const direct = new Set<string>();
  for (const recorded of events) {
    const end = backfilledUsageSchema.decode(recorded);
    if (recorded.type === usageRecordedName) {
      const { records } = recorded.data as UsageRecordedEvent['data'];
      recordDirectly(standing, records);
      for (const [, , , , source, id] of records) direct.add(nameOf(source, id));
    } else if (end === null) correct(standing, recorded);
    else {
      standing.endedAt = recorded.position;
      const { backfillId } = end.data;
      const staged = pieces.flatMap(({ data }) => (data.backfillId === backfillId ? data.records : []));
      if (end.type === 'BackfillCommitted' && !reverted.has(backfillId)) commit(standing, end, staged);
    }
  }
  const sums = new Map<string, number>();
  for (const { counts, isReplaced } of standing.records.values()) {
    if (counts === null || isReplaced) continue;
    const group = `${counts.user} ${new Date(counts.atMs).getUTCHours()}`;
    sums.set(group, (sums.get(group) ?? 0) + counts.amount);
  }
  return { names: direct, sums: Object.fromEntries([...sums].sort()) };
};
