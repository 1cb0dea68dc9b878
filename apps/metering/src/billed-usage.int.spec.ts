import { closedUsages } from './close-usage';
import { closingUsage, phase, transition } from './testing/closing-usage';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
const [may, june] = ['2024-05-01T00:00:00.000Z', '2024-06-01T00:00:00.000Z'];
beforeAll(async () => {
  system = await meteringWithTenant(noon);
}, 30_000);
beforeEach(() => system.at(noon));
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const { holder, close } = closingUsage(() => system, noon);
const onPlan = (name: string, units: readonly string[]) =>
  holder(name, [transition('2024-04-01T00:00:00.000Z', phase('standard-monthly', units))]);

type Names = Readonly<Record<string, string>>;
const lineage = async (subscriptionId: string, closed: Loose, more: Names = {}) => {
  const { unit: name, usageName, fromAt, toAt, countedTo } = closed;
  const query = new URLSearchParams({ subscriptionId, unit: name, usageName, fromAt, toAt, countedTo, ...more });
  return json('GET', `/v1/usage/billed?${String(query)}`);
};
const sumOf = (records: readonly Loose[]): number =>
  records.reduce<number>((sum, { amount }) => sum + Number(amount), 0);
const replace = (user: string, id: string, replacement: object | null) =>
  json(
    'POST',
    '/v1/usage/corrections',
    replacement === null
      ? { action: 'VOID', source: user, id, reason: 'test' }
      : { action: 'REPLACE', source: user, id, reason: 'test', replacement },
  );
const sent = (user: string, name: string, id: string, amount: number, time = noon) => ({
  ...{ unit: name, user, amount, id, source: user },
  time,
});

describe('what is counted for a bill', () => {
  it('is what counted at the position it names, although more has been taken in and corrected since', async () => {
    const { subscriptionId } = await onPlan('race', ['analytics']);
    await record([sent('race', 'analytics', '1', 5), sent('race', 'analytics', '2', 7)]);
    const request = {
      ...{ tenantId: system.tenantId, user: 'race', subscriptionId, planName: 'standard-monthly', timeZone: 'UTC' },
      periods: [{ unit: 'analytics', usageName: 'usage', fromAt: may, toAt: june }],
    } as never;
    const countedTo = await system.metering.usageCounted(request, 0n);
    await record([sent('race', 'analytics', '3', 100)]);
    await replace('race', '1', { amount: 50 });
    await replace('race', '2', null);
    await system.runtime.caughtUp();
    const at = async (position: bigint) => {
      const [counted] = await closedUsages(system.metering.closingQuestions, request, position);
      return [counted!.usage.quantity, counted!.usage.records];
    };
    expect(await at(countedTo)).toEqual(['12', 2]);
    expect(await at(await system.metering.usageCounted(request, 0n))).toEqual(['150', 2]);
  });
  it('holds for what was reported for a subscription, too', async () => {
    const { subscriptionId } = await onPlan('reporter', ['analytics']);
    const report = (trackingId: string, amount: number) =>
      json('POST', '/1.0/kb/usages', {
        ...{ subscriptionId, trackingId },
        unitUsageRecords: [{ unitType: 'analytics', usageRecords: [{ recordDate: '2024-05-09', amount }] }],
      });
    await report('a', 3);
    const request = {
      ...{ tenantId: system.tenantId, user: 'reporter', subscriptionId, planName: 'standard-monthly', timeZone: 'UTC' },
      periods: [{ unit: 'analytics', usageName: 'usage', fromAt: may, toAt: june }],
    } as never;
    const countedTo = await system.metering.usageCounted(request, 0n);
    await report('b', 4);
    await system.runtime.caughtUp();
    const [counted] = await closedUsages(system.metering.closingQuestions, request, countedTo);
    expect(counted!.usage).toMatchObject({ quantity: '3', trackingIds: ['a'] });
  });
});

describe('the lineage of a billed quantity', () => {
  it('lists its records, page by page, and they add up to it, whatever came and was corrected since', async () => {
    const held = await onPlan('lister', ['analytics']);
    const ids = Array.from({ length: 7 }, (_, index) => String(index));
    await record(ids.map((id) => sent('lister', 'analytics', id, Number(id) + 1)));
    const closed = await close('lister', held, 'analytics');
    expect(closed).toMatchObject({ quantity: '28', records: 7 });
    const first = (await lineage(held.subscriptionId, closed)).body;
    expect(first).toMatchObject({
      ...{ subscriptionId: held.subscriptionId, user: 'lister', planName: 'standard-monthly', unit: 'analytics' },
      ...{ quantity: '28', metered: '28', free: '0', recordCount: 7, next: null },
    });
    expect(sumOf(first.records)).toBe(28);
    for (const { stream, revision, index, amount } of first.records) {
      const [event] = await system.store.read(stream, BigInt(revision), 1);
      expect((event!.data as Loose).records[index]).toEqual(expect.arrayContaining(['lister', amount]));
    }

    await record([sent('lister', 'analytics', 'late', 1_000)]);
    await replace('lister', '3', { amount: 77 });
    await replace('lister', '4', null);
    await system.runtime.caughtUp();
    expect((await lineage(held.subscriptionId, closed)).body).toEqual(first);

    const paged: Loose[] = [];
    for (let cursor: Names = {}; ;) {
      const { records, next } = (await lineage(held.subscriptionId, closed, { limit: '3', ...cursor })).body;
      paged.push(...records);
      if (next === null) break;
      cursor = { cursor: next };
    }
    expect(paged).toEqual(first.records);
  });
  it('names the rules of each stretch, hours that were filled in and free amounts, as they were when it was billed', async () => {
    const gauge = { putEmptyPeriod: true, freeAmount: 10, freePeriod: 'HOUR', periodSplitting: 'HOUR', maxGapHours: 3 };
    await unit('disk', 'AVG', [gauge]);
    const held = await onPlan('filler', ['disk']);
    await record([
      sent('filler', 'disk', '1', 20, '2024-05-09T08:10:00Z'),
      sent('filler', 'disk', '2', 30, '2024-05-09T09:10:00Z'),
      sent('filler', 'disk', '3', 50, '2024-05-09T12:10:00Z'),
      sent('filler', 'disk', '4', 5, '2024-05-09T20:10:00Z'),
    ]);
    const closed = await close('filler', held, 'disk');
    expect(closed).toMatchObject({ quantity: '130', metered: '185', free: '55', syntheticBuckets: 2 });
    const { body } = await lineage(held.subscriptionId, closed);
    expect(body).toMatchObject({ quantity: '130', metered: '185', free: '55', recordCount: 4 });
    expect(body.stretches).toMatchObject([
      {
        ...{ fromAt: may, toAt: june, quantity: '130', metered: '185', free: '55', recordCount: 4, gapsTooLong: 1 },
        rule: { version: 1, countingMethod: 'AVG', freeAmount: '10', freePeriod: 'HOUR', putEmptyPeriod: true },
        synthetic: [
          { at: '2024-05-09T10:00:00.000Z', value: '40' },
          { at: '2024-05-09T11:00:00.000Z', value: '40' },
        ],
        freeAmounts: [{ date: '2024-05-09', usage: '185', free: '55' }],
      },
    ]);
    // Rules that are put in force in the past say nothing of what was billed.
    await json('PUT', '/v1/units/disk/rules/2', {
      effectiveAt: '2024-04-01T00:00:00Z',
      rules: [{ freeAmount: 1, freePeriod: 'HOUR', periodSplitting: 'HOUR' }],
    });
    expect((await lineage(held.subscriptionId, closed)).body).toEqual(body);
  });
  it('holds only the records of stretches that were the subscription’s, and those that were reported for it', async () => {
    await unit('mixed', 'SUM', [{ applyPlan: true, basePlan: 'standard-monthly' }]);
    const held = await holder('mixer', [transition('2024-05-05T00:00:00.000Z', phase('standard-monthly', ['mixed']))]);
    await record([
      sent('mixer', 'mixed', '1', 100, '2024-05-02T00:00:00Z'),
      sent('mixer', 'mixed', '2', 4, '2024-05-06T00:00:00Z'),
    ]);
    await json('POST', '/1.0/kb/usages', {
      ...{ subscriptionId: held.subscriptionId, trackingId: 'r1' },
      unitUsageRecords: [{ unitType: 'mixed', usageRecords: [{ recordDate: '2024-05-07', amount: 9 }] }],
    });
    const closed = await close('mixer', held, 'mixed', { from: '2024-05-05T00:00:00.000Z' });
    expect(closed).toMatchObject({ quantity: '13', records: 2, trackingIds: ['r1'] });
    const { body } = await lineage(held.subscriptionId, closed);
    expect(body.records.map(({ amount, reported }: Loose) => [amount, reported])).toEqual([
      ['4', false],
      ['9', true],
    ]);
    expect(body.trackingIds).toEqual(['r1']);
    const one = (await lineage(held.subscriptionId, closed, { limit: '1' })).body;
    const two = (await lineage(held.subscriptionId, closed, { limit: '1', cursor: one.next })).body;
    expect([...one.records, ...two.records, two.next]).toEqual([...body.records, null]);
  });
  it('is of one tenant, and of what was billed', async () => {
    const held = await onPlan('nobody', ['analytics']);
    const closed = await close('nobody', held, 'analytics');
    expect((await lineage(held.subscriptionId, closed)).status).toBe(200);
    expect((await lineage(held.subscriptionId, { ...closed, countedTo: '1' })).status).toBe(404);
    const query = new URLSearchParams({ subscriptionId: held.subscriptionId, unit: 'analytics', usageName: 'usage' });
    const names = { fromAt: closed.fromAt, toAt: closed.toAt, countedTo: closed.countedTo };
    const url = `/v1/usage/billed?${String(query)}&${String(new URLSearchParams(names))}`;
    expect((await system.call({ method: 'GET', url, tenant: 'other' })).statusCode).toBe(404);
    const wrong = await lineage(held.subscriptionId, closed, { fromAt: 'May', cursor: 'x' });
    expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([400, 'query:fromAt']);
  });
});
