import { accountKeySchema, accountKeyStream, accountStream } from '@billstream/accounts-domain';
import { instantOfMs, newId, parseCurrency } from '@billstream/kernel';
import { OnMoneyMoved } from '../reactions/on-money-moved';
import { accountsUnderTest } from '../testing/accounts-under-test';

let system: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  system = await accountsUnderTest();
});
afterAll(() => system.close());

const accounts = '/1.0/kb/accounts';
const create = async (payload: object, headers: Record<string, string> = {}) =>
  system.call({ method: 'POST', url: accounts, payload, headers });
const created = async (payload: object): Promise<string> => {
  const answer = await create(payload);
  expect(answer.statusCode).toBe(201);
  return new URL(String(answer.headers.location)).pathname;
};

describe('an external key', () => {
  it('that many ask for at once goes to one, and nobody else writes into that account', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        create({ externalKey: 'wanted', name: `asker ${i}`, email: `${i}@x.example` }),
      ),
    );
    const winners = answers.flatMap(({ statusCode }, i) => (statusCode === 201 ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ statusCode }) => statusCode === 409)).toHaveLength(19);
    const shown = await system.call({ method: 'GET', url: `${accounts}?externalKey=wanted` });
    expect(shown.json()).toMatchObject({ name: `asker ${winners[0]}`, email: `${winners[0]}@x.example` });
  });

  it.each([
    ['a maker that is long gone is taken over', 61_000, 201],
    ['a maker that may be at work stays its own', 5_000, 409],
  ])('claimed by %s', async (what, ageMs, status) => {
    const [id, recordedAt] = [newId(), instantOfMs(Date.now() - ageMs)];
    const metadata = { tenantId: system.tenantId, commandId: id, actor: { createdBy: 'gone' }, at: recordedAt };
    await system.store.append(accountKeyStream(system.tenantId, what), 'none', [
      {
        ...accountKeySchema.encode({ type: 'KeyClaimed', data: { ownerId: id } }),
        id: newId(),
        metadata: { ...metadata, recordedAt, $correlationId: id, $causationId: id },
      },
    ]);
    const answer = await create({ externalKey: what });
    expect(answer.statusCode).toBe(status);
    if (status === 201) expect(answer.headers.location).toContain(id);
  });
});

describe('creating an account', () => {
  it('answers 201 without a body, and Location leads to the account as Kill Bill shows it', async () => {
    const answer = await create(
      {
        name: 'string',
        externalKey: 'guide@example.com',
        email: 'guide@example.com',
        currency: 'USD',
        locale: 'en_US',
      },
      { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'billing.example.com' },
    );
    expect(answer.statusCode).toBe(201);
    expect(answer.body).toBe('');
    expect(answer.headers.location).toMatch(/^https:\/\/billing\.example\.com\/1\.0\/kb\/accounts\/[0-9a-f-]{36}$/);
    const path = new URL(String(answer.headers.location)).pathname;
    const shown = await system.call({ method: 'GET', url: path });
    expect(shown.statusCode).toBe(200);
    expect(Object.keys(shown.json<object>())).toEqual(
      (
        'accountId name firstNameLength externalKey email billCycleDayLocal currency parentAccountId isPaymentDelegatedToParent ' +
        'paymentMethodId referenceTime timeZone address1 address2 postalCode company city state country locale phone notes ' +
        'isMigrated accountBalance accountCBA auditLogs'
      ).split(' '),
    );
    expect(shown.json()).toMatchObject({
      accountId: path.split('/').at(-1),
      externalKey: 'guide@example.com',
      billCycleDayLocal: 0,
      currency: 'USD',
      timeZone: 'Etc/UTC',
      locale: 'en_US',
      phone: null,
      isMigrated: false,
      accountBalance: null,
      auditLogs: [],
    });
    const byKey = await system.call({ method: 'GET', url: `${accounts}?externalKey=guide%40example.com` });
    expect(byKey.json()).toEqual(shown.json());
  });

  it('answers 409 with code 3000 when the external key is taken, and leaves nothing behind', async () => {
    await created({ externalKey: 'twice' });
    const head = await system.store.head();
    const answer = await create({ externalKey: 'twice' });
    expect(answer.statusCode).toBe(409);
    expect(answer.json()).toMatchObject({
      code: 3000,
      className: 'org.killbill.billing.account.api.AccountApiException',
    });
    expect(await system.store.head()).toBe(head);
  });

  it('gives the same account to the same Idempotency-Key', async () => {
    const headers = { 'idempotency-key': 'once' };
    const [first, second] = [
      await create({ externalKey: 'idem' }, headers),
      await create({ externalKey: 'idem' }, headers),
    ];
    expect([first.statusCode, second.statusCode]).toEqual([201, 201]);
    expect(second.headers.location).toBe(first.headers.location);
  });

  it('lets exactly one of many with the same key win', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create({ externalKey: 'race' })));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  });

  it.each([
    ['currency', { currency: 'XYZ' }],
    ['timeZone', { timeZone: 'Mars/Olympus' }],
    ['locale', { locale: 'en_US_POSIX' }],
    ['billCycleDayLocal', { billCycleDayLocal: 32 }],
    ['name', { name: 'x'.repeat(101) }],
    ['referenceTime', { referenceTime: 'yesterday' }],
    ['parentAccountId', { parentAccountId: 'none' }],
    ['isMigrated', { isMigrated: 'maybe' }],
    ['referenceTime', { referenceTime: '0000-01-01T00:00:00Z' }],
    ['U+0000', { name: 'a\u0000b' }],
    ['surrogate', { name: 'a\ud800b' }],
  ])('answers 400 naming %s and leaves no event', async (field, payload) => {
    const head = await system.store.head();
    const answer = await create(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json<{ message: string }>().message).toContain(field);
    expect(await system.store.head()).toBe(head);
  });

  it('is refused as a child whose parent pays in another currency, by the name of the field', async () => {
    const made = async (body: object) =>
      String((await create(body)).headers['location'])
        .split('/')
        .at(-1) ?? '';
    const parentAccountId = await made({ currency: 'USD' });
    const delegating = { parentAccountId, isPaymentDelegatedToParent: true };
    const child = await create({ ...delegating, currency: 'EUR' });
    expect(child.statusCode).toBe(400);
    expect(child.json<{ message: string }>().message).toContain('isPaymentDelegatedToParent');
    const later = await made({ parentAccountId, currency: 'EUR' });
    const put = (id: string, payload: object) => system.call({ method: 'PUT', url: `/1.0/kb/accounts/${id}`, payload });
    expect((await put(later, { isPaymentDelegatedToParent: true })).statusCode).toBe(400);
    const unpriced = await made({});
    await made({ parentAccountId: unpriced, isPaymentDelegatedToParent: true, currency: 'EUR' });
    const refused = await put(unpriced, { currency: 'USD' });
    expect([refused.statusCode, refused.json<{ message: string }>().message]).toEqual([
      400,
      expect.stringContaining('currency'),
    ]);
    expect((await put(unpriced, { currency: 'EUR' })).statusCode).toBe(204);
  });

  it('answers code 5 for an external key of more than 255 characters, 3002 for an unknown parent', async () => {
    const long = await create({ externalKey: 'k'.repeat(256) });
    expect([long.statusCode, long.json<{ code: number }>().code]).toEqual([400, 5]);
    const orphan = await create({ parentAccountId: '11111111-2222-4333-8444-555555555555' });
    expect([orphan.statusCode, orphan.json<{ code: number }>().code]).toEqual([404, 3002]);
    expect(orphan.json<{ message: string }>().message).toContain('parentAccountId');
  });

  it('answers 400 when nobody says who creates it', async () => {
    expect((await create({}, { 'x-killbill-createdby': '' })).statusCode).toBe(400);
  });
});

describe('an account of another tenant', () => {
  it('does not exist', async () => {
    const path = await created({ externalKey: 'mine' });
    const tenant = '99999999-2222-4333-8444-555555555555';
    const get = await system.call({ method: 'GET', url: path, tenant });
    expect([get.statusCode, get.json<{ code: number }>().code]).toEqual([404, 3002]);
    expect((await system.call({ method: 'PUT', url: path, tenant, payload: { name: 'x' } })).statusCode).toBe(404);
    const key = await system.call({ method: 'GET', url: `${accounts}?externalKey=mine`, tenant });
    expect([key.statusCode, key.json<{ code: number }>().code]).toEqual([404, 3003]);
    expect(
      (await system.call({ method: 'POST', url: accounts, tenant, payload: { externalKey: 'mine' } })).statusCode,
    ).toBe(201);
  });
});

describe('updating an account', () => {
  it('answers 204, keeps what is not said and can be read at once', async () => {
    const path = await created({ name: 'Ann', email: 'ann@example.com', currency: 'USD' });
    const put = await system.call({ method: 'PUT', url: path, payload: { email: 'lee@example.com' } });
    expect([put.statusCode, put.body]).toEqual([204, '']);
    expect((await system.call({ method: 'GET', url: path })).json()).toMatchObject({
      name: 'Ann',
      email: 'lee@example.com',
      currency: 'USD',
    });
  });
  it('resets what is null when asked to', async () => {
    const path = await created({ name: 'Ann', phone: '1', currency: 'USD' });
    const account = (await system.call({ method: 'GET', url: path })).json<object>();
    const put = await system.call({
      method: 'PUT',
      url: `${path}?treatNullAsReset=true`,
      payload: { ...account, phone: null },
    });
    expect(put.statusCode).toBe(204);
    expect((await system.call({ method: 'GET', url: path })).json()).toMatchObject({ name: 'Ann', phone: null });
  });
  it('refuses what cannot change with 400 and an IllegalArgumentException', async () => {
    const path = await created({ currency: 'USD' });
    const put = await system.call({ method: 'PUT', url: path, payload: { currency: 'EUR' } });
    expect(put.statusCode).toBe(400);
    expect(put.json()).toMatchObject({ className: 'java.lang.IllegalArgumentException', code: null });
  });
  it('moves the bill cycle day unless the tenant forbids it', async () => {
    const path = await created({ billCycleDayLocal: 5 });
    const move = (billCycleDayLocal: number) =>
      system.call({ method: 'PUT', url: path, payload: { billCycleDayLocal } });
    expect((await move(6)).statusCode).toBe(204);
    const config = '/1.0/kb/tenants/uploadPerTenantConfig';
    const headers = { 'content-type': 'text/plain' };
    await system.call({
      method: 'POST',
      url: config,
      headers,
      payload: '{"killbill.features.account.allowBCDUpdate":"false"}',
    });
    expect((await move(7)).statusCode).toBe(400);
    await system.call({ method: 'DELETE', url: config });
    expect((await move(7)).statusCode).toBe(204);
  });
});

describe('what other contexts tell', () => {
  const heard = (type: string, data: object) => ({
    id: `${type}-${JSON.stringify(data)}`,
    type,
    data,
    tenantId: system.tenantId,
    key: 'k',
    at: system.runtime.clock.now(system.tenantId),
    actor: { createdBy: 'x' },
    correlationId: 'c',
    position: '0',
    stream: 's',
    revision: '0',
  });
  it('shows as balance, credit, payment method and bill cycle day; a repeated message does nothing', async () => {
    const path = await created({ currency: 'USD' });
    const accountId = String(path.split('/').at(-1));
    const reaction = system.app.get(OnMoneyMoved);
    const paymentMethodId = 'ddfe6518-7ce7-4bf7-aa10-2ffd33192aae';
    const balance = {
      accountId,
      currency: parseCurrency('USD')!,
      accountBalanceMinor: 1999,
      accountCreditMinor: 250,
      invoices: [],
    };
    for (let times = 0; times < 2; times += 1) {
      await reaction.recordBalance({ ...heard('b', balance), type: 'invoicing.balance-changed.v1', data: balance });
      await reaction.setDefaultMethod({
        ...heard('m', {}),
        type: 'payments.default-method-changed.v1',
        data: { accountId, paymentMethodId },
      });
      await reaction.chooseBillCycleDay({
        ...heard('d', {}),
        type: 'invoicing.bill-cycle-day-chosen.v1',
        data: { accountId, billCycleDayLocal: 6 },
      });
    }
    await system.runtime.caughtUp();
    const shown = async (query: string) =>
      (await system.call({ method: 'GET', url: `${path}${query}` })).json<object>();
    expect(await shown('?accountWithBalance=true')).toMatchObject({
      accountBalance: 19.99,
      accountCBA: null,
      paymentMethodId,
      billCycleDayLocal: 6,
    });
    expect(await shown('?accountWithBalanceAndCBA=true')).toMatchObject({ accountBalance: 19.99, accountCBA: 2.5 });
    expect(await shown('')).toMatchObject({ accountBalance: null, accountCBA: null });
    expect(await system.store.read(accountStream(accountId))).toHaveLength(2);
  });
});

describe('lists', () => {
  it('page in the order of creation, backwards for a negative limit, and say where the next page is', async () => {
    const tenant = '77777777-2222-4333-8444-555555555555';
    for (const name of ['one', 'two', 'three'])
      await system.call({
        method: 'POST',
        url: accounts,
        tenant,
        payload: { name, externalKey: `${name}@list.example`, currency: 'USD' },
      });
    const names = async (query: string) => {
      const answer = await system.call({ method: 'GET', url: `${accounts}/${query}`, tenant });
      return { answer, names: answer.json<{ name: string }[]>().map(({ name }) => name) };
    };
    const page = await names('pagination?offset=0&limit=2');
    expect(page.names).toEqual(['one', 'two']);
    expect(page.answer.headers).toMatchObject({
      'x-killbill-pagination-currentoffset': '0',
      'x-killbill-pagination-nextoffset': '2',
      'x-killbill-pagination-totalnbrecords': '3',
      'x-killbill-pagination-maxnbrecords': '3',
    });
    expect((await names('pagination?limit=-1')).names).toEqual(['three']);
    expect((await names('search/TWO%40list')).names).toEqual(['two']);
    expect((await names('search/%25')).names).toEqual([]);
    expect((await names('search/two?offset=-1&limit=1')).names).toEqual(['two']);
    expect(
      (await names(`search/${encodeURIComponent('_q=1&external_key[like]=%25t%25@%25&currency=USD')}`)).names,
    ).toEqual(['two', 'three']);
    expect((await names('search/no')).answer.headers['x-killbill-pagination-totalnbrecords']).toBe('0');
    const odd = ['_q=1&email[like]=a\\', '_q=1&created_date[gt]=2024-01-01', '%', '\\', "'"];
    for (const key of odd) expect((await names(`search/${encodeURIComponent(key)}`)).answer.statusCode).toBe(200);
    for (const key of ['_q=1&created_date[gt]=2024-99-99', '_q=1&currency[in]=USD', '_q=1&', 'a\u0000'])
      expect(
        (await system.call({ method: 'GET', url: `${accounts}/search/${encodeURIComponent(key)}`, tenant })).statusCode,
      ).toBe(400);
    const refused = await system.call({
      method: 'GET',
      url: `${accounts}/search/${encodeURIComponent('_q=1&secret[eq]=1')}`,
      tenant,
    });
    expect(refused.statusCode).toBe(400);
    for (const query of ['limit=x', 'limit=1e30', 'offset=99999999999999'])
      expect((await system.call({ method: 'GET', url: `${accounts}/pagination?${query}`, tenant })).statusCode).toBe(
        400,
      );
  });
});

describe('erasing a profile', () => {
  it('forgets the person and keeps the account', async () => {
    const path = await created({ name: 'Ann', email: 'ann@example.com', currency: 'USD', externalKey: 'forget' });
    expect((await system.call({ method: 'DELETE', url: path.replace('/1.0/kb', '/v1') + '/profile' })).statusCode).toBe(
      204,
    );
    expect((await system.call({ method: 'GET', url: path })).json()).toMatchObject({
      name: null,
      email: null,
      currency: 'USD',
      externalKey: 'forget',
    });
  });
});
