import type { Decimal } from '@billstream/kernel';
import { type LoggedRecord, usageCorrectionSchema, usageCorrectionStream } from '@billstream/metering-domain';
import fc from 'fast-check';
import { usageQuarters } from './index';
import {
  type Told,
  applied,
  contents,
  logOf,
  startMs,
  tenantId,
  usage,
  wholeDay,
  withTables,
} from './testing/metering-log';

withTables();
jest.setTimeout(120_000);

const users = ['a', 'b'] as const;
type User = (typeof users)[number];
type Entry =
  | { readonly kind: 'record'; readonly id: number; readonly user: User; readonly amount: number }
  | { readonly kind: 'void'; readonly id: number; readonly name: number }
  | {
      readonly kind: 'replace';
      readonly id: number;
      readonly name: number;
      readonly user: User;
      readonly amount: number;
      /** Id of the record that it was sent as; null: it was not sent as one. */
      readonly sentAs: number | null;
    };

const id = fc.integer({ min: 0, max: 5 });
const name = fc.integer({ min: 0, max: 9 });
const user = fc.constantFrom(...users);
const amount = fc.integer({ min: 0, max: 50 });
const entry: fc.Arbitrary<Entry> = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('record' as const), id, user, amount }), weight: 3 },
  { arbitrary: fc.record({ kind: fc.constant('void' as const), id, name }), weight: 1 },
  {
    arbitrary: fc.record({ kind: fc.constant('replace' as const), id, name, user, amount, sentAs: fc.option(id) }),
    weight: 1,
  },
);

const toldOf = (one: Entry): Told => {
  if (one.kind === 'record') {
    const record: LoggedRecord = ['calls', one.user, startMs, String(one.amount) as Decimal, 's', String(one.id)];
    return usage(one.user === 'a' ? 0 : 1, [record]);
  }
  const replacement =
    one.kind === 'void'
      ? null
      : { unit: 'calls', user: one.user, atMs: startMs, amount: String(one.amount) as Decimal };
  const sent = one.kind === 'void' || one.sentAs === null ? {} : { sentAs: String(one.sentAs) };
  const correction = {
    correctionId: String(one.name),
    source: 's',
    id: String(one.id),
    reason: 'r',
    replacement,
    ...sent,
  };
  const { type, data } = usageCorrectionSchema.encode({ type: 'UsageCorrected', data: { corrections: [correction] } });
  return { stream: usageCorrectionStream(tenantId), type, data };
};

/** What the log means, read entry by entry: the first of a name is the record, the last correction of it holds. */
const oracle = (entries: readonly Entry[]): Readonly<Record<User, number>> => {
  const records = new Map<number, { user: User; amount: number } | null>();
  const names = new Set<number>();
  for (const one of entries) {
    if (one.kind === 'record') {
      if (!records.has(one.id)) records.set(one.id, { user: one.user, amount: one.amount });
      continue;
    }
    if (names.has(one.name)) continue;
    if (one.kind === 'replace' && one.sentAs !== null && records.has(one.sentAs)) continue;
    names.add(one.name);
    if (records.has(one.id)) records.set(one.id, one.kind === 'void' ? null : { user: one.user, amount: one.amount });
    if (one.kind === 'replace' && one.sentAs !== null) records.set(one.sentAs, null);
  }
  const sums = { a: 0, b: 0 };
  for (const record of records.values()) if (record) sums[record.user] += record.amount;
  return sums;
};

it('corrected usage is what the log means, in whatever pages it comes', async () => {
  const pages = fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 25 }), pages, async (entries, sizes) => {
      const events = logOf(entries.map(toldOf));
      const database = await applied(events, sizes);
      const sums = { a: 0, b: 0 };
      for (const one of users)
        for (const { sum } of await usageQuarters(database, { tenantId, user: one, unit: 'calls' }, wholeDay))
          sums[one] += Number(sum);
      expect(sums).toEqual(oracle(entries));
      expect(await contents(database)).toEqual(await contents(await applied(events)));
    }),
    { numRuns: 12 },
  );
});
