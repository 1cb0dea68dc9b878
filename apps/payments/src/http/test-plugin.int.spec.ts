import { newId } from '@billstream/kernel';
import { eventually } from '@billstream/testing';
import { commitInvoice, openAccount, testPaying } from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest } from '../testing/payments-under-test';

const nobody = 'http://127.0.0.1:9';
let system: PaymentsUnderTest;

beforeAll(async () => {
  system = await paymentsUnderTest(nobody);
  await system.start();
}, 60_000);
afterAll(() => system.close());

const configure = (payload: object, tenant = system.tenantId) =>
  system.call({ method: 'POST', url: '/plugins/killbill-payment-test/configure', payload, tenant });
afterEach(() => configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' }));

type Transaction = { readonly status: string; readonly amount: number; readonly processedAmount: number | null };
const transactionsOf = async (invoiceId: string): Promise<readonly Transaction[]> =>
  (
    await system.get<readonly { readonly transactions: readonly Transaction[] }[]>(
      `/1.0/kb/invoices/${invoiceId}/payments`,
    )
  ).flatMap(({ transactions }) => transactions);

describe('a tenant’s test plugin', () => {
  it.each([
    [{}, 'SUCCESS', 20],
    [{ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR', METHODS: 'purchasePayment' }, 'PAYMENT_FAILURE', 0],
    [{ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_CANCELED' }, 'PLUGIN_FAILURE', 0],
    [{ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_PENDING' }, 'PENDING', null],
    [{ AMOUNT: 10, METHODS: 'purchasePayment' }, 'SUCCESS', 10],
    [{ CONFIGURE_ACTION: 'RETURN_NIL', METHODS: 'refundPayment' }, 'SUCCESS', 20],
    [{ CONFIGURE_ACTION: 'ACTION_SLEEP', SLEEP_PLUGIN_SEC: 0.05 }, 'SUCCESS', 20],
  ])('told %j makes payments %s', async (told, status, processedAmount) => {
    const accountId = await testPaying(system);
    if (Object.keys(told).length > 0) expect((await configure(told)).statusCode).toBe(200);
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await eventually(async () => (await transactionsOf(invoiceId))[0]?.status === status);
    expect(await transactionsOf(invoiceId)).toMatchObject([{ status, amount: 20, processedAmount }]);
  });

  it('answers nothing, and the payment stays unknown', async () => {
    const accountId = await testPaying(system);
    await configure({ CONFIGURE_ACTION: 'RETURN_NIL' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await eventually(async () => {
      const url = `/1.0/kb/invoices/${invoiceId}/payments`;
      const [payment] = await system.get<readonly { transactions: readonly { gatewayErrorCode: string }[] }[]>(url);
      return payment?.transactions[0]?.gatewayErrorCode === 'nothing-answered';
    });
    expect(await transactionsOf(invoiceId)).toMatchObject([{ status: 'UNKNOWN' }]);
  });

  it('does as its own tenant says, and says what that is', async () => {
    const other = newId();
    await configure({ CONFIGURE_ACTION: 'RETURN_NIL', METHODS: 'refundPayment, voidPayment' }, other);
    await configure({ AMOUNT: 7.5 }, other);
    const status = await system.call({ method: 'GET', url: '/plugins/killbill-payment-test/status', tenant: other });
    expect(status.json()).toEqual({
      ...{ states: { refundPayment: 'RETURN_NIL', voidPayment: 'RETURN_NIL' }, sleeps: {}, amounts: { '*': '7.5' } },
    });
    expect(await system.get('/plugins/killbill-payment-test/status')).toEqual({ states: {}, sleeps: {}, amounts: {} });
  });

  it.each([
    [{}, 'CONFIGURE_ACTION'],
    [{ CONFIGURE_ACTION: 'EXPLODE' }, 'CONFIGURE_ACTION'],
    [{ CONFIGURE_ACTION: 'RETURN_NIL', METHODS: 'stealPayment' }, 'METHODS'],
    [{ CONFIGURE_ACTION: 'ACTION_SLEEP' }, 'SLEEP_PLUGIN_SEC'],
    [{ SLEEP_PLUGIN_SEC: 1e9 }, 'SLEEP_PLUGIN_SEC'],
    [{ AMOUNT: -1 }, 'AMOUNT'],
    [{ AMOUNT: 1e22 }, 'AMOUNT'],
  ])('refuses %j by the name of the field', async (payload, field) => {
    const answer = await configure(payload);
    expect([answer.statusCode, answer.json<{ message: string }>().message]).toEqual([
      400,
      expect.stringContaining(field),
    ]);
  });
});

describe('a system that bills real people', () => {
  it('has no test plugin', async () => {
    const real = await paymentsUnderTest(nobody, { bills: 'real people' });
    try {
      await real.start();
      const accountId = await openAccount(real);
      const url = `/1.0/kb/accounts/${accountId}/paymentMethods`;
      const payload = { pluginName: 'killbill-payment-test' };
      const answer = await real.call({ method: 'POST', url, payload });
      expect([answer.statusCode, answer.json<{ code: number }>().code]).toEqual([400, 7028]);
      const configured = await real.call({
        ...{ method: 'POST', url: '/plugins/killbill-payment-test/configure' },
        payload: { CONFIGURE_ACTION: 'RETURN_NIL' },
      });
      expect([configured.statusCode, configured.json<{ code: number }>().code]).toEqual([400, 7028]);
    } finally {
      await real.close();
    }
  });
});
