import { type RunningEmulator, startEmulator } from '@billstream/app/gateway-emulator';
import { newId } from '@billstream/kernel';
import { eventually } from '@billstream/testing';
import { type Control, commitInvoice, controlOf, payingAccount, testPaying } from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest } from '../testing/payments-under-test';

const payPal = 'killbill-paypal-express';
const testPlugin = 'killbill-payment-test';
let emulator: RunningEmulator;
let control: Control;
let system: PaymentsUnderTest;

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, log: () => undefined });
  control = controlOf(emulator.url);
  system = await paymentsUnderTest(emulator.url);
  await system.start();
}, 60_000);
afterAll(async () => {
  await system.close();
  await emulator.close();
});

type Payment = {
  readonly paymentId: string;
  readonly transactions: readonly {
    readonly transactionId: string;
    readonly status: string;
    readonly firstPaymentReferenceId: string | null;
  }[];
};
const paymentOf = async (invoiceId: string): Promise<Payment | undefined> =>
  (await system.get<readonly Payment[]>(`/1.0/kb/invoices/${invoiceId}/payments`))[0];
const statusesOf = async (invoiceId: string): Promise<readonly string[]> =>
  (await paymentOf(invoiceId))?.transactions.map(({ status }) => status) ?? [];

const pending = async (invoiceId: string): Promise<Payment> => {
  await eventually(async () => (await statusesOf(invoiceId))[0] === 'PENDING');
  return (await paymentOf(invoiceId))!;
};
const notify = async (pluginName: string, payload: string, contentType = 'application/x-www-form-urlencoded') => {
  const url = `/1.0/kb/paymentGateways/notification/${pluginName}`;
  const answer = await system.call({ method: 'POST', url, payload, headers: { 'content-type': contentType } });
  return [answer.statusCode, answer.body === '' ? null : answer.json<{ code: number }>().code];
};

describe('a notification of PayPal', () => {
  const waiting = async () => {
    const accountId = await payingAccount(system, control);
    await control('POST', 'faults', { provider: 'paypal', operation: 'DoReferenceTransaction', effect: 'pending' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const { paymentId, transactions } = await pending(invoiceId);
    return { invoiceId, paymentId, reference: transactions[0]?.firstPaymentReferenceId ?? '' };
  };
  const settle = (transactionId: string, status: string) => control('POST', 'paypal/settle', { transactionId, status });

  it('has what PayPal decided found at once, and once more without effect', async () => {
    const { invoiceId, paymentId, reference } = await waiting();
    await settle(reference, 'Completed');
    const message = `txn_type=merch_pmt&payment_status=Completed&txn_id=${reference}&invoice=${paymentId}`;
    expect(await notify(payPal, message)).toEqual([200, null]);
    expect(await statusesOf(invoiceId)).toEqual(['SUCCESS']);
    expect(await notify(payPal, message)).toEqual([200, null]);
    expect(await statusesOf(invoiceId)).toEqual(['SUCCESS']);
  });

  it('is taken as the query where there is no body', async () => {
    const { invoiceId, paymentId, reference } = await waiting();
    await settle(reference, 'Denied');
    const url = `/1.0/kb/paymentGateways/notification/${payPal}?payment_status=Denied&invoice=${paymentId}`;
    expect((await system.call({ method: 'POST', url })).statusCode).toBe(200);
    expect((await statusesOf(invoiceId))[0]).toBe('PAYMENT_FAILURE');
  });

  it('moves nothing that PayPal’s own records do not say', async () => {
    const { invoiceId, paymentId } = await waiting();
    expect(await notify(payPal, `payment_status=Completed&mc_gross=20.00&invoice=${paymentId}`)).toEqual([200, null]);
    expect(await statusesOf(invoiceId)).toEqual(['PENDING']);
  });

  it.each([`invoice=${newId()}`, 'invoice=of-another-shop', 'txn_type=mp_cancel&mp_id=B-1'])(
    'about nothing of ours is taken: %s',
    async (message) => {
      expect(await notify(payPal, message)).toEqual([200, null]);
    },
  );
});

describe('a notification of the test plugin', () => {
  const waiting = async () => {
    const accountId = await testPaying(system);
    const url = `/plugins/${testPlugin}/configure`;
    await system.call({ method: 'POST', url, payload: { CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_PENDING' } });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const { paymentId } = await pending(invoiceId);
    await system.call({ method: 'POST', url, payload: { CONFIGURE_ACTION: 'ACTION_CLEAR' } });
    return { invoiceId, paymentId };
  };

  it.each([
    ['PROCESSED', 'SUCCESS'],
    ['ERROR', 'PAYMENT_FAILURE'],
    ['CANCELED', 'PLUGIN_FAILURE'],
  ])('that says %s makes the pending payment %s, for good', async (status, expected) => {
    const { invoiceId, paymentId } = await waiting();
    const said = JSON.stringify({ kbPaymentId: paymentId, status });
    expect(await notify(testPlugin, said, 'application/json')).toEqual([200, null]);
    expect((await statusesOf(invoiceId))[0]).toBe(expected);
    const other = JSON.stringify({ kbPaymentId: paymentId, status: status === 'ERROR' ? 'PROCESSED' : 'ERROR' });
    expect(await notify(testPlugin, other, 'application/json')).toEqual([200, null]);
    expect((await statusesOf(invoiceId))[0]).toBe(expected);
  });

  it('says nothing of another plugin’s payment', async () => {
    const { invoiceId, paymentId } = await waiting();
    expect(await notify(payPal, `invoice=${paymentId}`)).toEqual([200, null]);
    expect(await statusesOf(invoiceId)).toEqual(['PENDING']);
  });

  it.each(['', 'no json', '[]', '{"kbPaymentId":"p"}', '{"kbPaymentId":"p","status":"toString"}'])(
    'that cannot be read is refused: %j',
    async (message) => {
      expect(await notify(testPlugin, message)).toEqual([400, 7199]);
    },
  );
});

it('a notification to a plugin that is not there is refused', async () => {
  expect(await notify('killbill-none', 'invoice=1')).toEqual([400, 7028]);
});
