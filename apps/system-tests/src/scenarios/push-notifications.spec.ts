import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Shop, by, openShop } from '../official-client/shop';
import { startSystem } from '../system';

type News = {
  readonly eventType: string;
  readonly accountId: string | null;
  readonly objectType: string;
  readonly objectId: string | null;
  readonly metaData: string | null;
};

/** What a tenant's callback hears of, asked for with Kill Bill's own client. */
let shop: Shop;
const told: News[] = [];
const callback = createServer((request, response) => {
  void text(request).then((body) => {
    told.push(JSON.parse(body) as News);
    response.writeHead(200).end();
  });
});
beforeAll(async () => {
  await new Promise<void>((resolve) => callback.listen(0, '127.0.0.1', resolve));
  shop = await openShop(await startSystem());
  const url = `http://127.0.0.1:${String((callback.address() as AddressInfo).port)}/hook`;
  await shop.kb.tenant.registerPushNotificationCallback(by, url);
}, 60_000);
afterAll(async () => {
  await shop.system.stop();
  callback.closeAllConnections();
  callback.close();
}, 30_000);
beforeEach(() => told.splice(0));
jest.setTimeout(60_000);

const ofTypes = async (...types: readonly string[]): Promise<readonly News[]> => {
  await shop.rest();
  return told.filter(({ eventType }) => types.includes(eventType));
};
const metaDataOf = ({ metaData }: News): unknown => JSON.parse(metaData ?? 'null');

it('pausing and resuming a bundle, now and later', async () => {
  const { kb } = shop;
  const { bundleId = '', accountId } = await shop.subscribe(await shop.customer(), 'pistol-monthly-notrial');
  await kb.bundle.pauseBundle(bundleId, by);
  const of = { accountId, objectType: 'BUNDLE', objectId: bundleId, metaData: null };
  expect(await ofTypes('BUNDLE_PAUSE', 'BLOCKING_STATE')).toEqual([{ eventType: 'BUNDLE_PAUSE', ...of }]);
  await kb.bundle.resumeBundle(bundleId, by, '2026-03-11');
  expect(await ofTypes('BUNDLE_RESUME')).toEqual([]);
  await shop.at('2026-03-12T08:00:00Z');
  expect(await ofTypes('BUNDLE_RESUME', 'BLOCKING_STATE')).toEqual([{ eventType: 'BUNDLE_RESUME', ...of }]);
});

it('what else blocks, with what that changes', async () => {
  const { kb } = shop;
  const { subscriptionId = '', accountId = '' } = await shop.subscribe(await shop.customer(), 'pistol-monthly-notrial');
  const blocks = (stateName: string, isBlockBilling: boolean) => ({ service: 'fraud', stateName, isBlockBilling });
  await kb.account.addAccountBlockingState({ ...blocks('SUSPECT', true), isBlockEntitlement: true }, accountId, by);
  await shop.rest();
  await kb.subscription.addSubscriptionBlockingState({ ...blocks('SUSPECT', true) }, subscriptionId, by);
  await shop.rest();
  await kb.account.addAccountBlockingState({ ...blocks('FINE', false) }, accountId, by);
  const told = await ofTypes('BLOCKING_STATE');
  expect(told.map(({ objectType, objectId }) => [objectType, objectId])).toEqual([
    ['ACCOUNT', accountId],
    ['SUBSCRIPTION', subscriptionId],
    ['ACCOUNT', accountId],
  ]);
  const nothing = {
    ...{ transitionedToBlockedBilling: false, transitionedToUnblockedBilling: false },
    ...{ transitionedToBlockedEntitlement: false, transitionedToUnblockedEntitlement: false },
  };
  const effectiveDate = expect.stringMatching(/^2026-03-12T.*Z$/) as string;
  const ofAccount = { blockableId: accountId, service: 'fraud', blockingType: 'ACCOUNT', effectiveDate };
  expect(told.map(metaDataOf)).toEqual([
    {
      ...{ ...ofAccount, stateName: 'SUSPECT', ...nothing },
      ...{ transitionedToBlockedBilling: true, transitionedToBlockedEntitlement: true },
    },
    {
      ...{ blockableId: subscriptionId, service: 'fraud', stateName: 'SUSPECT', blockingType: 'SUBSCRIPTION' },
      ...{ effectiveDate, ...nothing },
    },
    {
      ...{ ...ofAccount, stateName: 'FINE', ...nothing },
      ...{ transitionedToUnblockedBilling: true, transitionedToUnblockedEntitlement: true },
    },
  ]);
});

it('an invoice that changes after it was made', async () => {
  const { kb } = shop;
  const one = await shop.customer();
  await shop.subscribe(one, 'pistol-monthly-notrial');
  const [invoice] = await shop.invoices(one);
  const { invoiceId = '', items = [] } = invoice!;
  expect(await ofTypes('INVOICE_CREATION', 'INVOICE_ADJUSTMENT')).toMatchObject([{ eventType: 'INVOICE_CREATION' }]);
  await kb.invoice.adjustInvoiceItem(
    ...([
      { accountId: one.accountId, invoiceItemId: items[0]?.invoiceItemId ?? '', amount: 5 },
      invoiceId,
      by,
    ] as const),
  );
  const news = await ofTypes('INVOICE_ADJUSTMENT');
  expect(news.length).toBeGreaterThan(0);
  for (const one of news) expect(one).toMatchObject({ objectType: 'INVOICE', objectId: invoiceId, metaData: null });
});

describe('closing an account', () => {
  /** Its plan has a phase to come and an end that was asked for, its charge is not paid and makes it overdue in ten days. */
  const closed = async (removeFutureNotifications: boolean): Promise<readonly string[]> => {
    const { kb } = shop;
    const { accountId } = await shop.customer();
    await kb.account.createAccountTags(['00000000-0000-0000-0000-000000000001'], accountId, by);
    await shop.subscribe({ accountId } as never, 'shotgun-monthly');
    const charge = { accountId, amount: 10, currency: 'USD' as never };
    await kb.invoice.createExternalCharges([charge as never], accountId, by, undefined, true);
    await shop.rest();
    await kb.account.closeAccount(...([accountId, by, false, false, false, removeFutureNotifications] as const));
    await shop.rest();
    told.splice(0);
    const { data } = await shop.api
      .ask('GET', '/1.0/kb/test/clock')
      .then((answer) => ({ data: answer.json<{ localDate: string }>() }));
    await shop.at(`${new Date(Date.parse(data.localDate) + 40 * 86_400_000).toISOString().slice(0, 10)}T08:00:00Z`);
    await shop.rest();
    return told.filter((one) => one.accountId === accountId).map(({ eventType }) => eventType);
  };
  beforeAll(async () => {
    const state = {
      ...{
        name: 'LATE',
        isClearState: false,
        externalMessage: 'late',
        isBlockChanges: false,
        isDisableEntitlement: false,
      },
      condition: { timeSinceEarliestUnpaidInvoiceEqualsOrExceeds: { unit: 'DAYS', number: 10 } },
    };
    await shop.kb.overdue.uploadOverdueConfigJson(
      ...([{ initialReevaluationInterval: 10, overdueStates: [state] } as never, by] as const),
    );
    await shop.rest();
  });

  it('ends what is planned: no phase is told and no overdue state entered', async () => {
    expect(await closed(true)).toEqual([]);
  });
  it('leaves it where it was asked to', async () => {
    expect(await closed(false)).toEqual(expect.arrayContaining(['SUBSCRIPTION_PHASE', 'OVERDUE_CHANGE']));
  });
});
