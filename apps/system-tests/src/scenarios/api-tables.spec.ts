import { randomUUID } from 'node:crypto';
import { curl, guideHeaders } from '../curl';
import { type SystemUnderTest, startSystem } from '../system';

/**
 * The requests of both API tables of the design document for subscriptions, in their order: 14 of bundles, 15 of
 * subscriptions; as Kill Bill 0.18 has them, which the document was written for, and as it has them today.
 */
let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop(), 60_000);

type Answer = { readonly status: number; readonly location: string; readonly headers: Headers; readonly body: unknown };

const asker =
  (version: string | null) =>
  async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const headers = {
      ...{ ...guideHeaders, 'X-Killbill-CreatedBy': 'somebody' },
      ...(version === null ? {} : { 'X-Killbill-Api-Version': version }),
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const answer = await curl(method, `${system.url}/1.0/kb${path}`, headers, payload);
    const location = answer.headers.get('location');
    return {
      status: answer.status,
      location: location === null ? '' : location.slice(`${system.url}/1.0/kb`.length),
      headers: answer.headers,
      body: answer.text === '' ? null : answer.json(),
    };
  };
const idIn = ({ location }: Answer): string => location.split('?')[0]?.split('/').at(-1) ?? '';

type Subscription = {
  readonly bundleId: string;
  readonly externalKey: string;
  readonly bundleExternalKey?: string;
  readonly startDate: string;
  readonly billingStartDate: string;
  readonly events: readonly { readonly effectiveDate: string }[];
};

describe.each([
  { dialect: '0.18', version: '0.18.15' },
  { dialect: 'today', version: null },
])('the API tables as of Kill Bill $dialect', ({ version }) => {
  const ask = asker(version);
  const isOlder = version !== null;
  const changed = isOlder ? 200 : 204;
  const key = `key-${randomUUID()}`;
  let accountId: string;
  let otherAccountId: string;
  let subscriptionId: string;
  let subscription: Subscription;

  beforeAll(async () => {
    // Ten in the evening of the day before in New York: a date is the account's, not UTC's.
    const account = { currency: 'USD', timeZone: 'America/New_York' };
    accountId = idIn(await ask('POST', '/accounts', account));
    otherAccountId = idIn(await ask('POST', '/accounts', { currency: 'USD' }));
    const instants = '?entitlementDate=2026-01-10T03:00:00Z&billingDate=2026-01-10T03:00:00Z';
    const named = isOlder ? { externalKey: key } : { bundleExternalKey: key };
    const created = await ask('POST', `/subscriptions${instants}`, {
      ...{ accountId, planName: 'standard-monthly', ...named },
    });
    expect(created).toMatchObject({ status: 201, body: null });
    subscriptionId = idIn(created);
    expect(created.location).toBe(`/subscriptions/${subscriptionId}`);
    subscription = (await ask('GET', `/subscriptions/${subscriptionId}`)).body as Subscription;
  }, 30_000);

  const page = ({ headers }: Answer) => Number(headers.get('x-killbill-pagination-totalnbrecords'));
  const flag = (name: string): string => (isOlder ? name : `is${name.slice(0, 1).toUpperCase()}${name.slice(1)}`);

  it('GET subscription: its key and its dates are those of the version', () => {
    const start = isOlder ? '2026-01-09' : '2026-01-10T03:00:00.000Z';
    expect(subscription).toMatchObject({ subscriptionId, startDate: start, billingStartDate: start });
    expect(subscription.events[0]?.effectiveDate).toBe(start);
    expect([subscription.externalKey, subscription.bundleExternalKey]).toEqual(
      isOlder ? [key, undefined] : [subscriptionId, key],
    );
  });

  it('GET bundles: by key, page by page, by a search, by id', async () => {
    const { bundleId } = subscription;
    expect(await ask('GET', `/bundles?externalKey=${key}`)).toMatchObject({ status: 200, body: [{ bundleId }] });
    expect(await ask('GET', '/bundles?externalKey=none')).toMatchObject({ status: 404, body: { code: 1084 } });
    const all = await ask('GET', '/bundles/pagination?limit=1');
    expect([all.status, page(all) > 0, (all.body as object[]).length]).toEqual([200, true, 1]);
    const found = await ask('GET', `/bundles/search/${key}`);
    expect([found.status, page(found), found.body]).toMatchObject([200, 1, [{ bundleId }]]);
    expect(await ask('GET', `/bundles/${bundleId}`)).toMatchObject({
      ...{ status: 200, body: { bundleId, externalKey: key, subscriptions: [{ subscriptionId }] } },
    });
    expect((await ask('GET', `/bundles/${randomUUID()}`)).status).toBe(404);
  });

  it.each(['bundles', 'subscriptions'])('PUT block of %s', async (kind) => {
    const path = `/${kind}/${kind === 'bundles' ? subscription.bundleId : subscriptionId}/block`;
    const state = { service: 'fraud', stateName: 'SUSPECT', [flag('blockChange')]: false };
    const blocked = await ask(isOlder ? 'PUT' : 'POST', path, state);
    const type = kind === 'bundles' ? 'SUBSCRIPTION_BUNDLE' : 'SUBSCRIPTION';
    const shown = `/accounts/${accountId}/block?blockingStateTypes=${type}`;
    expect([blocked.status, blocked.location, blocked.body]).toEqual(isOlder ? [200, '', null] : [201, shown, null]);
    const states = (await ask('GET', `${shown}&blockingStateSvcs=fraud`)).body as readonly object[];
    expect(states).toMatchObject([{ type, stateName: 'SUSPECT', [flag('blockChange')]: false }]);
  });

  it.each(['bundles', 'subscriptions'])('customFields and tags of %s: read, added and taken away', async (kind) => {
    const path = `/${kind}/${kind === 'bundles' ? subscription.bundleId : subscriptionId}`;
    const fields = `${path}/customFields`;
    const added = await ask('POST', fields, [
      { name: 'a', value: '1' },
      { name: 'b', value: '2' },
    ]);
    expect([added.status, added.location]).toEqual([201, fields]);
    const [first] = (await ask('GET', fields)).body as readonly { readonly customFieldId: string }[];
    const one = `${isOlder ? 'customFieldList' : 'customField'}=${first?.customFieldId ?? ''}`;
    expect(await ask('DELETE', `${fields}?${one}`)).toMatchObject({ status: changed, body: null });
    expect(await ask('GET', fields)).toMatchObject({ status: 200, body: [{ name: 'b', value: '2' }] });

    const name = `t${randomUUID().slice(0, 12)}`;
    const applicableObjectTypes = ['BUNDLE', 'SUBSCRIPTION'];
    const definition = idIn(await ask('POST', '/tagDefinitions', { name, description: 'd', applicableObjectTypes }));
    const tags = `${path}/tags`;
    const tagged = isOlder ? await ask('POST', `${tags}?tagList=${definition}`) : await ask('POST', tags, [definition]);
    expect([tagged.status, tagged.location]).toEqual([201, tags]);
    expect(await ask('GET', tags)).toMatchObject({ status: 200, body: [{ tagDefinitionName: name }] });
    const removed = await ask('DELETE', `${tags}?${isOlder ? 'tagList' : 'tagDef'}=${definition}`);
    expect([removed.status, (await ask('GET', tags)).body]).toEqual([changed, []]);
  });

  it('POST with add-ons: one bundle, and several', async () => {
    const wanted = { accountId, planName: 'standard-monthly' };
    const one = await ask('POST', `/subscriptions/create${isOlder ? 'Entitlement' : 'Subscription'}WithAddOns`, [
      wanted,
    ]);
    expect([one.status, one.location]).toEqual([201, expect.stringMatching(/^\/bundles\/[-0-9a-f]{36}$/)]);
    const several = await ask('POST', `/subscriptions/create${isOlder ? 'Entitlements' : 'Subscriptions'}WithAddOns`, [
      { baseEntitlementAndAddOns: [wanted] },
      { baseEntitlementAndAddOns: [{ ...wanted, planName: 'standard-pro' }] },
    ]);
    const filtered = new RegExp(`^/accounts/${accountId}/bundles\\?bundlesFilter=[-0-9a-f]{36},[-0-9a-f]{36}$`);
    expect([several.status, several.location]).toEqual([201, expect.stringMatching(filtered)]);
    expect((await ask('GET', several.location)).body).toHaveLength(2);
  });

  it('PUT pause and resume, PUT plan and bcd, DELETE and uncancel, and the transfer of the bundle', async () => {
    const { bundleId } = subscription;
    const path = `/subscriptions/${subscriptionId}`;
    for (const what of ['pause', 'resume'])
      expect(await ask('PUT', `/bundles/${bundleId}/${what}`)).toMatchObject({ status: changed, body: null });
    const change = await ask('PUT', path, { accountId, planName: 'standard-pro' });
    expect(change).toMatchObject(isOlder ? { status: 200, body: { subscriptionId } } : { status: 204, body: null });
    expect((await ask('GET', path)).body).toMatchObject({ planName: 'standard-pro' });
    expect((await ask('PUT', `${path}/bcd`, { billCycleDayLocal: 9 })).status).toBe(changed);
    const cancelled = await ask('DELETE', `${path}?requestedDate=2100-01-01`);
    expect(cancelled).toMatchObject({ status: changed, body: null });
    expect((await ask('GET', path)).body).toMatchObject({ cancelledDate: expect.stringContaining('2100-01-01') });
    expect((await ask('PUT', `${path}/uncancel`)).status).toBe(changed);
    expect((await ask('GET', path)).body).toMatchObject({ state: 'ACTIVE', cancelledDate: null });
    const moved = await ask(isOlder ? 'PUT' : 'POST', `/bundles/${bundleId}`, { accountId: otherAccountId });
    expect(moved.status).toBe(201);
    expect((await ask('GET', moved.location)).body).toMatchObject({ accountId: otherAccountId, externalKey: key });
  });
});
