import { sendNotification } from '@billstream/accounts-read-models';
import { newId } from '@billstream/kernel';
import type { DueItem } from '@billstream/postgres';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { accountsService } from '../index';
import { OnObjectsMade } from '../reactions/on-objects-made';
import { accountsUnderTest } from '../testing/accounts-under-test';
import { callbackClient } from './callback-client';

type Told = { readonly id: string; readonly agent: string; readonly body: Record<string, unknown> };
const told: Told[] = [];
let status = 200;
const callback = createServer((request, response) => {
  void text(request).then((body) => {
    told.push({
      id: String(request.headers['x-notification-id']),
      agent: String(request.headers['user-agent']),
      body: JSON.parse(body) as Record<string, unknown>,
    });
    response.writeHead(status).end('ok');
  });
});
let url: string;
let service: Awaited<ReturnType<typeof accountsUnderTest>>;
beforeAll(async () => {
  service = await accountsUnderTest();
  await new Promise<void>((resolve) => callback.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${String((callback.address() as AddressInfo).port)}/hook`;
});
beforeEach(() => {
  told.length = 0;
  status = 200;
});
afterAll(async () => {
  await service.close();
  callback.closeAllConnections();
  callback.close();
});

const register = (tenant: string) =>
  service.call({
    method: 'POST',
    url: `/1.0/kb/tenants/registerNotificationCallback?cb=${encodeURIComponent(url)}`,
    tenant,
  });
const newAccount = async (tenant: string): Promise<string> => {
  const answer = await service.call({ method: 'POST', url: '/1.0/kb/accounts', payload: {}, tenant });
  return String(answer.headers['location']).split('/').at(-1) ?? '';
};
const waiting = async (tenant: string): Promise<readonly DueItem[]> => {
  await service.runtime.caughtUp();
  return service.database.query<DueItem>(
    `select kind, key, tenant_id as "tenantId", due_at as "dueAt", payload from due_work where tenant_id = $1 order by due_at`,
    [tenant],
  );
};
const work = async (tenant: string): Promise<void> => {
  const handler = accountsService.dueWork?.(service.runtime)[sendNotification];
  for (const item of await waiting(tenant)) await handler?.(item);
};

describe('a tenant’s callback', () => {
  it('is told what happens from its registration on, once, until it is removed', async () => {
    const tenant = newId();
    await newAccount(tenant);
    expect((await register(tenant)).statusCode).toBe(201);
    const accountId = await newAccount(tenant);
    const payload = ['00000000-0000-0000-0000-000000000006'];
    await service.call({ method: 'POST', url: `/1.0/kb/accounts/${accountId}/tags`, payload, tenant });
    await work(tenant);
    await work(tenant);
    expect(told.map(({ body }) => body)).toEqual([
      { eventType: 'ACCOUNT_CREATION', accountId, objectType: 'ACCOUNT', objectId: accountId, metaData: null },
      expect.objectContaining({
        ...{ eventType: 'TAG_CREATION', accountId, objectType: 'TAG' },
        metaData: JSON.stringify({ tagDefinitionName: 'TEST' }),
      }),
    ]);
    expect(told[0]).toMatchObject({ agent: 'KillBill/1.0', id: expect.stringMatching(/.+/) });
    expect(await waiting(tenant)).toEqual([]);
    await service.call({ method: 'DELETE', url: '/1.0/kb/tenants/registerNotificationCallback', tenant });
    await newAccount(tenant);
    expect(await waiting(tenant)).toEqual([]);
  });

  it('that fails is tried again a quarter of an hour later, with the same id', async () => {
    const tenant = newId();
    await register(tenant);
    await newAccount(tenant);
    const [first] = await waiting(tenant);
    status = 500;
    await work(tenant);
    const [again] = await waiting(tenant);
    expect(again?.key).toBe(first?.key);
    expect(Date.parse(again?.dueAt ?? '') - Date.parse(first?.dueAt ?? '')).toBeGreaterThanOrEqual(15 * 60_000);
    status = 204;
    await work(tenant);
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    expect(told).toHaveLength(2);
    expect(await waiting(tenant)).toEqual([]);
  });

  it('hears what other contexts tell, however often they tell it', async () => {
    const tenant = newId();
    await register(tenant);
    const [accountId, invoiceId] = [newId(), newId()];
    const event = {
      id: newId(),
      type: 'invoicing.invoice-voided.v1' as const,
      data: { accountId, invoiceId },
      tenantId: tenant,
      key: accountId,
      at: '2026-01-01T00:00:00.000Z' as never,
      actor: { createdBy: 'somebody' },
      correlationId: newId(),
      position: '0',
      stream: '',
      revision: '0',
    };
    for (let times = 0; times < 2; times += 1) await service.app.get(OnObjectsMade).tellOfVoidedInvoice(event);
    await work(tenant);
    expect(told.map(({ body }) => body)).toMatchObject([
      { eventType: 'INVOICE_ADJUSTMENT', accountId, objectType: 'INVOICE', objectId: invoiceId },
    ]);
  });

  it('at a private address is not called where that is not allowed', async () => {
    const body = { eventType: 'X', accountId: null, objectType: 'ACCOUNT', objectId: newId(), metaData: null };
    const strict = callbackClient(false);
    expect(await strict(url, 'n', body)).toEqual({ reason: 'the callback is not at a public address', isFinal: true });
    expect(await strict(url.replace('127.0.0.1', 'localhost'), 'n', body)).toMatchObject({ isFinal: true });
    expect(told).toEqual([]);
  });
});
