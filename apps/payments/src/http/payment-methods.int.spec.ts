import { type RunningEmulator, startEmulator } from '@billstream/app/gateway-emulator';
import { newId } from '@billstream/kernel';
import { seal } from '@billstream/secrets';
import { eventually } from '@billstream/testing';
import {
  type Control,
  addMethod,
  commitInvoice,
  controlOf,
  openAccount,
  payingAccount,
  setupCheckout,
} from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest, secretsKey } from '../testing/payments-under-test';

type Method = { readonly paymentMethodId: string; readonly externalKey: string; readonly isDefault: boolean };

let emulator: RunningEmulator;
let control: Control;
let system: PaymentsUnderTest;

beforeAll(async () => {
  emulator = await startEmulator({ port: 0 });
  control = controlOf(emulator.url);
  system = await paymentsUnderTest(emulator.url);
  await system.start();
}, 60_000);
afterAll(async () => {
  await system.close();
  await emulator.close();
});

const setupUrl = '/plugins/killbill-paypal-express/1.0/setup-checkout';
const methodsOf = (accountId: string, query = ''): Promise<readonly Method[]> =>
  system.get(`/1.0/kb/accounts/${accountId}/paymentMethods${query}`);

describe('setup-checkout', () => {
  it('sends the payer to the page of the guide, with an empty body', async () => {
    const accountId = await openAccount(system);
    const answer = await system.call({ method: 'POST', url: setupUrl, payload: { kb_account_id: accountId } });
    expect([answer.statusCode, answer.body]).toEqual([302, '']);
    expect(answer.headers.location).toMatch(
      /\/cgi-bin\/webscr\?cmd=_express-checkout&token=EC-[0-9A-Z]{17}&useraction=commit$/,
    );
  });
  it('answers 400 as plain text to a body that is not JSON', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await system.call({ method: 'POST', url: setupUrl, headers, payload: '{"kb_account_id": ' });
    expect(answer.statusCode).toBe(400);
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });
  it('answers 502 with what PayPal said when it refuses', async () => {
    const accountId = await openAccount(system);
    await control('POST', 'faults', { operation: 'SetExpressCheckout', effect: 'fail', code: '11452' });
    const answer = await system.call({ method: 'POST', url: setupUrl, payload: { kb_account_id: accountId } });
    expect(answer.statusCode).toBe(502);
    expect(answer.json<{ message: string }>().message).toContain('correlation id');
  });
  it('does not know another tenant’s account', async () => {
    const accountId = await payingAccount(system, control);
    const payload = { kb_account_id: accountId };
    const answer = await system.call({ method: 'POST', url: setupUrl, payload, tenant: newId() });
    expect([answer.statusCode, answer.json<{ code: number }>().code]).toEqual([404, 3002]);
  });
});

describe('adding a payment method', () => {
  it('exchanges the token and shows what the guide shows', async () => {
    const accountId = await openAccount(system);
    const token = await setupCheckout(system, accountId);
    await control('POST', 'paypal/approve', { token });
    const added = await addMethod(system, accountId, token);
    expect([added.statusCode, added.body]).toEqual([201, '']);
    const location = String(added.headers.location);
    expect(location).toMatch(/^http:\/\/.+\/1\.0\/kb\/paymentMethods\/[0-9a-f-]{36}$/);
    const paymentMethodId = location.split('/').at(-1);
    const method = {
      paymentMethodId,
      externalKey: expect.stringMatching(/^B-[0-9A-Z]{17}$/) as string,
      accountId,
      isDefault: true,
      pluginName: 'killbill-paypal-express',
      pluginInfo: null,
      auditLogs: [],
    };
    expect(await methodsOf(accountId, '?withPluginInfo=false&includedDeleted=false&audit=NONE')).toEqual([method]);
    const shown = await system.get<object>(`/1.0/kb/paymentMethods/${String(paymentMethodId)}`);
    expect(Object.keys(shown)).toEqual(Object.keys(method));
  });
  it('gives the same method when the token comes twice, one after the other or at once', async () => {
    const accountId = await openAccount(system);
    const token = await setupCheckout(system, accountId);
    await control('POST', 'paypal/approve', { token });
    const both = await Promise.all([addMethod(system, accountId, token), addMethod(system, accountId, token)]);
    const again = await addMethod(system, accountId, token, 'isDefault=false');
    const locations = [...both, again].map(({ headers }) => headers.location);
    expect(new Set(locations).size).toBe(1);
    expect(await methodsOf(accountId)).toHaveLength(1);
  });
  it('waits for the payer: 400 before the agreement, 201 after it', async () => {
    const accountId = await openAccount(system);
    const token = await setupCheckout(system, accountId);
    expect((await addMethod(system, accountId, token)).statusCode).toBe(400);
    await control('POST', 'paypal/approve', { token });
    expect((await addMethod(system, accountId, token)).statusCode).toBe(201);
  });
  it.each([
    [{}, 400, null],
    [{ pluginName: 'killbill-none' }, 400, 7028],
    [{ pluginName: 'killbill-paypal-express' }, 400, null],
  ])('refuses %j', async (payload, status, code) => {
    const accountId = await openAccount(system);
    const url = `/1.0/kb/accounts/${accountId}/paymentMethods`;
    const answer = await system.call({ method: 'POST', url, payload });
    expect([answer.statusCode, answer.json<{ code: number | null }>().code]).toEqual([status, code]);
  });
  it('answers 404 with code 3002 for an account that nobody knows', async () => {
    const answer = await addMethod(system, newId(), 'EC-1');
    expect([answer.statusCode, answer.json<{ code: number }>().code]).toEqual([404, 3002]);
  });
});

describe('the page where a payer agrees', () => {
  const form = async (accountId: string, formFields: readonly object[]) => {
    const url = `/1.0/kb/paymentGateways/hosted/form/${accountId}`;
    return system.call({ method: 'POST', url, payload: { formFields } });
  };
  it('is described, and what was agreed there becomes a method', async () => {
    const accountId = await openAccount(system);
    const answer = await form(accountId, [{ key: 'return_url', value: 'https://shop.example/done' }]);
    expect(answer.statusCode).toBe(200);
    const { formUrl, formFields } = answer.json<{ formUrl: string; formFields: { token: string } }>();
    expect(new URL(formUrl).searchParams.get('token')).toBe(formFields.token);
    await control('POST', 'paypal/approve', { token: formFields.token });
    expect((await addMethod(system, accountId, formFields.token)).statusCode).toBe(201);
  });
  it.each([
    ['return_url', 'no address'],
    ['currency', 'XXL'],
    ['description', 7],
  ])('refuses %s %p by the name of the field', async (key, value) => {
    const answer = await form(await openAccount(system), [{ key, value }]);
    expect([answer.statusCode, answer.json<{ message: string }>().message]).toEqual([
      400,
      expect.stringContaining(key),
    ]);
  });
});

describe('removing a payment method', () => {
  it('needs a word for the default, and keeps it readable', async () => {
    const accountId = await payingAccount(system, control);
    const [method] = await methodsOf(accountId);
    const url = `/1.0/kb/paymentMethods/${method!.paymentMethodId}`;
    const refused = await system.call({ method: 'DELETE', url });
    expect([refused.statusCode, refused.json<{ code: number }>().code]).toEqual([400, 7022]);
    expect((await system.call({ method: 'DELETE', url: `${url}?forceDefaultPmDeletion=true` })).statusCode).toBe(204);
    expect(await methodsOf(accountId)).toEqual([]);
    expect(await methodsOf(accountId, '?includedDeleted=true')).toHaveLength(1);
    expect((await system.call({ method: 'GET', url })).statusCode).toBe(404);
  });
});

describe('invoices of an account', () => {
  it('without a method stay unpaid, and are paid together once it has one', async () => {
    const accountId = await openAccount(system);
    const invoices = [await commitInvoice(system, accountId, 2_000), await commitInvoice(system, accountId, 700)];
    await eventually(async () => {
      const url = `/1.0/kb/invoices/${invoices[1]!}/payments`;
      return (await system.call({ method: 'GET', url })).statusCode === 200;
    });
    expect(await system.get(`/1.0/kb/accounts/${accountId}/payments`)).toEqual([]);
    const token = await setupCheckout(system, accountId);
    await control('POST', 'paypal/approve', { token });
    const query = 'isDefault=true&payAllUnpaidInvoices=true';
    expect((await addMethod(system, accountId, token, query)).statusCode).toBe(201);
    const paid = (): Promise<readonly { purchasedAmount: number; targetInvoiceId: string; paymentNumber: string }[]> =>
      system.get(`/1.0/kb/accounts/${accountId}/invoicePayments`);
    await eventually(async () => (await paid()).filter(({ purchasedAmount }) => purchasedAmount > 0).length === 2);
    expect((await paid()).map(({ purchasedAmount }) => purchasedAmount)).toEqual([20, 7]);
    const again = await system.call({ method: 'POST', url: `/1.0/kb/accounts/${accountId}/invoicePayments` });
    expect(again.statusCode).toBe(204);
  });

  it('may be paid another way, which no provider hears of', async () => {
    const accountId = await openAccount(system);
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const url = `/1.0/kb/invoices/${invoiceId}/payments`;
    const answer = await system.call({ method: 'POST', url: `${url}?externalPayment=true`, payload: { accountId } });
    expect(answer.statusCode).toBe(201);
    const payment = await system.get<object>(new URL(String(answer.headers.location)).pathname);
    expect(payment).toMatchObject({
      targetInvoiceId: invoiceId,
      purchasedAmount: 20,
      transactions: [{ transactionType: 'PURCHASE', status: 'SUCCESS', amount: 20, firstPaymentReferenceId: null }],
    });
    expect(await methodsOf(accountId)).toMatchObject([{ pluginName: '__EXTERNAL_PAYMENT__', isDefault: false }]);
  });

  it('are paid up to an amount that came another way, and no more when that is said twice', async () => {
    const accountId = await openAccount(system);
    const first = await commitInvoice(system, accountId, 2_000);
    const url = `/1.0/kb/accounts/${accountId}/invoicePayments`;
    await eventually(async () => {
      const payments = await system.call({ method: 'GET', url: `/1.0/kb/invoices/${first}/payments` });
      return payments.statusCode === 200;
    });
    const headers = { 'idempotency-key': newId() };
    const pay = () => system.call({ method: 'POST', url: `${url}?externalPayment=true&paymentAmount=25`, headers });
    expect((await pay()).statusCode).toBe(201);
    const second = await commitInvoice(system, accountId, 700);
    await eventually(async () => {
      const payments = await system.call({ method: 'GET', url: `/1.0/kb/invoices/${second}/payments` });
      return payments.statusCode === 200;
    });
    expect((await pay()).statusCode).toBe(201);
    const paid = await system.get<readonly { purchasedAmount: number; targetInvoiceId: string }[]>(url);
    expect(paid).toMatchObject([{ purchasedAmount: 20, targetInvoiceId: first }]);
    const excess = (await system.store.readAll({ after: null, prefixes: ['payerAccount-'], max: 10_000 })).events
      .filter(({ type, stream }) => type === 'payerAccount.excess-received.v1' && stream.endsWith(accountId))
      .map(({ data }) => data);
    expect(excess).toMatchObject([{ accountId, amountMinor: 500, currency: 'USD' }]);
  });

  it('show a payment with all of Kill Bill’s fields', async () => {
    const accountId = await payingAccount(system, control);
    await commitInvoice(system, accountId, 2_000);
    const paid = (): Promise<readonly { paymentId: string; transactions: readonly object[] }[]> =>
      system.get(`/1.0/kb/accounts/${accountId}/payments`);
    await eventually(async () => (await paid()).length === 1);
    const [payment] = await paid();
    expect(Object.keys(payment!)).toEqual(
      (
        'accountId paymentId paymentNumber paymentExternalKey authAmount capturedAmount purchasedAmount refundedAmount ' +
        'creditedAmount currency paymentMethodId transactions paymentAttempts auditLogs'
      ).split(' '),
    );
    expect(Object.keys(payment!.transactions[0]!)).toEqual(
      (
        'transactionId transactionExternalKey paymentId paymentExternalKey transactionType amount currency effectiveDate ' +
        'processedAmount processedCurrency status gatewayErrorCode gatewayErrorMsg firstPaymentReferenceId ' +
        'secondPaymentReferenceId properties auditLogs'
      ).split(' '),
    );
    const foreign = await system.call({
      method: 'GET',
      url: `/1.0/kb/payments/${payment!.paymentId}`,
      tenant: newId(),
    });
    expect([foreign.statusCode, foreign.json<{ code: number }>().code]).toEqual([404, 7020]);
  });
});

describe('a tenant that is not ready for the real PayPal', () => {
  it('is told what is missing, by name and never by value', async () => {
    const real = await paymentsUnderTest(emulator.url, { payPalMode: 'sandbox' });
    try {
      await real.start();
      const accountId = await openAccount(real);
      const setup = () => real.call({ method: 'POST', url: setupUrl, payload: { kb_account_id: accountId } });
      const before = await setup();
      expect([before.statusCode, before.json<{ message: string }>().message]).toEqual([
        400,
        'The tenant has no configuration of killbill-paypal-express: upload it first',
      ]);
      const { tenantId } = real;
      const pluginName = 'killbill-paypal-express';
      const text = ':paypal_express:\n  :signature: the-signature\n  :password: the-password\n';
      const sealedConfig = seal(secretsKey, text, `${tenantId}/${pluginName}`);
      const data = { tenantId, pluginName, sealedConfig };
      await real.say('accounts', { type: 'accounts.plugin-configured.v1', key: tenantId, data });
      const after = await setup();
      expect(after.statusCode).toBe(400);
      expect(after.json<{ message: string }>().message).toMatch(/:login: is missing$/);
      expect(after.body).not.toMatch(/the-(signature|password)/);
    } finally {
      await real.close();
    }
  });
});
