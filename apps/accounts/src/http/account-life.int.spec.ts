import { accountsPublication, accountStream } from '@billstream/accounts-domain';
import { newId } from '@billstream/kernel';
import { OnMoneyMoved } from '../reactions/on-money-moved';
import { accountsUnderTest } from '../testing/accounts-under-test';

let service: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  service = await accountsUnderTest();
});
afterAll(() => service.close());

const accounts = '/1.0/kb/accounts';
const get = async <T>(url: string): Promise<T> => (await service.call({ method: 'GET', url })).json<T>();
const newAccount = async (payload: object = {}): Promise<string> => {
  const answer = await service.call({ method: 'POST', url: accounts, payload });
  return String(answer.headers['location']).split('/').at(-1) ?? '';
};

describe('audit logs of an account', () => {
  it('say who made it and who changed it, as much as is asked for', async () => {
    const accountId = await newAccount({ name: 'before' });
    const url = `${accounts}/${accountId}`;
    const userToken = newId();
    await service.call({
      method: 'PUT',
      url,
      payload: { name: 'after' },
      headers: {
        'x-killbill-createdby': 'changer',
        'x-killbill-reason': 'because',
        'x-killbill-comment': 'so',
        'x-billstream-correlation': userToken,
      },
    });
    const created = { changeType: 'INSERT', objectType: 'ACCOUNT', objectId: accountId, changedBy: 'test' };
    const changed = { changeType: 'UPDATE', changedBy: 'changer', reasonCode: 'because', comments: 'so', userToken };
    expect(await get(url)).toMatchObject({ auditLogs: [] });
    expect(await get(`${url}?audit=MINIMAL`)).toMatchObject({ auditLogs: [created] });
    expect(await get(`${url}?audit=FULL`)).toMatchObject({ auditLogs: [created, changed] });
    expect((await service.call({ method: 'GET', url: `${url}?audit=LOUD` })).statusCode).toBe(400);
    expect(await get(`${url}/auditLogs`)).toMatchObject([{ ...created, history: null }, changed]);
    const history = await get<object[]>(`${url}/auditLogsWithHistory`);
    expect(history).toMatchObject([
      { ...created, history: { accountId } },
      { ...changed, history: null },
    ]);
    expect(JSON.stringify(history)).not.toContain('after');
  });

  it('hold what was put on the account, and of other tenants nothing', async () => {
    const accountId = await newAccount();
    const payload = ['00000000-0000-0000-0000-000000000006'];
    await service.call({ method: 'POST', url: `${accounts}/${accountId}/tags`, payload });
    expect(await get(`${accounts}/${accountId}/auditLogs`)).toMatchObject([
      { objectType: 'ACCOUNT' },
      { objectType: 'TAG', changeType: 'INSERT' },
    ]);
    const [{ tagId } = { tagId: '' }] = await get<{ tagId: string }[]>(`${accounts}/${accountId}/tags`);
    const url = `/1.0/kb/tags/${tagId}/auditLogsWithHistory`;
    expect(await get(url)).toMatchObject([{ objectId: tagId, history: { tagDefinitionName: 'TEST' } }]);
    expect((await service.call({ method: 'GET', url, tenant: newId() })).json()).toEqual([]);
  });
});

describe('further addresses of an account', () => {
  it('are added once, removed, and erased with the person', async () => {
    const accountId = await newAccount();
    const url = `${accounts}/${accountId}/emails`;
    for (const email of ['a@example.com', 'a@example.com', 'b@example.com'])
      expect((await service.call({ method: 'POST', url, payload: { accountId, email } })).statusCode).toBe(201);
    expect(await get(url)).toEqual(
      ['a@example.com', 'b@example.com'].map((email) => ({ accountId, email, auditLogs: [] })),
    );
    expect((await service.call({ method: 'DELETE', url: `${url}/a@example.com` })).statusCode).toBe(204);
    expect(await get(url)).toMatchObject([{ email: 'b@example.com' }]);
    await service.call({ method: 'DELETE', url: `/v1/accounts/${accountId}/profile` });
    expect(await get(url)).toEqual([]);
    expect((await service.call({ method: 'POST', url, payload: { email: 'nobody' } })).statusCode).toBe(400);
  });
});

describe('closing an account', () => {
  it('stops invoicing and tells the others what to end', async () => {
    const accountId = await newAccount();
    const query = 'cancelAllSubscriptions=true&writeOffUnpaidInvoices=true&itemAdjustUnpaidInvoices=true';
    const closed = await service.call({ method: 'DELETE', url: `${accounts}/${accountId}?${query}` });
    expect([closed.statusCode, closed.body]).toEqual([204, '']);
    expect(await get(`${accounts}/${accountId}/tags`)).toMatchObject([{ tagDefinitionName: 'AUTO_INVOICING_OFF' }]);
    const said = (await service.store.read(accountStream(accountId), 0n, 10)).flatMap((e) => accountsPublication(e));
    expect(said.at(-1)).toEqual({
      type: 'accounts.account-closed.v1',
      key: accountId,
      data: {
        accountId,
        cancelAllSubscriptions: true,
        writeOffUnpaidInvoices: true,
        itemAdjustUnpaidInvoices: false,
        removeFutureNotifications: true,
      },
    });
    expect(await get(`${accounts}/${accountId}`)).toMatchObject({ accountId });
    expect((await service.call({ method: 'DELETE', url: `${accounts}/${newId()}` })).statusCode).toBe(404);
  });

  it('puts WRITTEN_OFF on what is unpaid, as far as invoicing has told', async () => {
    const accountId = await newAccount({ currency: 'USD' });
    const [unpaid, paid] = [newId(), newId()];
    const told = (id: string, invoices: readonly { invoiceId: string; balanceMinor: number }[]) =>
      service.app.get(OnMoneyMoved).recordBalance({
        id,
        type: 'invoicing.balance-changed.v1',
        data: { accountId, currency: 'USD' as never, accountBalanceMinor: 500, accountCreditMinor: 0, invoices },
        tenantId: service.tenantId,
        key: accountId,
        at: '2026-01-01T00:00:00.000Z' as never,
        actor: { createdBy: 'somebody' },
        correlationId: id,
        position: '0',
        stream: '',
        revision: '0',
      });
    await told(newId(), [
      { invoiceId: unpaid, balanceMinor: 500 },
      { invoiceId: paid, balanceMinor: 700 },
    ]);
    await told(newId(), [{ invoiceId: paid, balanceMinor: 0 }]);
    await service.call({ method: 'DELETE', url: `${accounts}/${accountId}?writeOffUnpaidInvoices=true` });
    const tags = await get<{ objectId: string }[]>(`${accounts}/${accountId}/allTags?objectType=INVOICE`);
    expect(tags).toMatchObject([{ objectId: unpaid, tagDefinitionName: 'WRITTEN_OFF' }]);
  });
});
