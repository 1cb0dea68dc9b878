import { newId } from '@billstream/kernel';
import { eventually } from '@billstream/testing';
import { commitInvoice, openAccount, testPaying } from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest } from '../testing/payments-under-test';

let system: PaymentsUnderTest;
let accountId: string;

beforeAll(async () => {
  system = await paymentsUnderTest('http://127.0.0.1:9');
  await system.start();
  accountId = await testPaying(system);
}, 60_000);
afterAll(() => system.close());

type Transaction = {
  readonly transactionId: string;
  readonly transactionType: string;
  readonly transactionExternalKey: string;
  readonly status: string;
  readonly amount: number;
};
type Payment = {
  readonly paymentId: string;
  readonly paymentExternalKey: string;
  readonly purchasedAmount: number;
  readonly transactions: readonly Transaction[];
};
type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const call = async (method: Method, path: string, payload?: object) => {
  const answer = await system.call({ method, url: `/1.0/kb/${path}`, ...(payload === undefined ? {} : { payload }) });
  const body = answer.body === '' ? null : answer.json<{ code: number | null; message: string }>();
  return { status: answer.statusCode, code: body?.code, message: body?.message, location: answer.headers.location };
};
const at = <T>(location: unknown): Promise<T> => system.get(new URL(String(location)).pathname);
const configure = (payload: object) =>
  system.call({ method: 'POST', url: '/plugins/killbill-payment-test/configure', payload });
afterEach(() => configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' }));

const begin = (transactionType: string, amount: number, more: object = {}) =>
  call('POST', `accounts/${accountId}/payments`, { transactionType, amount, currency: 'USD', ...more });
const paidInvoice = async (): Promise<{ readonly invoiceId: string; readonly paymentId: string }> => {
  const invoiceId = await commitInvoice(system, accountId, 2_000);
  const paid = (): Promise<readonly Payment[]> => system.get(`/1.0/kb/invoices/${invoiceId}/payments`);
  await eventually(async () => (await paid())[0]?.transactions[0]?.status === 'SUCCESS');
  return { invoiceId, paymentId: (await paid())[0]!.paymentId };
};

describe('a payment without an invoice', () => {
  it('is authorised, captured in parts and given back', async () => {
    const { status, location } = await begin('AUTHORIZE', 10);
    expect(status).toBe(201);
    const { paymentId, paymentExternalKey } = await at<Payment>(location);
    expect(paymentExternalKey).toBe(paymentId);
    expect((await call('POST', `payments/${paymentId}`, { amount: 4 })).status).toBe(201);
    expect(await call('POST', `payments/${paymentId}`, { amount: 6.01 })).toMatchObject({ status: 400, code: 7032 });
    expect((await call('POST', `payments/${paymentId}`, {})).status).toBe(201);
    expect((await call('POST', `payments/${paymentId}/refunds`, { amount: 2.5 })).status).toBe(201);
    expect(await system.get(`/1.0/kb/payments/${paymentId}`)).toMatchObject({
      ...{ authAmount: 10, capturedAmount: 10, purchasedAmount: 0, refundedAmount: 2.5 },
      transactions: [
        { transactionType: 'AUTHORIZE', status: 'SUCCESS', amount: 10 },
        { transactionType: 'CAPTURE', amount: 4 },
        { transactionType: 'CAPTURE', amount: 6 },
        { transactionType: 'REFUND', amount: 2.5, processedAmount: 2.5 },
      ],
    });
  });

  it('is voided, by its key', async () => {
    const key = `order-${newId()}`;
    await begin('AUTHORIZE', 10, { paymentExternalKey: key });
    expect((await call('DELETE', 'payments', { paymentExternalKey: key })).status).toBe(204);
    expect(await system.get(`/1.0/kb/payments?externalKey=${key}`)).toMatchObject({
      ...{ paymentExternalKey: key, authAmount: 0 },
      transactions: [{ transactionType: 'AUTHORIZE' }, { transactionType: 'VOID', status: 'SUCCESS' }],
    });
  });

  it('is one payment a key, however often it is asked for', async () => {
    const key = `order-${newId()}`;
    const answers = await Promise.all([1, 2, 3].map(() => begin('PURCHASE', 10, { paymentExternalKey: key })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, expect.any(Number), expect.any(Number)]);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const { transactions } = await system.get<Payment>(`/1.0/kb/payments?externalKey=${key}`);
    expect(transactions).toHaveLength(1);
    expect(await begin('PURCHASE', 10, { paymentExternalKey: key })).toMatchObject({ status: 400, code: 7032 });
  });

  it.each([
    [{ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' }, 402, 'PAYMENT_FAILURE'],
    [{ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_CANCELED' }, 502, 'PLUGIN_FAILURE'],
    [{ CONFIGURE_ACTION: 'RETURN_NIL' }, 503, 'UNKNOWN'],
    [{ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_PENDING' }, 201, 'PENDING'],
  ])('told %j answers %i with the address of what became %s', async (told, status, state) => {
    await configure(told);
    const answer = await begin('PURCHASE', 10);
    expect(answer.status).toBe(status);
    expect((await at<Payment>(answer.location)).transactions).toMatchObject([{ status: state }]);
  });

  it('goes on when the payer has done what was asked for, or the provider says what came of it', async () => {
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_PENDING' });
    const first = await at<Payment>((await begin('AUTHORIZE', 10)).location);
    const second = await at<Payment>((await begin('PURCHASE', 10)).location);
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
    expect((await call('PUT', `payments/${first.paymentId}`, {})).status).toBe(204);
    const { transactionId } = second.transactions[0]!;
    const said = await call('POST', `paymentTransactions/${transactionId}`, { status: 'SUCCESS' });
    expect(said.status).toBe(201);
    for (const { paymentId } of [first, second])
      expect((await system.get<Payment>(`/1.0/kb/payments/${paymentId}`)).transactions).toMatchObject([
        { status: 'SUCCESS', amount: 10 },
      ]);
    expect((await call('POST', `paymentTransactions/${transactionId}`, { status: 'SUCCESS' })).status).toBe(400);
  });

  it.each([
    [{ transactionType: 'REFUND', amount: 1 }, 412, 'transactionType'],
    [{ transactionType: 'PURCHASE' }, 400, 'amount'],
    [{ transactionType: 'PURCHASE', amount: -1 }, 400, 'amount'],
    [{ transactionType: 'PURCHASE', amount: 1e22 }, 400, 'amount'],
    [{ transactionType: 'PURCHASE', amount: 'much' }, 400, 'amount'],
    [{ transactionType: 'PURCHASE', amount: 1, currency: 'XXL' }, 400, 'currency'],
  ])('is refused as %j by the name of the field', async (payload, status, field) => {
    const answer = await call('POST', `accounts/${accountId}/payments`, payload);
    expect([answer.status, answer.message]).toEqual([status, expect.stringContaining(field)]);
  });

  it('needs a method that can pay', async () => {
    const poor = await openAccount(system);
    const payload = { transactionType: 'PURCHASE', amount: 1 };
    expect(await call('POST', `accounts/${poor}/payments`, payload)).toMatchObject({ status: 404, code: 7021 });
  });

  it('may name its account by key', async () => {
    const payload = { transactionType: 'CREDIT', amount: 3, currency: 'USD' };
    const { status, location } = await call('POST', `accounts/payments?externalKey=${accountId}`, payload);
    expect(status).toBe(201);
    expect(await at(location)).toMatchObject({ accountId, creditedAmount: 3 });
  });
});

describe('what was paid for an invoice', () => {
  it('is given back, with adjustments or without', async () => {
    const { paymentId, invoiceId } = await paidInvoice();
    const refunds = `invoicePayments/${paymentId}/refunds`;
    const { status, location } = await call('POST', refunds, { amount: 5 });
    expect(status).toBe(201);
    const item = newId();
    const adjustments = [{ invoiceItemId: item, amount: 3 }];
    expect((await call('POST', refunds, { amount: 3, isAdjusted: true, adjustments })).status).toBe(201);
    expect(await at(location)).toMatchObject({
      ...{ targetInvoiceId: invoiceId, purchasedAmount: 20, refundedAmount: 8 },
      transactions: [
        { transactionType: 'PURCHASE' },
        { transactionType: 'REFUND', amount: 5, isAdjusted: false, adjustments: [] },
        { transactionType: 'REFUND', amount: 3, isAdjusted: true, adjustments },
      ],
    });
    const unpriced = { isAdjusted: true, adjustments: [{ invoiceItemId: item }] };
    expect(await call('POST', refunds, unpriced)).toMatchObject({ status: 400 });
    expect(await at(location)).toMatchObject({ refundedAmount: 8 });
    expect(await call('POST', refunds, { amount: 12.01 })).toMatchObject({ status: 400, code: 4906 });
    expect(await call('POST', refunds, { amount: 1, isAdjusted: true })).toMatchObject({ status: 400, code: 4025 });
    expect(await call('POST', refunds, { amount: 1, isAdjusted: true, adjustments })).toMatchObject({ code: 4907 });
  });

  it('is not given back for an item that its invoice does not have, or for more than is left of one', async () => {
    const { paymentId, invoiceId } = await paidInvoice();
    const refunds = `invoicePayments/${paymentId}/refunds`;
    const [item, foreign] = [newId(), newId()];
    const adjustedItems = [
      { invoiceItemId: item, invoiceId, leftMinor: 700 },
      { invoiceItemId: foreign, invoiceId: newId(), leftMinor: 700 },
    ];
    const refund = (invoiceItemId: string, amount?: number) =>
      call('POST', refunds, { isAdjusted: true, adjustments: [{ invoiceItemId, amount }], adjustedItems });
    expect(await refund(newId(), 3)).toMatchObject({ status: 404, code: 4011 });
    expect(await refund(foreign, 3)).toMatchObject({ status: 404, code: 4011 });
    expect(await refund(item, 7.01)).toMatchObject({ status: 400, code: 4020 });
    const { location } = await refund(item);
    expect(await at(location)).toMatchObject({ refundedAmount: 7 });
  });

  it('is given back once when a request that names no amounts is sent again, and answered as it was', async () => {
    const { paymentId, invoiceId } = await paidInvoice();
    const invoiceItemId = newId();
    const headers = { 'idempotency-key': newId(), 'x-billstream-asked': 'the same' };
    const refund = async (leftMinor: number, more: Record<string, string> = {}) => {
      const { statusCode, headers: answered } = await system.call({
        ...{ method: 'POST', url: `/1.0/kb/invoicePayments/${paymentId}/refunds`, headers: { ...headers, ...more } },
        payload: {
          ...{ isAdjusted: true, adjustments: [{ invoiceItemId }] },
          adjustedItems: [{ invoiceItemId, invoiceId, leftMinor }],
        },
      });
      return [statusCode, answered.location];
    };
    const first = await refund(700);
    expect(first[0]).toBe(201);
    expect(await refund(0)).toEqual(first);
    expect((await refund(0, { 'x-billstream-asked': 'something else' }))[0]).toBe(422);
    expect(await at(first[1])).toMatchObject({ refundedAmount: 7 });
  });

  it('is not charged again beside its invoice, by its id or key, and is given back as before', async () => {
    const { paymentId } = await paidInvoice();
    const { paymentExternalKey } = await system.get<Payment>(`/1.0/kb/payments/${paymentId}`);
    for (const name of [{ paymentId }, { paymentExternalKey }])
      expect(await begin('PURCHASE', 5, name)).toMatchObject({ status: 400, code: 7032 });
    expect((await call('POST', `invoicePayments/${paymentId}/refunds`, {})).status).toBe(201);
    expect(await system.get(`/1.0/kb/payments/${paymentId}`)).toMatchObject({
      purchasedAmount: 20,
      refundedAmount: 20,
    });
  });

  it('may be taken back by the payer’s bank, and given again', async () => {
    const { paymentId } = await paidInvoice();
    const payment = (): Promise<object> => system.get(`/1.0/kb/invoicePayments/${paymentId}`);
    const path = `invoicePayments/${paymentId}`;
    expect(await call('POST', `${path}/chargebacks`, { amount: 20.01 })).toMatchObject({ status: 400, code: 4901 });
    expect((await call('POST', `${path}/chargebacks`, { amount: 15 })).status).toBe(201);
    expect(await payment()).toMatchObject({ purchasedAmount: 5 });
    expect((await call('POST', `${path}/chargebackReversals`, {})).status).toBe(201);
    expect(await payment()).toMatchObject({
      purchasedAmount: 20,
      transactions: [
        { transactionType: 'PURCHASE', status: 'SUCCESS' },
        { transactionType: 'CHARGEBACK', status: 'SUCCESS' },
        { transactionType: 'CHARGEBACK', status: 'PAYMENT_FAILURE' },
      ],
    });
    expect(await call('POST', `${path}/chargebackReversals`, {})).toMatchObject({ status: 400, code: 7032 });
  });

  it('by a payment whose key is taken is not paid', async () => {
    const { paymentId } = await paidInvoice();
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const payments = (): Promise<readonly Payment[]> => system.get(`/1.0/kb/invoices/${invoiceId}/payments`);
    await eventually(async () => (await payments())[0]?.transactions[0]?.status === 'PAYMENT_FAILURE');
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
    const pay = (paymentExternalKey: string) => call('POST', `invoices/${invoiceId}/payments`, { paymentExternalKey });
    expect(await pay(paymentId)).toMatchObject({ status: 400, code: 7030 });
    expect((await pay(`order-${newId()}`)).status).toBe(201);
    expect((await payments())[0]?.transactions).toMatchObject([{ status: 'PAYMENT_FAILURE' }, { status: 'SUCCESS' }]);
  });

  it('under a key of the client is paid once, however often that is asked for', async () => {
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const payments = (): Promise<readonly Payment[]> => system.get(`/1.0/kb/invoices/${invoiceId}/payments`);
    await eventually(async () => (await payments())[0]?.transactions[0]?.status === 'PAYMENT_FAILURE');
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
    const pay = async (purchasedAmount: number, paymentExternalKey: string, sent = newId()) => {
      const { statusCode, headers } = await system.call({
        method: 'POST',
        url: `/1.0/kb/invoices/${invoiceId}/payments`,
        headers: { 'idempotency-key': sent },
        payload: { purchasedAmount, paymentExternalKey },
      });
      return { status: statusCode, location: headers.location };
    };
    const [key, other, sent] = [`order-${newId()}`, `order-${newId()}`, newId()];
    const first = await pay(5, key, sent);
    expect(first.status).toBe(201);
    expect(await pay(5, key, sent)).toEqual(first);
    expect((await pay(5, key)).status).toBe(400);
    expect((await pay(15, other)).status).toBe(201);
    expect(await pay(5, key, sent)).toEqual(first);
    expect((await payments()).map(({ purchasedAmount }) => purchasedAmount)).toEqual([5, 15]);
  });

  it('and nobody knows whether becomes what an operator says', async () => {
    await configure({ CONFIGURE_ACTION: 'RETURN_NIL' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const payment = async (): Promise<Payment | undefined> =>
      (await system.get<readonly Payment[]>(`/1.0/kb/invoices/${invoiceId}/payments?withAttempts=true`))[0];
    await eventually(async () => JSON.stringify((await payment())?.transactions[0] ?? {}).includes('nothing-answered'));
    const { paymentId, transactions } = (await payment())!;
    const path = `admin/payments/${paymentId}/transactions/${transactions[0]!.transactionId}`;
    expect((await call('PUT', path, { transactionStatus: 'PAYMENT_FAILURE' })).status).toBe(204);
    expect(await payment()).toMatchObject({
      transactions: [{ status: 'PAYMENT_FAILURE' }],
      paymentAttempts: [{ stateName: 'RETRIED' }, { stateName: 'SCHEDULED' }],
    });
    expect((await call('PUT', path, { transactionStatus: 'GONE' })).status).toBe(400);
    const cancel = `payments/${transactions[0]!.transactionId}/cancelScheduledPaymentTransaction`;
    expect((await call('DELETE', cancel)).status).toBe(204);
    expect(await payment()).toMatchObject({ paymentAttempts: [{ stateName: 'ABORTED' }] });
    expect(await call('DELETE', cancel)).toMatchObject({ status: 400, code: 7032 });
    expect((await call('PUT', path, { transactionStatus: 'SUCCESS' })).status).toBe(204);
    expect(await payment()).toMatchObject({ purchasedAmount: 20 });
    expect(await call('PUT', path, { transactionStatus: 'PAYMENT_FAILURE' })).toMatchObject({
      status: 400,
      code: 7032,
    });
  });
});

describe('payments and methods', () => {
  it('are found by keys, ids and parts of keys, page by page', async () => {
    const mine = await testPaying(system);
    const key = `order_${newId()}`;
    const payload = {
      transactionType: 'PURCHASE',
      amount: 1,
      paymentExternalKey: key,
      transactionExternalKey: `t-${key}`,
    };
    expect((await call('POST', `accounts/${mine}/payments`, payload)).status).toBe(201);
    await call('POST', `accounts/${mine}/payments`, { transactionType: 'PURCHASE', amount: 2 });
    const { paymentId, transactions } = await system.get<Payment>(`/1.0/kb/payments?externalKey=${key}`);
    const { transactionId, transactionExternalKey } = transactions[0]!;
    for (const path of [transactionId, `?transactionExternalKey=${transactionExternalKey}`])
      expect(await system.get(`/1.0/kb/paymentTransactions/${path}`.replace('/?', '?'))).toMatchObject({ paymentId });
    for (const [search, found] of [
      ...([
        [paymentId, 1],
        [mine, 2],
        [key.slice(0, 20), 1],
        [transactionId, 1],
      ] as const),
      ...([
        [key.replace('_', 'x'), 0],
        ['%', 0],
      ] as const),
    ])
      expect(await system.get(`/1.0/kb/payments/search/${encodeURIComponent(search)}`)).toHaveLength(found);
    const page = await system.call({ method: 'GET', url: '/1.0/kb/payments/pagination?limit=-1' });
    expect(page.json()).toMatchObject([{ accountId: mine, purchasedAmount: 2 }]);
    expect(Number(page.headers['x-killbill-pagination-totalnbrecords'])).toBeGreaterThan(2);
    expect(await system.get(`/1.0/kb/paymentMethods/search/${mine}`)).toMatchObject([{ accountId: mine }]);
    expect(await system.get('/1.0/kb/paymentMethods/pagination?limit=1&pluginName=none')).toEqual([]);
    expect((await call('PUT', `accounts/${mine}/paymentMethods/refresh`)).status).toBe(204);
  });

  it('that are not there are not found', async () => {
    const nobody = newId();
    for (const path of ['payments?externalKey=none', `payments/${nobody}`])
      expect(await call('GET', path)).toMatchObject({ status: 404, code: 7020 });
    for (const path of ['paymentTransactions?transactionExternalKey=none', `paymentTransactions/${nobody}`])
      expect(await call('GET', path)).toMatchObject({ status: 404, code: 7024 });
    expect(await call('POST', `payments/${nobody}/refunds`, { amount: 1 })).toMatchObject({ status: 404, code: 7020 });
    expect((await call('POST', 'payments/refunds', { amount: 1 })).status).toBe(400);
  });
});
