import { instantOfMs, parseInstant } from '@billstream/kernel';
import { subscriptionsUnderTest } from '../testing/subscriptions-under-test';

let service: Awaited<ReturnType<typeof subscriptionsUnderTest>>;
beforeEach(async () => {
  service = await subscriptionsUnderTest(parseInstant('2026-01-10T10:00:00Z') ?? instantOfMs(0));
  await service.usesDefaultCatalog();
});
afterEach(() => service.close());

const planned = async (payload: object) => {
  const answer = await service.call({ method: 'POST', url: '/1.0/kb/internal/invoices/dryRun', payload });
  return { status: answer.statusCode, ...answer.json<{ plannedTimelines: { transitions: object[] }[] }>() };
};

describe('planning a dry run', () => {
  it('hands on whom an upcoming invoice is to bill', async () => {
    const asked = { dryRunType: 'UPCOMING_INVOICE', subscriptionId: 'one', bundleId: 'several' };
    expect(await planned(asked)).toEqual({ status: 200, ...asked, plannedTimelines: [] });
  });

  it('plans a stop, but nothing where that much is stopped already', async () => {
    const accountId = await service.hasAccount();
    const payload = { accountId, planName: 'standard-monthly' };
    const created = await service.call({ method: 'POST', url: '/1.0/kb/subscriptions', payload });
    const path = new URL(String(created.headers.location)).pathname;
    const stop = {
      dryRunType: 'SUBSCRIPTION_ACTION',
      dryRunAction: 'STOP_BILLING',
      subscriptionId: path.split('/').at(-1),
    };
    const transitions = async (effectiveDate: string) =>
      (await planned({ ...stop, effectiveDate })).plannedTimelines.map(({ transitions: all }) => all.at(-1));
    const ended = (date: string) => [expect.objectContaining({ effectiveAt: `${date}T10:00:00.000Z`, phase: null })];
    expect(await transitions('2026-01-20')).toEqual(ended('2026-01-20'));
    await service.call({ method: 'DELETE', url: `${path}?requestedDate=2026-01-20&useRequestedDateForBilling=true` });
    expect(await transitions('2026-01-20')).toEqual([]);
    expect(await transitions('2026-01-25')).toEqual([]);
    expect(await transitions('2026-01-15')).toEqual(ended('2026-01-15'));
  });
});
