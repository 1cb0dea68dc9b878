import { commandHandler } from '@billstream/event-sourcing';
import { newId, wallTime } from '@billstream/kernel';
import {
  externalPlugin,
  invoicePayments,
  invoicePaymentsSchema,
  invoicePaymentsStream,
} from '@billstream/payments-domain';
import { eventually } from '@billstream/testing';
import { commitInvoice, testPaying } from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest } from '../testing/payments-under-test';

let system: PaymentsUnderTest;
let accountId: string;

beforeAll(async () => {
  system = await paymentsUnderTest('http://127.0.0.1:9');
  await system.start();
  accountId = await testPaying(system);
}, 60_000);
afterAll(() => system.close());

type Payment = {
  readonly paymentId: string;
  readonly purchasedAmount: number;
  readonly transactions: readonly { readonly transactionExternalKey: string; readonly status: string }[];
};

const post = async (path: string, payload: object, headers: Record<string, string> = {}) => {
  const answer = await system.call({ method: 'POST', url: `/1.0/kb/${path}`, payload, headers });
  const body = answer.body === '' ? null : answer.json<{ code: number | null }>();
  return { status: answer.statusCode, code: body?.code, location: answer.headers.location };
};
const payments = (): Promise<readonly Payment[]> => system.get(`/1.0/kb/accounts/${accountId}/payments`);
const configure = (payload: object) =>
  system.call({ method: 'POST', url: '/plugins/killbill-payment-test/configure', payload });
afterEach(() => configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' }));

/** An invoice that nothing has been paid of, without a retry to come. */
const unpaidInvoice = async (): Promise<string> => {
  await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
  const invoiceId = await commitInvoice(system, accountId, 2_000);
  await eventually(async () => (await paymentsOf(invoiceId))[0]?.transactions[0]?.status === 'PAYMENT_FAILURE');
  await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
  return invoiceId;
};
const paymentsOf = (invoiceId: string): Promise<readonly Payment[]> =>
  system.get(`/1.0/kb/invoices/${invoiceId}/payments`);

describe('equal requests that come at the same time', () => {
  it.each([
    ['paymentExternalKey', 'transactionExternalKey'],
    ['transactionExternalKey', 'description'],
    ['paymentExternalKey', 'description'],
  ])('with the same %s and %s make one payment', async (first, second) => {
    const names = { [first]: `order-${newId()}`, [second]: `order-${newId()}` };
    const asked = { transactionType: 'PURCHASE', amount: 10, currency: 'USD', ...names };
    const before = (await payments()).length;
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(`accounts/${accountId}/payments`, asked)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const after = await payments();
    expect(after).toHaveLength(before + 1);
    expect(after.at(-1)).toMatchObject({ purchasedAmount: 10, transactions: [{ status: 'SUCCESS' }] });
  });

  it('with names of other payments but one transaction’s name make one payment', async () => {
    const transactionExternalKey = `transaction-${newId()}`;
    const before = (await payments()).length;
    const answers = await Promise.all(
      [1, 2, 3].map(() =>
        post(`accounts/${accountId}/payments`, {
          ...{ transactionType: 'PURCHASE', amount: 10, transactionExternalKey, paymentExternalKey: newId() },
        }),
      ),
    );
    expect(answers.map(({ status, code }) => (status === 201 ? status : code)).sort()).toEqual([201, 7030, 7030]);
    expect(await payments()).toHaveLength(before + 1);
  });

  it.each([
    ['paymentExternalKey', (key: string) => ({ paymentExternalKey: key })],
    ['transactionExternalKey', (key: string) => ({ transactions: [{ transactionExternalKey: key }] })],
  ])('pay a part of an invoice once under one %s', async (_, named) => {
    const invoiceId = await unpaidInvoice();
    const asked = { purchasedAmount: 5, ...named(`order-${newId()}`) };
    const answers = await Promise.all([1, 2, 3, 4].map(() => post(`invoices/${invoiceId}/payments`, asked)));
    expect(answers.some(({ status }) => status === 201)).toBe(true);
    for (const { status } of answers) expect([201, 400, 409]).toContain(status);
    expect((await paymentsOf(invoiceId)).map(({ purchasedAmount }) => purchasedAmount)).toEqual([5]);
    expect(await post(`invoices/${invoiceId}/payments`, asked)).toMatchObject({ status: 400, code: 7030 });
    expect((await paymentsOf(invoiceId)).map(({ purchasedAmount }) => purchasedAmount)).toEqual([5]);
  });
});

describe('a request that is sent again', () => {
  it('under its idempotency key answers as it did, whatever it named', async () => {
    const invoiceId = await unpaidInvoice();
    const headers = { 'idempotency-key': newId() };
    const asked = { purchasedAmount: 5, transactions: [{ transactionExternalKey: `order-${newId()}` }] };
    const first = await post(`invoices/${invoiceId}/payments`, asked, headers);
    expect(first.status).toBe(201);
    expect(await post(`invoices/${invoiceId}/payments`, asked, headers)).toEqual(first);
    const direct = { transactionType: 'PURCHASE', amount: 10, transactionExternalKey: `order-${newId()}` };
    const again = { 'idempotency-key': newId() };
    const made = await post(`accounts/${accountId}/payments`, direct, again);
    expect(made.status).toBe(201);
    expect(await post(`accounts/${accountId}/payments`, direct, again)).toEqual(made);
  });

  it('after it failed makes another attempt at the same payment', async () => {
    const asked = { transactionType: 'PURCHASE', amount: 10, transactionExternalKey: `order-${newId()}` };
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
    const failed = await post(`accounts/${accountId}/payments`, asked);
    expect(failed.status).toBe(402);
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
    const made = await post(`accounts/${accountId}/payments`, asked);
    expect([made.status, made.location]).toEqual([201, failed.location]);
    expect(await post(`accounts/${accountId}/payments`, asked)).toMatchObject({ status: 400, code: 7030 });
  });
});

describe('the name of a transaction', () => {
  const asked = (amount: number, transactionExternalKey: string) => ({
    ...{ transactionType: 'PURCHASE', amount, currency: 'USD', transactionExternalKey },
  });

  it('is one account’s: another one that uses it pays nothing', async () => {
    const key = `order-${newId()}`;
    expect((await post(`accounts/${accountId}/payments`, asked(10, key))).status).toBe(201);
    const other = await testPaying(system);
    expect((await post(`accounts/${other}/payments`, asked(10, key))).status).toBe(400);
    expect(await system.get(`/1.0/kb/accounts/${other}/payments`)).toEqual([]);
  });

  it('is free after it was refused to a transaction', async () => {
    const { location } = await post(`accounts/${accountId}/payments`, asked(10, `order-${newId()}`));
    const key = `refund-${newId()}`;
    const path = new URL(String(location), 'http://any').pathname.replace('/1.0/kb/', '');
    const refund = (amount: number) => post(`${path}/refunds`, { amount, transactionExternalKey: key });
    expect((await refund(11)).status).toBe(400);
    expect((await post(`accounts/${accountId}/payments`, asked(10, key))).status).toBe(201);
    expect(await refund(5)).toMatchObject({ status: 400, code: 7030 });
  });

  it('is free after it was refused to a payment of an invoice', async () => {
    const key = `order-${newId()}`;
    const invoiceId = await unpaidInvoice();
    const pay = (purchasedAmount: number, id: string) =>
      post(`invoices/${id}/payments`, { purchasedAmount, transactions: [{ transactionExternalKey: key }] });
    expect((await pay(21, invoiceId)).status).toBe(400);
    expect((await pay(5, await unpaidInvoice())).status).toBe(201);
    expect(await pay(5, invoiceId)).toMatchObject({ status: 400, code: 7030 });
  });

  it('that was used before names were claimed is nobody else’s', async () => {
    const key = `order-${newId()}`;
    const invoiceId = await unpaidInvoice();
    const handle = commandHandler({ store: system.store, decider: invoicePayments, schema: invoicePaymentsSchema });
    const now = wallTime();
    const method = { paymentMethodId: newId(), pluginName: externalPlugin };
    const paid = await handle(
      invoicePaymentsStream(invoiceId),
      { type: 'RecordExternalPayment', data: { ...method, amountMinor: 500, now, transactionKey: key } },
      {
        ...{ commandId: newId(), tenantId: system.tenantId, actor: { createdBy: 'earlier release' } },
        ...{ at: now, correlationId: newId() },
      },
    );
    expect(paid.outcome).toBe('accepted');
    await eventually(async () => (await paymentsOf(invoiceId)).some(({ purchasedAmount }) => purchasedAmount === 5));
    const { location } = await post(`accounts/${accountId}/payments`, asked(10, `order-${newId()}`));
    const path = new URL(String(location), 'http://any').pathname.replace('/1.0/kb/', '');
    const refund = { amount: 5, transactionExternalKey: key };
    expect(await post(`${path}/refunds`, refund)).toMatchObject({ status: 400, code: 7030 });
  });
});
