import { startEmulator, type RunningEmulator } from '../index';
import { merchantAt, type Merchant } from '../testing/merchant';

let emulator: RunningEmulator;
let shop: Merchant;

beforeAll(async () => {
  emulator = await startEmulator({ port: 0 });
  shop = merchantAt(emulator.url);
});
beforeEach(() => shop.control('reset'));
afterAll(() => emulator.close());

const pageOf = (token: string): string =>
  `${emulator.url}/cgi-bin/webscr?cmd=_express-checkout&token=${token}&useraction=commit`;

const choose = async (token: string, choice: string): Promise<string | null> => {
  const response = await fetch(`${emulator.url}/cgi-bin/webscr`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ cmd: '_express-checkout', token, choice, email: 'payer@example.com' }),
  });
  expect(response.status).toBe(302);
  return response.headers.get('location');
};

describe('the approval page', () => {
  it('shows what the merchant asks for, and both answers', async () => {
    const token = await shop.token({ L_BILLINGAGREEMENTDESCRIPTION0: 'Plan <b>& co' });
    const response = await fetch(pageOf(token));
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toContain('Plan &lt;b&gt;&amp; co');
    expect(text).toMatch(/value="agree">Agree/);
    expect(text).toMatch(/value="cancel"[^>]*>Cancel/);
  });

  it('returns an agreeing payer with token and PayerID behind the merchant’s own query', async () => {
    const token = await shop.token();
    const location = await choose(token, 'agree');
    expect(location).toMatch(
      new RegExp(`^https://dev\\.nexclipper\\.com/checkout\\?q=SUCCESS&token=${token}&PayerID=[0-9A-F]{13}$`),
    );
    expect(await choose(token, 'agree')).toBe(location);
    const details = await shop.nvp('GetExpressCheckoutDetails', { TOKEN: token });
    expect(details).toMatchObject({ ACK: 'Success', BILLINGAGREEMENTACCEPTEDSTATUS: '1', EMAIL: 'payer@example.com' });
  });

  it('returns a cancelling payer to the cancel address, and no agreement comes of it', async () => {
    const token = await shop.token();
    expect(await choose(token, 'cancel')).toBe(`https://dev.nexclipper.com/checkout?q=FAILURE&token=${token}`);
    expect(await shop.nvp('CreateBillingAgreement', { TOKEN: token })).toMatchObject({ ACK: 'Failure' });
  });

  it('starts a query where the merchant has none, before the fragment', async () => {
    const token = await shop.token({ CANCELURL: 'https://shop.example/back#plans' });
    expect(await choose(token, 'cancel')).toBe(`https://shop.example/back?token=${token}#plans`);
  });

  it('is gone for unknown and for expired tokens', async () => {
    expect((await fetch(pageOf('EC-NONE'))).status).toBe(404);
    const token = await shop.token();
    await shop.control('clock', { advanceSeconds: 3 * 3600 });
    expect((await fetch(pageOf(token))).status).toBe(410);
    expect(await shop.nvp('GetExpressCheckoutDetails', { TOKEN: token })).toMatchObject({ L_ERRORCODE0: '10411' });
  });
});

describe('the NVP face', () => {
  it('answers failures with HTTP 200 and a coded list', async () => {
    expect(await shop.nvp('DoReferenceTransaction', { REFERENCEID: 'B-NONE', AMT: '1.00' })).toMatchObject({
      ACK: 'Failure',
      L_ERRORCODE0: '11451',
      L_SEVERITYCODE0: 'Error',
    });
    expect(await shop.nvp('Nonsense')).toMatchObject({ ACK: 'Failure', L_ERRORCODE0: '10004' });
    expect(await shop.nvp('toString')).toMatchObject({ ACK: 'Failure', L_ERRORCODE0: '10004' });
  });

  it('remembers a MSGSUBID only after a success', async () => {
    const agreement = await shop.agreement();
    await shop.control('faults', { effect: 'decline' });
    expect(await shop.pay(agreement, { MSGSUBID: 'attempt-1' })).toMatchObject({ L_ERRORCODE0: '10539' });
    const paid = await shop.pay(agreement, { MSGSUBID: 'attempt-1', INVNUM: 'inv-1' });
    expect(paid).toMatchObject({ ACK: 'Success', PAYMENTSTATUS: 'Completed', AMT: '20.00' });
    const refunded = await shop.nvp('RefundTransaction', { TRANSACTIONID: paid['TRANSACTIONID'] ?? '' });
    expect(refunded).toMatchObject({ GROSSREFUNDAMT: '20.00', REFUNDSTATUS: 'Instant' });
    expect(await shop.pay(agreement, { MSGSUBID: 'attempt-1', INVNUM: 'inv-1' })).toMatchObject({
      ACK: 'SuccessWithWarning',
      L_ERRORCODE0: '11607',
      TRANSACTIONID: paid['TRANSACTIONID'],
      PAYMENTSTATUS: 'Refunded',
    });
  });

  it('blocks a second payment of an invoice number unless the account allows it', async () => {
    const agreement = await shop.agreement();
    await shop.pay(agreement, { INVNUM: 'inv-1' });
    expect(await shop.pay(agreement, { INVNUM: 'inv-1' })).toMatchObject({ L_ERRORCODE0: '10412' });
    expect(await shop.read('invariants')).toEqual({ ok: true, violations: [] });
    await shop.control('paypal/settings', { blockDuplicateInvoices: false });
    expect(await shop.pay(agreement, { INVNUM: 'inv-1' })).toMatchObject({ ACK: 'Success' });
    expect(await shop.read('invariants')).toMatchObject({ ok: false, violations: [{ rule: 'invoice-charged-twice' }] });
  });

  it('notices a key reused for another amount, and a charge after a hard decline', async () => {
    const agreement = await shop.agreement();
    await shop.pay(agreement, { MSGSUBID: 'attempt-1' });
    await shop.pay(agreement, { MSGSUBID: 'attempt-1', AMT: '21.00' });
    await shop.control('paypal/cancel-agreement', { billingAgreementId: agreement });
    await shop.pay(agreement);
    await shop.pay(agreement);
    const { violations } = await shop.read('invariants');
    expect(violations).toMatchObject([
      { rule: 'operation-key-reused-with-other-body' },
      { rule: 'charged-again-after-hard-decline' },
    ]);
  });

  it('keeps merchants with the same invoice numbers apart', async () => {
    const other = merchantAt(emulator.url, 'other@example.com');
    expect(await shop.pay(await shop.agreement(), { INVNUM: '1' })).toMatchObject({ ACK: 'Success' });
    expect(await other.pay(await other.agreement(), { INVNUM: '1' })).toMatchObject({ ACK: 'Success' });
    const found = await other.nvp('TransactionSearch', { STARTDATE: '2000-01-01T00:00:00Z' });
    expect(found['L_TRANSACTIONID1']).toBeUndefined();
  });

  it('keeps the levers off the provider’s paths, and browsers off the levers', async () => {
    expect((await fetch(`${emulator.url}/nvp/control/ledger`)).status).toBe(404);
    expect((await fetch(`${emulator.url}/cgi-bin/webscr?cmd=ledger`)).status).toBe(404);
    const headers = { origin: 'https://elsewhere.example' };
    expect((await fetch(`${emulator.url}/control/reset`, { method: 'POST', headers })).status).toBe(403);
  });

  it('lists the ledger', async () => {
    const paid = await shop.pay(await shop.agreement(), { INVNUM: 'inv-9', MSGSUBID: 'attempt-9' });
    const { entries } = await shop.read('ledger?invoiceRef=inv-9');
    expect(entries).toMatchObject([
      {
        transactionId: paid['TRANSACTIONID'],
        invoiceRef: 'inv-9',
        operationKey: 'attempt-9',
        amount: '20.00',
        currency: 'USD',
        status: 'completed',
      },
    ]);
  });
});
