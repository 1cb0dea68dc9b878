import { newId } from '@billstream/kernel';
import { accountsUnderTest } from '../testing/accounts-under-test';

let service: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  service = await accountsUnderTest();
});
afterAll(() => service.close());

const kb = '/1.0/kb';
const newAccount = async (): Promise<string> => {
  const answer = await service.call({ method: 'POST', url: `${kb}/accounts`, payload: {} });
  return String(answer.headers['location']).split('/').at(-1) ?? '';
};
type Field = { readonly customFieldId: string; readonly name: string; readonly value: string };
const fieldsAt = async (url: string): Promise<readonly Field[]> =>
  (await service.call({ method: 'GET', url })).json<Field[]>();

describe('custom fields of an account', () => {
  it('are added, changed and removed, and their audit logs tell of it', async () => {
    const accountId = await newAccount();
    const url = `${kb}/accounts/${accountId}/customFields`;
    const payload = [
      { name: 'colour', value: 'red' },
      { name: 'size', value: '9' },
    ];
    const added = await service.call({ method: 'POST', url, payload });
    expect([added.statusCode, added.body]).toEqual([201, '']);
    expect(added.headers['location']).toMatch(new RegExp(`${url}$`));
    const [colour, size] = await fieldsAt(url);
    expect(colour).toEqual({
      customFieldId: expect.any(String),
      objectId: accountId,
      objectType: 'ACCOUNT',
      name: 'colour',
      value: 'red',
      auditLogs: [],
    });
    const change = [{ customFieldId: colour?.customFieldId, value: 'blue' }];
    expect((await service.call({ method: 'PUT', url, payload: change })).statusCode).toBe(204);
    const audited = await service.call({ method: 'GET', url: `${url}?audit=full` });
    expect(audited.json()).toMatchObject([
      { value: 'blue', auditLogs: [{ changeType: 'INSERT' }, { changeType: 'UPDATE', changedBy: 'test' }] },
      { value: '9', auditLogs: [{ changeType: 'INSERT' }] },
    ]);
    const minimal = await service.call({ method: 'GET', url: `${url}?audit=MINIMAL` });
    expect(minimal.json()).toMatchObject([{ auditLogs: [{ changeType: 'INSERT' }] }, {}]);
    expect(
      (await service.call({ method: 'DELETE', url: `${url}?customField=${size?.customFieldId}` })).statusCode,
    ).toBe(204);
    expect(await fieldsAt(url)).toHaveLength(1);
    expect((await service.call({ method: 'DELETE', url })).statusCode).toBe(204);
    expect(await fieldsAt(url)).toEqual([]);
  });

  it('keep their names, which an object has once', async () => {
    const url = `${kb}/accounts/${await newAccount()}/customFields`;
    const payload = [{ name: 'colour', value: 'red' }];
    await service.call({ method: 'POST', url, payload });
    const refusal = async (method: 'POST' | 'PUT', body: object) => {
      const answer = await service.call({ method, url, payload: body });
      return [answer.statusCode, answer.json<{ code: number | null }>().code];
    };
    expect(await refusal('POST', payload)).toEqual([400, 9000]);
    expect(await refusal('PUT', [{ customFieldId: newId(), value: 'x' }])).toEqual([400, 9001]);
    const [field] = await fieldsAt(url);
    expect(await refusal('PUT', [{ customFieldId: field?.customFieldId, name: 'other', value: 'x' }])).toEqual([
      400, 9002,
    ]);
    expect(await refusal('POST', [{ value: 'nameless' }])).toEqual([400, null]);
  });

  it('are found by type, name and value, and by a word', async () => {
    const accountId = await newAccount();
    const payload = [{ name: 'crm-id', value: 'A-77' }];
    await service.call({ method: 'POST', url: `${kb}/accounts/${accountId}/customFields`, payload });
    for (const url of [
      `${kb}/customFields/search?objectType=ACCOUNT&fieldName=crm-id&fieldValue=A-77`,
      `${kb}/customFields/search?objectType=ACCOUNT&fieldName=crm-id`,
      `${kb}/customFields/search/a-7`,
      `${kb}/customFields/pagination?limit=-1`,
      `${kb}/accounts/${accountId}/allCustomFields`,
      `${kb}/accounts/${accountId}/allCustomFields?objectType=ACCOUNT`,
    ])
      expect(await fieldsAt(url)).toMatchObject([{ objectId: accountId, name: 'crm-id' }]);
    expect(await fieldsAt(`${kb}/customFields/search?objectType=BUNDLE&fieldName=crm-id`)).toEqual([]);
    expect((await service.call({ method: 'GET', url: `${kb}/customFields/search?fieldName=x` })).statusCode).toBe(400);
    const mine = { method: 'GET' as const, url: `${kb}/customFields/search/crm`, tenant: newId() };
    expect((await service.call(mine)).json()).toEqual([]);
  });
});
