import { accountsPublication, objectTagsStream } from '@billstream/accounts-domain';
import { newId } from '@billstream/kernel';
import { OnMoneyMoved } from '../reactions/on-money-moved';
import { OnObjectsMade } from '../reactions/on-objects-made';
import { accountsUnderTest } from '../testing/accounts-under-test';

const autoPayOff = '00000000-0000-0000-0000-000000000001';
const writtenOff = '00000000-0000-0000-0000-000000000004';

let service: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  service = await accountsUnderTest();
});
afterAll(() => service.close());

const kb = '/1.0/kb';
const lastOf = (location: unknown): string => String(location).split('/').at(-1) ?? '';
const newAccount = async (): Promise<string> => {
  const answer = await service.call({ method: 'POST', url: `${kb}/accounts`, payload: {} });
  return lastOf(answer.headers['location']);
};
const newDefinition = async (name: string) =>
  service.call({
    method: 'POST',
    url: `${kb}/tagDefinitions`,
    payload: { name, description: 'for the test', applicableObjectTypes: ['ACCOUNT', 'INVOICE'] },
  });
const invoiceOf = async (accountId: string): Promise<string> => {
  const invoiceId = newId();
  await service.app.get(OnObjectsMade).recordInvoice({
    id: newId(),
    type: 'invoicing.invoice-committed.v1',
    data: {
      invoiceId,
      accountId,
      invoiceNumber: '1',
      invoiceDate: '2026-01-01' as never,
      targetDate: '2026-01-01' as never,
      currency: 'USD' as never,
      amountMinor: 1,
      balanceMinor: 1,
    },
    tenantId: service.tenantId,
    key: accountId,
    at: '2026-01-01T00:00:00.000Z' as never,
    actor: { createdBy: 'somebody' },
    correlationId: newId(),
    position: '0',
    stream: '',
    revision: '0',
  });
  await service.runtime.caughtUp();
  return invoiceId;
};
const published = async (objectId: string) =>
  (await service.store.read(objectTagsStream(objectId), 0n, 100)).flatMap((event) => accountsPublication(event));

describe('control tags', () => {
  it('are put on an account once and taken off, and others hear of it', async () => {
    const accountId = await newAccount();
    const url = `${kb}/accounts/${accountId}/tags`;
    for (let time = 1; time <= 2; time += 1) {
      const added = await service.call({ method: 'POST', url, payload: [autoPayOff] });
      expect([added.statusCode, added.body]).toEqual([201, '']);
      expect(added.headers['location']).toMatch(new RegExp(`^http://.*${url}$`));
    }
    const tags = await service.call({ method: 'GET', url });
    expect(tags.json()).toEqual([
      {
        tagId: expect.any(String),
        objectType: 'ACCOUNT',
        objectId: accountId,
        tagDefinitionId: autoPayOff,
        tagDefinitionName: 'AUTO_PAY_OFF',
        auditLogs: [],
      },
    ]);
    expect((await service.call({ method: 'DELETE', url: `${url}?tagDef=${autoPayOff}` })).statusCode).toBe(204);
    expect((await service.call({ method: 'GET', url })).json()).toEqual([]);
    expect((await service.call({ method: 'GET', url: `${url}?includedDeleted=true` })).json()).toHaveLength(1);
    const data = { accountId, objectType: 'ACCOUNT', objectId: accountId, tag: 'AUTO_PAY_OFF' };
    const type = 'accounts.control-tag-changed.v1';
    expect(await published(accountId)).toEqual([
      { type, key: accountId, data: { ...data, isSet: true } },
      { type, key: accountId, data: { ...data, isSet: false } },
    ]);
  });

  it('are refused on objects they are not for, and off objects that do not carry them', async () => {
    const accountId = await newAccount();
    const url = `${kb}/accounts/${accountId}/tags`;
    const foreign = await service.call({ method: 'POST', url, payload: [writtenOff] });
    expect([foreign.statusCode, foreign.json<{ message: string }>().message]).toEqual([
      400,
      'Control tag WRITTEN_OFF is not for objects of type ACCOUNT',
    ]);
    const absent = await service.call({ method: 'DELETE', url: `${url}?tagDef=${autoPayOff}` });
    expect([absent.statusCode, absent.json<{ code: number }>().code]).toEqual([404, 3950]);
  });

  it('are put on an invoice, whose account others are told', async () => {
    const accountId = await newAccount();
    const invoiceId = await invoiceOf(accountId);
    const url = `${kb}/invoices/${invoiceId}/tags`;
    expect((await service.call({ method: 'POST', url: `${url}?tagList=${writtenOff}` })).statusCode).toBe(201);
    expect(await published(invoiceId)).toMatchObject([{ key: accountId, data: { accountId, tag: 'WRITTEN_OFF' } }]);
    const all = await service.call({ method: 'GET', url: `${kb}/accounts/${accountId}/allTags?objectType=INVOICE` });
    expect(all.json()).toMatchObject([{ objectId: invoiceId, objectType: 'INVOICE' }]);
    expect((await service.call({ method: 'DELETE', url: `${url}?tagList=${writtenOff}` })).statusCode).toBe(200);
  });

  it('need an object and a definition that exist', async () => {
    const unknown = await service.call({
      method: 'POST',
      url: `${kb}/invoices/${newId()}/tags`,
      payload: [writtenOff],
    });
    expect([unknown.statusCode, unknown.json<{ code: number }>().code]).toEqual([404, 4006]);
    const url = `${kb}/accounts/${await newAccount()}/tags`;
    const undefinedTag = await service.call({ method: 'POST', url, payload: [newId()] });
    expect([undefinedTag.statusCode, undefinedTag.json<{ code: number }>().code]).toEqual([404, 3902]);
    expect((await service.call({ method: 'POST', url, payload: ['nonsense'] })).statusCode).toBe(400);
    expect((await service.call({ method: 'POST', url, payload: { a: 1 } })).statusCode).toBe(400);
    const systems = await service.call({ method: 'POST', url, payload: ['00000000-0000-0001-0000-000000000001'] });
    expect([systems.statusCode, systems.json<{ code: number }>().code]).toEqual([400, 3953]);
  });
});

describe('tag definitions', () => {
  it('are made, read, searched for by their tags, and deleted once unused', async () => {
    const made = await newDefinition('vip');
    expect(made.statusCode).toBe(201);
    const id = lastOf(made.headers['location']);
    const read = await service.call({ method: 'GET', url: `${kb}/tagDefinitions/${id}?audit=FULL` });
    expect(read.json()).toMatchObject({
      id,
      isControlTag: false,
      name: 'vip',
      description: 'for the test',
      applicableObjectTypes: ['ACCOUNT', 'INVOICE'],
      auditLogs: [{ changeType: 'INSERT', objectType: 'TAG_DEFINITION', changedBy: 'test' }],
    });
    const all = (await service.call({ method: 'GET', url: `${kb}/tagDefinitions` })).json<{ name: string }[]>();
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['vip', 'AUTO_INVOICING_OFF', 'TEST']));

    const accountId = await newAccount();
    const url = `${kb}/accounts/${accountId}/tags`;
    await service.call({ method: 'POST', url, payload: [id] });
    expect(await published(accountId)).toEqual([]);
    const found = await service.call({ method: 'GET', url: `${kb}/tags/search/vip?limit=1` });
    expect(found.headers['x-killbill-pagination-totalnbrecords']).toBe('1');
    expect(found.json()).toMatchObject([{ objectId: accountId, tagDefinitionName: 'vip' }]);
    const page = await service.call({ method: 'GET', url: `${kb}/tags/pagination?limit=-1` });
    expect(page.json()).toMatchObject([{ objectId: accountId }]);

    const used = await service.call({ method: 'DELETE', url: `${kb}/tagDefinitions/${id}` });
    expect([used.statusCode, used.json<{ code: number }>().code]).toEqual([400, 3903]);
    await service.call({ method: 'DELETE', url: `${url}?tagDef=${id}` });
    expect((await service.call({ method: 'DELETE', url: `${kb}/tagDefinitions/${id}` })).statusCode).toBe(204);
    const gone = await service.call({ method: 'GET', url: `${kb}/tagDefinitions/${id}` });
    expect([gone.statusCode, gone.json<{ code: number }>().code]).toEqual([404, 3902]);
  });

  it.each([
    ['AUTO_PAY_OFF', 409, 3900],
    ['Upper', 400, 3904],
    ['twice', 409, 3901],
  ])('refuse the name %s as Kill Bill does', async (name, status, code) => {
    if (name === 'twice') await newDefinition(name);
    const refused = await newDefinition(name);
    expect([refused.statusCode, refused.json<{ code: number }>().code]).toEqual([status, code]);
  });

  it('name the field that is wrong', async () => {
    const payload = { name: 'x'.repeat(21), description: '', applicableObjectTypes: ['NOTHING'] };
    const refused = await service.call({ method: 'POST', url: `${kb}/tagDefinitions`, payload });
    expect(refused.statusCode).toBe(400);
    expect(refused.json<{ message: string }>().message).toMatch(/name.*applicableObjectTypes/s);
  });
});

describe('accounts that are parked', () => {
  it('are taken out of parking together, which invoicing hears of', async () => {
    const tenant = newId();
    const made = await Promise.all(
      [1, 2, 3].map(() => service.call({ method: 'POST', url: `${kb}/accounts`, payload: {}, tenant })),
    );
    const ids = made.map(({ headers }) => lastOf(headers['location']));
    const parked = ids.slice(1);
    for (const accountId of parked)
      await service.app.get(OnMoneyMoved).park({
        ...{ id: newId(), type: 'invoicing.account-parked.v1', data: { accountId, isParked: true }, tenantId: tenant },
        ...{ key: accountId, at: '2026-01-01T00:00:00.000Z' as never, actor: { createdBy: 'invoicing' } },
        ...{ correlationId: newId(), position: '0', stream: '', revision: '0' },
      });
    const unpark = async (query = '') =>
      (await service.call({ method: 'POST', url: `${kb}/admin/invoices${query}`, tenant })).json<object>();
    const first = Object.keys(await unpark('?limit=1'));
    expect(first).toHaveLength(1);
    const rest = Object.keys(await unpark());
    expect([...first, ...rest].sort()).toEqual([...parked].sort());
    expect(await unpark()).toEqual({});
    const { events } = await service.store.readAll({ after: null, prefixes: ['objectTags-'], max: 10_000 });
    const told = events.flatMap(accountsPublication).filter(({ type }) => type === 'accounts.account-unparked.v1');
    expect(told.map(({ key }) => key).sort()).toEqual([...parked].sort());
  });
});
