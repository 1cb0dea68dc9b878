import type { Instant } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import {
  type AskedFor,
  type CountedHour,
  type CountedStretch,
  type UsageBasis,
  count,
  usageClosingSchema,
  usageClosingStream,
} from '@billstream/metering-domain';
import { type LineageRecord, lineageRecords, usageQuartersAsOf } from '@billstream/metering-read-models';
import type { Metering } from './metering';

/** A quantity as an invoice item names it. */
export type BilledQuantity = {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly unit: string;
  readonly usageName: string;
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly countedTo: string;
};

/** A quantity that was closed, and what it was made of. */
export type BilledUsage = {
  readonly usage: ClosedUsage;
  /** Null: closed before it was recorded for whom. */
  readonly asked: AskedFor | null;
  readonly basis: UsageBasis | null;
};

/** What was answered to the invoice; null: nothing was, under these names. */
export const billedUsage = async ({ runtime }: Metering, asked: BilledQuantity): Promise<BilledUsage | null> => {
  for (const recorded of await runtime.store.read(usageClosingStream(asked.subscriptionId))) {
    if (recorded.metadata.tenantId !== asked.tenantId) return null;
    const event = usageClosingSchema.decode(recorded);
    if (event?.type !== 'UsageClosed') continue;
    const { usages, bases, asked: askedFor } = event.data;
    const index = usages.findIndex((usage) => isSame(usage, asked));
    const usage = usages[index];
    if (usage !== undefined) return { usage, asked: askedFor ?? null, basis: bases?.[index] ?? null };
  }
  return null;
};

const isSame = (usage: ClosedUsage, asked: BilledQuantity): boolean =>
  (['unit', 'usageName', 'fromAt', 'toAt', 'countedTo'] as const).every((name) => usage[name] === asked[name]);

/** A stretch counted again from the same records by the same rule: it comes to what was billed. */
export const countedAgain = async (
  { runtime }: Metering,
  { tenantId, unit, countedTo }: BilledQuantity,
  { user, timeZone }: AskedFor,
  { fromAt, toAt, version, method, rule }: CountedStretch,
) => {
  const asked = { tenantId, user, unit, fromAt, toAt, countedTo: BigInt(countedTo) };
  const [quarters = []] = await usageQuartersAsOf(runtime.database, [asked]);
  const counted = count(quarters, { method, rule, range: { fromAt, toAt, timeZone } });
  return {
    ...{ fromAt, toAt },
    rule: { version, countingMethod: method, ...rule },
    ...{ quantity: counted.total, metered: counted.usage, free: counted.free, recordCount: counted.records },
    synthetic: counted.hours.filter(({ synthetic }) => synthetic).map(({ at, value }: CountedHour) => ({ at, value })),
    gapsTooLong: counted.gapsTooLong,
    freeAmounts: counted.days.flatMap(({ date, usage, free }) => (free === '0' ? [] : [{ date, usage, free }])),
  };
};

/** Where a page of records begins: the part of the basis, and the record before it there. */
export type LineagePlace = {
  readonly part: number;
  readonly after: { readonly atMs: bigint; readonly position: bigint; readonly index: number };
};

const beginning = { atMs: -1n, position: -1n, index: -1 };
export const firstPlace: LineagePlace = { part: 0, after: beginning };

export type LineagePage = {
  readonly records: readonly (LineageRecord & { readonly reported: boolean })[];
  readonly next: LineagePlace | null;
};

/** The records of a basis, stretch by stretch, each oldest first; then what was reported. */
export const recordsBehind = async (
  { runtime }: Metering,
  { tenantId, subscriptionId, unit, countedTo }: BilledQuantity,
  { user, basis }: { readonly user: string; readonly basis: UsageBasis },
  { place, limit }: { readonly place: LineagePlace; readonly limit: number },
): Promise<LineagePage> => {
  const parts = [
    ...basis.stretches.map(({ fromAt, toAt }) => ({ of: { user }, fromAt, toAt, reported: false })),
    ...(basis.reported === null ? [] : [{ of: { subscriptionId }, ...basis.reported, reported: true }]),
  ];
  const records: (LineageRecord & { readonly reported: boolean })[] = [];
  for (let { part, after } = place; part < parts.length; part += 1, after = beginning) {
    const asked = parts[part];
    if (asked === undefined) break;
    const { reported, ...span } = asked;
    const wanted = limit - records.length + 1;
    const query = { tenantId, unit, ...span, countedTo: BigInt(countedTo), after, limit: wanted };
    const found = await lineageRecords(runtime.database, query);
    records.push(...found.slice(0, wanted - 1).map((record) => ({ ...record, reported })));
    const last = records.at(-1);
    if (found.length === wanted)
      return { records, next: { part, after: wanted === 1 || last === undefined ? after : last } };
  }
  return { records, next: null };
};
