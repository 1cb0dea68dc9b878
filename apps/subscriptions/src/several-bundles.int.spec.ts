import { derivedId, instantOfMs, newId, parseInstant } from '@billstream/kernel';
import {
  type PlannedCreation,
  accountChangesDecider,
  accountChangesSchema,
  accountChangesStream,
} from '@billstream/subscriptions-domain';
import { subscriptionsUnderTest } from './testing/subscriptions-under-test';

const at = (text: string) => parseInstant(`${text}T10:00:00Z`) ?? instantOfMs(0);
const pathOf = (location: unknown): string => {
  const { pathname, search } = new URL(String(location));
  return pathname + search;
};

let service: Awaited<ReturnType<typeof subscriptionsUnderTest>>;
beforeEach(async () => {
  service = await subscriptionsUnderTest(at('2026-01-10'));
  await service.usesDefaultCatalog();
});
afterEach(() => service.close());

const send = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
  service.call({ method, url: `/1.0/kb${url}`, ...(payload === undefined ? {} : { payload }) });
const shown = async (location: unknown) => (await service.call({ method: 'GET', url: pathOf(location) })).json();

const told = async () =>
  (await service.published()).map(({ type, data }) =>
    type === 'subscriptions.billing-changed.v1' ? ('isFollowed' in data ? 'followed' : 'last') : 'ended',
  );

describe('several bundles in one request', () => {
  it('are one change: nothing is to be charged before the last timeline', async () => {
    const accountId = await service.hasAccount();
    const bundle = (key: string) => ({
      baseEntitlementAndAddOns: [{ accountId, bundleExternalKey: key, planName: 'standard-monthly' }],
    });
    const created = await send('POST', '/subscriptions/createSubscriptionsWithAddOns', [bundle('one'), bundle('two')]);
    expect(created.statusCode).toBe(201);
    expect(
      (await shown(created.headers.location)).map(({ externalKey }: { externalKey: string }) => externalKey),
    ).toEqual(['one', 'two']);
    expect(await told()).toEqual(['followed', 'followed', 'ended']);
  });

  it('are refused together when one key is taken, and leave no bundle behind', async () => {
    const accountId = await service.hasAccount();
    await send('POST', '/subscriptions', { accountId, bundleExternalKey: 'taken', planName: 'standard-monthly' });
    const bundle = (key: string) => ({
      baseEntitlementAndAddOns: [{ accountId, bundleExternalKey: key, planName: 'standard-monthly' }],
    });
    const refused = await send('POST', '/subscriptions/createSubscriptionsWithAddOns', [
      bundle('new'),
      bundle('taken'),
    ]);
    expect([refused.statusCode, refused.json().code]).toEqual([400, 1014]);
    expect((await send('GET', '/bundles?externalKey=new')).statusCode).toBe(404);
  });

  it('are completed by due work when whoever began has gone', async () => {
    const accountId = await service.hasAccount();
    const changeId = newId();
    const creation: PlannedCreation = {
      bundleId: newId(),
      externalKey: 'left behind',
      entitlementAt: null,
      billingAt: null,
      migrated: false,
      claimsKey: true,
      renameUnused: true,
      subscriptions: [
        {
          subscriptionId: newId(),
          externalKey: null,
          plan: { planName: 'standard-monthly' },
          startIn: null,
          quantity: 1,
          billCycleDayLocal: null,
          priceOverrides: [],
        },
      ],
    };
    const { runtime, tenantId } = service;
    const change = { kind: 'CREATE' as const, creations: [creation] };
    await runtime.handle(accountChangesDecider, accountChangesSchema)(
      accountChangesStream(accountId),
      { type: 'BeginAccountChange', data: { changeId, accountId, at: at('2026-01-10'), change } },
      {
        commandId: derivedId(changeId, 'begin'),
        tenantId,
        actor: { createdBy: 'test' },
        at: at('2026-01-10'),
        correlationId: changeId,
      },
    );
    await runtime.caughtUp();
    expect((await send('GET', '/bundles?externalKey=left%20behind')).statusCode).toBe(404);
    expect(await service.isNow(at('2026-01-11'))).toBe(1);
    const [bundle] = (await send('GET', '/bundles?externalKey=left%20behind')).json();
    expect(bundle).toMatchObject({
      bundleId: creation.bundleId,
      subscriptions: [{ startDate: '2026-01-10T10:00:00.000Z' }],
    });
    expect(await told()).toEqual(['followed', 'ended']);
  });
});

describe('an account', () => {
  it('is blocked as a whole, with every bundle it has and gets', async () => {
    const accountId = await service.hasAccount();
    const { headers } = await send('POST', '/subscriptions', { accountId, planName: 'standard-monthly' });
    const state = { service: 'fraud', stateName: 'SUSPECT', isBlockChange: true, isBlockEntitlement: true };
    const blocked = await send('POST', `/accounts/${accountId}/block`, state);
    expect([blocked.statusCode, pathOf(blocked.headers.location)]).toEqual([
      201,
      `/1.0/kb/accounts/${accountId}/block?blockingStateTypes=ACCOUNT`,
    ]);
    expect(await shown(blocked.headers.location)).toMatchObject([
      { blockedId: accountId, type: 'ACCOUNT', service: 'fraud', stateName: 'SUSPECT', isBlockBilling: false },
    ]);
    expect((await shown(headers.location)).state).toBe('BLOCKED');
    const refused = await send('POST', '/subscriptions', { accountId, planName: 'standard-monthly' });
    expect([refused.statusCode, refused.json().code]).toEqual([400, 6000]);
    const all = await send('GET', `/accounts/${accountId}/block?blockingStateSvcs=entitlement-service`);
    expect(all.json()).toMatchObject([{ stateName: 'ENT_STARTED', type: 'SUBSCRIPTION' }]);
    const legacy = await send('PUT', `/accounts/${accountId}/block`, { service: 'fraud', stateName: 'CLEAR' });
    expect(legacy.statusCode).toBe(200);
    expect((await shown(headers.location)).state).toBe('ACTIVE');
  });

  it('refuses reserved names, unknown types and unknown accounts', async () => {
    const accountId = await service.hasAccount();
    const reserved = await send('POST', `/accounts/${accountId}/block`, { service: 'x', stateName: 'ENT_CLEAR' });
    expect([reserved.statusCode, reserved.json().code]).toEqual([400, 1107]);
    expect((await send('GET', `/accounts/${accountId}/block?blockingStateTypes=INVOICE`)).statusCode).toBe(400);
    expect((await send('GET', `/accounts/${newId()}/block`)).statusCode).toBe(404);
  });

  it('lists its bundles page by page', async () => {
    const accountId = await service.hasAccount();
    for (const key of ['a', 'b', 'c'])
      await send('POST', '/subscriptions', { accountId, bundleExternalKey: key, planName: 'standard-monthly' });
    const page = await send('GET', `/accounts/${accountId}/bundles/pagination?offset=1&limit=1`);
    expect(page.json().map(({ externalKey }: { externalKey: string }) => externalKey)).toEqual(['b']);
    expect(page.headers['x-killbill-pagination-totalnbrecords']).toBe('3');
    expect((await send('GET', `/accounts/${newId()}/bundles/pagination`)).statusCode).toBe(404);
  });
});

describe.each(['POST', 'PUT'] as const)('%s /1.0/kb/bundles/{id}', (method) => {
  it('moves what lives to another account, with its key', async () => {
    const [from, to] = [await service.hasAccount(), await service.hasAccount()];
    const body = { accountId: from, bundleExternalKey: 'moving', planName: 'standard-monthly' };
    const source = await shown((await send('POST', '/subscriptions', body)).headers.location);
    await service.isNow(at('2026-03-01'));
    const moved = await send(method, `/bundles/${source.bundleId}`, { accountId: to });
    expect(moved.statusCode).toBe(201);
    expect(await shown(moved.headers.location)).toMatchObject({
      accountId: to,
      externalKey: 'moving',
      subscriptions: [{ sourceType: 'TRANSFERRED', state: 'ACTIVE', phaseType: 'EVERGREEN' }],
    });
    expect((await send('GET', `/subscriptions/${source.subscriptionId}`)).json().state).toBe('CANCELLED');
    const living = (await send('GET', '/bundles?externalKey=moving')).json();
    expect(living.map(({ accountId }: { accountId: string }) => accountId)).toEqual([to]);
    const again = await send(method, `/bundles/${source.bundleId}`, { accountId: to });
    expect([again.statusCode, again.json().code]).toEqual([404, 1084]);
  });

  it('refuses the same account, an unknown one, and what is no date', async () => {
    const accountId = await service.hasAccount();
    const created = await send('POST', '/subscriptions', { accountId, planName: 'standard-monthly' });
    const { bundleId } = await shown(created.headers.location);
    expect((await send(method, `/bundles/${bundleId}`, { accountId })).statusCode).toBe(400);
    expect((await send(method, `/bundles/${bundleId}`, { accountId: newId() })).statusCode).toBe(404);
    const other = await service.hasAccount();
    const wrong = await send(method, `/bundles/${bundleId}?requestedDate=soon`, { accountId: other });
    expect([wrong.statusCode, wrong.json().message]).toEqual([400, 'requestedDate: soon is not a date']);
  });
});
