import { type CommandContext, type EventStore, commandHandler } from '@billstream/event-sourcing';
import { type Decimal, type Instant, epochMs, instantOfMs, newId } from '@billstream/kernel';
import {
  type LoggedRecord,
  backfillPartStream,
  backfillRecordsSchema,
  backfilledUsage,
  backfilledUsageSchema,
  backfilledUsageStream,
  usageBackfill,
  usageBackfillSchema,
  usageBackfillStream,
  usageCorrectionSchema,
  usageCorrectionStream,
  usageCorrections,
} from '@billstream/metering-domain';
import fc from 'fast-check';

const drawn = {
  user: fc.constantFrom('a', 'b', 'c'),
  hour: fc.nat(3),
  amount: fc.integer({ min: 1, max: 40 }),
};
/** Corrections of the source `s`, and backfills, of which there are three. */
export const changing = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('CORRECT' as const),
      ...drawn,
      id: fc.nat(10),
      name: fc.nat(6),
      isVoid: fc.boolean(),
      /** Ids that backfills do not bring: whether such a name is free does not depend on what is reverted later. */
      sentAs: fc.option(fc.integer({ min: 8, max: 10 })),
      /** Worked out by what stands now, or before any backfill ended; null: by an earlier release. */
      knows: fc.constantFrom('ALL', 'NOTHING', null),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('COMMIT' as const),
      which: fc.nat(2),
      mode: fc.constantFrom('ADD' as const, 'REPLACE' as const),
      users: fc.constantFrom<readonly string[] | null>(null, ['a'], ['b', 'c']),
      fromHour: fc.nat(2),
      hours: fc.integer({ min: 1, max: 4 }),
      staged: fc.array(fc.record({ ...drawn, id: fc.nat(7) }), { maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('REVERT' as const), which: fc.nat(2) }) },
);
export type Changing = typeof changing extends fc.Arbitrary<infer One> ? One : never;
type Correct = Extract<Changing, { readonly kind: 'CORRECT' }>;
type Commit = Extract<Changing, { readonly kind: 'COMMIT' }>;

const dayMs = epochMs('2024-05-10T00:00:00.000Z' as Instant);
const hourMs = 3_600_000;
const atMsOf = (hour: number): number => dayMs + hour * hourMs + hourMs / 2;

/** Carries changes out on a tenant's log, as the service does; what is refused changes nothing. */
export const changesOf = (store: EventStore, tenantId: string): ((one: Changing) => Promise<void>) => {
  const correct = commandHandler({ store, decider: usageCorrections, schema: usageCorrectionSchema });
  const collect = commandHandler({ store, decider: usageBackfill, schema: usageBackfillSchema });
  const end = commandHandler({ store, decider: backfilledUsage, schema: backfilledUsageSchema });
  const backfillIds = [newId(), newId(), newId()] as const;
  const context = (): CommandContext => ({
    ...{ commandId: newId(), tenantId, actor: { createdBy: 'spec' }, correlationId: newId() },
    at: '2024-05-10T12:00:00.000Z' as Instant,
  });
  const ends = backfilledUsageStream(tenantId);

  const corrected = async ({ id, name, isVoid, sentAs, knows, user, hour, amount }: Correct): Promise<void> => {
    const [last] = await store.readLast(ends, 1);
    const backfilledTo = knows === 'ALL' ? String(last?.position ?? -1n) : '-1';
    const replacement = isVoid ? null : { unit: 'calls', user, atMs: atMsOf(hour), amount: String(amount) as Decimal };
    const correction = {
      ...{ correctionId: `c${name}`, source: 's', id: String(id), reason: 'r', replacement },
      ...(sentAs === null ? {} : { sentAs: String(sentAs) }),
    };
    const data = { corrections: [correction], ...(knows === null ? {} : { backfilledTo }) };
    await correct(usageCorrectionStream(tenantId), { type: 'UsageCorrected', data }, context());
  };

  const stage = async (backfillId: string, { staged, users, ...scope }: Commit, toHour: number): Promise<void> => {
    const isIn = ({ user, hour }: Commit['staged'][number]): boolean =>
      (users === null || users.includes(user)) && hour >= scope.fromHour && hour < toHour;
    const records = staged
      .filter(isIn)
      .map(({ user, hour, amount, id }): LoggedRecord => [
        ...(['calls', user, atMsOf(hour), String(amount) as Decimal] as const),
        ...(['s', String(id)] as const),
      ]);
    const part = backfillRecordsSchema.encode({ type: 'PartRecorded', data: { backfillId, digest: 'd', records } });
    const { commandId, correlationId, ...rest } = context();
    const metadata = {
      ...rest,
      commandId,
      $correlationId: correlationId,
      $causationId: commandId,
      recordedAt: rest.at,
    };
    await store.append(backfillPartStream(tenantId, backfillId, 'd'), 'none', [{ id: newId(), ...part, metadata }]);
    const facts = { part: '1', digest: 'd', records: records.length, pieces: 1, rejected: 0, rejections: [] };
    await collect(usageBackfillStream(tenantId, backfillId), { type: 'Stage', part: facts }, context());
  };

  const committed = async (one: Commit): Promise<void> => {
    const backfillId = backfillIds[one.which]!;
    const { mode, users, fromHour, hours } = one;
    const [fromAt, toAt] = [instantOfMs(dayMs + fromHour * hourMs), instantOfMs(dayMs + (fromHour + hours) * hourMs)];
    const scope = { units: ['calls'], users, fromAt, toAt };
    const own = usageBackfillStream(tenantId, backfillId);
    const opened = { backfillId, name: 'n', reason: 'r', mode, ...scope };
    const begun = await collect(own, { type: 'Open', opened }, context());
    // What was opened before is committed as it was.
    if (begun.outcome !== 'accepted') return;
    await stage(backfillId, one, fromHour + hours);
    await collect(own, { type: 'Seal', toCommit: false }, context());
    await end(ends, { type: 'Commit', committed: { backfillId, mode, ...scope } }, context());
  };

  return async (one) => {
    if (one.kind === 'CORRECT') await corrected(one);
    else if (one.kind === 'COMMIT') await committed(one);
    else await end(ends, { type: 'Revert', backfillId: backfillIds[one.which]!, reason: 'r' }, context());
  };
};
