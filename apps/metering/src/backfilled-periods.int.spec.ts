import { newId } from '@billstream/kernel';
import { usageClosingStream } from '@billstream/metering-domain';
import { backfillsOf } from './testing/backfill-requests';
import { settleLateUsage } from './testing/late-usage-due';
import { type Loose, meteringWithTenant } from './testing/metering-over-http';
import { liveAndRebuilt } from './testing/rebuilt-tables';

let system: Awaited<ReturnType<typeof meteringWithTenant>>;
const noon = '2024-05-10T12:00:00.000Z';
beforeAll(async () => {
  system = await meteringWithTenant(noon);
});
beforeEach(() => system.at(noon));
afterAll(() => system.close());

const { json, unit, path, send, open, stage, commit, revert, preview, record } = backfillsOf(() => system);

describe('a backfill of a closed period', () => {
  const april = { from: '2024-04-01T00:00:00.000Z', to: '2024-05-01T00:00:00.000Z' };
  const inApril = (user: string, id: string, amount: number) => record(user, id, amount, '2024-04-20T10:00:00.000Z');
  const close = async (user: string, units = ['analytics']) => {
    const [accountId, subscriptionId] = [newId(), newId()];
    await system.facts.recordNewAccount(
      system.heard('accounts.account-created.v1', { accountId, externalKey: user, timeZone: 'UTC' } as never),
    );
    const usages = [{ tiers: [{ blocks: [{ unit: 'analytics', size: '1', max: null, price: '1' }], limits: [] }] }];
    const phase = { planName: 'standard-monthly', productCategory: 'BASE', usages };
    await system.facts.recordPlans(
      system.heard('subscriptions.billing-changed.v1', {
        ...{ accountId, subscriptionId, transitions: [{ effectiveAt: april.from, phase }] },
      } as never),
    );
    await system.runtime.caughtUp();
    const ask = () =>
      system.requests.closeUsage(
        system.heard('invoicing.usage-requested.v1', {
          ...{ requestId: newId(), accountId, accountExternalKey: user, subscriptionId },
          ...{ planName: 'standard-monthly', timeZone: 'UTC' },
          periods: units.map((name) => ({ unit: name, usageName: 'usage', fromAt: april.from, toAt: april.to })),
        } as never),
      );
    await ask();
    const told = async () =>
      (await system.store.read(usageClosingStream(subscriptionId)))
        .filter(({ type }) => type === 'usage-closing.late-counted.v1')
        .map(({ data }: Loose) => [data.closedQuantity, data.quantity]);
    return { told, ask, subscriptionId, settled: () => settleLateUsage(system) };
  };

  it('is told of once by its commit and once by its revert', async () => {
    await send([inApril('late', 'late1', 10)]);
    const { told, settled, subscriptionId } = await close('late');
    const id = await open({ ...april, mode: 'REPLACE', users: ['late'] });
    await stage(id, '1', [inApril('late', 'late1', 4), inApril('late', 'late2', 3)]);
    expect((await preview(id)).closedPeriods).toMatchObject([
      { subscriptionId, unit: 'analytics', ...april, quantity: { before: '10', after: '7', difference: '-3' } },
    ]);
    expect(await settled()).toBe(0);
    await commit(id);
    expect(await settled()).toBe(1);
    expect((await preview(id)).closedPeriods).toMatchObject([{ quantity: { before: '7', after: '10' } }]);
    await revert(id);
    expect(await settled()).toBe(1);
    expect(await told()).toEqual([
      ['10', '7'],
      ['7', '10'],
    ]);
  });

  it('is told to invoicing with all units of its price, as each would be counted', async () => {
    await unit('pages', 'SUM', [{}]);
    await send([inApril('two', 'two1', 10), { ...inApril('two', 'two2', 6), unit: 'pages' }]);
    const { subscriptionId } = await close('two', ['analytics', 'pages']);
    const id = await open({ ...april, users: ['two'] });
    await stage(id, '1', [inApril('two', 'two3', 4)]);
    const { body } = await json('GET', `/v1/internal/usage/backfills/${id}/preview`);
    expect(body.answer.closedPeriods).toMatchObject([{ unit: 'analytics', quantity: { after: '14' } }]);
    expect(body.changed).toEqual([
      expect.objectContaining({
        ...{ subscriptionId, planName: 'standard-monthly', usageName: 'usage', fromAt: april.from, toAt: april.to },
        usages: [
          expect.objectContaining({ unit: 'analytics', quantity: '14', records: 2 }),
          expect.objectContaining({ unit: 'pages', quantity: '6', records: 1 }),
        ],
      }),
    ]);
    await json('DELETE', `${path}/${id}`);
  });

  it('can be listed record by record as it was counted, before, between and after', async () => {
    await send([inApril('lineage', 'l1', 10), inApril('lineage', 'l2', 20)]);
    const { ask } = await close('lineage');
    const lineage = async (countedTo: string) => {
      const query = `user=lineage&unit=analytics&fromAt=${april.from}&toAt=${april.to}&countedTo=${countedTo}`;
      return (await json('GET', `/v1/usage/lineage?${query}`)).body.records as readonly Loose[];
    };
    const lastCount = async () => {
      await ask();
      const closed = (await system.store.readAll({ after: null, prefixes: ['usageClosing-'] })).events.at(-1);
      return (closed!.data as Loose).usages[0].countedTo as string;
    };
    const counts = [await lastCount()];
    const id = await open({ ...april, mode: 'REPLACE', users: ['lineage'] });
    await stage(id, '1', [inApril('lineage', 'l2', 5), inApril('lineage', 'l3', 7)]);
    await commit(id);
    counts.push(await lastCount());
    await revert(id);
    counts.push(await lastCount());
    const amounts = async () =>
      Promise.all(counts.map(async (to) => (await lineage(to)).map(({ amount }) => amount as string).sort()));
    expect(await amounts()).toEqual([
      ['10', '20'],
      ['5', '7'],
      ['10', '20'],
    ]);
    for (const { stream, revision, index, amount } of await lineage(counts[1]!)) {
      const [event] = await system.store.read(stream, BigInt(revision), 1);
      expect(event!.type).toBe('usage-backfill-part.recorded.v1');
      expect((event!.data as Loose).records[index][3]).toBe(amount);
    }
  });
});

it('a read model that is built again from the log is the same', async () => {
  const { live, rebuilt } = await liveAndRebuilt(system);
  expect(rebuilt).toEqual(live);
});
