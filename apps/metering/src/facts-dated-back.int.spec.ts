import { newId } from '@billstream/kernel';
import { usageClosingStream } from '@billstream/metering-domain';
import { closingUsage, phase, transition } from './testing/closing-usage';
import { settleLateUsage } from './testing/late-usage-due';
import { type Loose, meteringWithTenant, overHttp } from './testing/metering-over-http';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-06-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
}, 30_000);
afterAll(() => system.close());

const { json, record, unit } = overHttp(() => system);
const { holder, close } = closingUsage(() => system, noon);
const begun = '2024-04-01T00:00:00.000Z';
const inMay = (name: string, user: string, amount: number, time = '2024-05-20T10:00:00Z') => ({
  ...{ unit: name, user, amount, id: newId(), time },
});
const told = async (subscriptionId: string) =>
  (await system.store.read(usageClosingStream(subscriptionId)))
    .filter(({ type }) => type === 'usage-closing.late-counted.v1')
    .map(({ data }: Loose) => [data.closedQuantity, data.quantity]);
const rules = (name: string, version: number, effectiveAt: string, freeAmount: number) =>
  json('PUT', `/v1/units/${name}/rules/${version}`, {
    ...{ effectiveAt, rules: [{ freeAmount, freePeriod: 'DAY' }] },
  });
const plans = (accountId: string, subscriptionId: string, transitions: readonly object[]) =>
  system.facts.recordPlans(
    system.heard('subscriptions.billing-changed.v1', { accountId, subscriptionId, transitions } as never),
  );

describe('rules', () => {
  it('that are put in force in the past have the closed periods counted again that they reach into', async () => {
    await unit('calls', 'SUM', [{}]);
    const held = await holder('ruled', [transition(begun, phase('standard-monthly', ['calls']))]);
    await record([inMay('calls', 'ruled', 60), inMay('calls', 'ruled', 7, '2024-05-02T10:00:00Z')]);
    await close('ruled', held, 'calls');
    expect(await settleLateUsage(system)).toBe(0);
    expect((await rules('calls', 2, '2024-06-01T00:00:00.000Z', 9)).status).toBe(200);
    expect(await settleLateUsage(system)).toBe(0); // in the past, and after the period
    expect((await rules('calls', 3, '2024-05-10T00:00:00.000Z', 5)).status).toBe(200);
    expect(await settleLateUsage(system)).toBe(1);
    expect(await told(held.subscriptionId)).toEqual([['67', '62']]);
  });
  it('that hold from now on change nothing that is closed', async () => {
    await unit('now', 'SUM', [{}]);
    const held = await holder('present', [transition(begun, phase('standard-monthly', ['now']))]);
    await record([inMay('now', 'present', 60)]);
    await close('present', held, 'now');
    expect(
      (await json('PUT', '/v1/units/now/rules/2', { effectiveAt: noon, rules: [{ freeAmount: 5, freePeriod: 'DAY' }] }))
        .status,
    ).toBe(200);
    expect(await settleLateUsage(system)).toBe(0);
  });
  it('of a unit that is defined after its usage was closed count that, too', async () => {
    const held = await holder('early', [transition(begun, phase('standard-monthly', ['later']))]);
    await record([inMay('later', 'early', 60)]);
    expect(await close('early', held, 'later')).toMatchObject({ quantity: '0', rule: null });
    await unit('later', 'SUM', [{}]);
    expect(await settleLateUsage(system)).toBe(1);
    expect(await told(held.subscriptionId)).toEqual([['0', '60']]);
  });
});

describe('plans', () => {
  it('of another subscription that are dated back take over usage that was billed', async () => {
    const plan = phase('standard-monthly', ['analytics']);
    const first = await holder('second', [transition(begun, plan)]);
    await record([inMay('analytics', 'second', 8), inMay('analytics', 'other', 5)]);
    await close('second', first, 'analytics');
    const other = await holder('other', [transition(begun, plan)]);
    await close('other', other, 'analytics');
    const older = newId();
    await plans(first.accountId, older, [transition('2024-03-01T00:00:00.000Z', plan)]);
    expect(await settleLateUsage(system)).toBe(1);
    expect(await told(first.subscriptionId)).toEqual([['8', '0']]);
    expect(await told(other.subscriptionId)).toEqual([]);
    // It never was: what it had taken over is the first one's again.
    await plans(first.accountId, older, []);
    expect(await settleLateUsage(system)).toBe(1);
    expect((await told(first.subscriptionId)).at(-1)).toEqual(['0', '8']);
  });
  it('of the subscription itself are for invoicing to ask about', async () => {
    const held = await holder('itself', [transition(begun, phase('standard-monthly', ['analytics']))]);
    await record([inMay('analytics', 'itself', 8)]);
    await close('itself', held, 'analytics');
    await plans(held.accountId, held.subscriptionId, [
      transition(begun, phase('standard-monthly', ['analytics'])),
      transition('2024-05-10T00:00:00.000Z', phase('standard-pro', ['analytics'])),
    ]);
    expect(await settleLateUsage(system)).toBe(0);
  });
  it('say nothing of periods in which nothing was metered: reports are of one subscription', async () => {
    const plan = phase('standard-monthly', ['analytics']);
    const held = await holder('reports', [transition(begun, plan)]);
    const report = (trackingId: string) =>
      json('POST', '/1.0/kb/usages', {
        ...{ subscriptionId: held.subscriptionId, trackingId },
        unitUsageRecords: [{ unitType: 'analytics', usageRecords: [{ recordDate: '2024-05-09', amount: 3 }] }],
      });
    await report('a');
    expect(await close('reports', held, 'analytics')).toMatchObject({ quantity: '3' });
    await report('b');
    await plans(held.accountId, newId(), [transition('2024-03-01T00:00:00.000Z', plan)]);
    expect(await settleLateUsage(system)).toBe(0);
  });
  it('that begin or end now change nothing that is closed', async () => {
    const plan = phase('standard-monthly', ['analytics']);
    const held = await holder('today', [transition(begun, plan)]);
    await record([inMay('analytics', 'today', 8)]);
    await close('today', held, 'analytics');
    await plans(held.accountId, newId(), [transition(noon, plan)]);
    expect(await settleLateUsage(system)).toBe(0);
  });
});
