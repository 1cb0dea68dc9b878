import { randomUUID } from 'node:crypto';
import { startEmulator, type RunningEmulator } from '@billstream/app/gateway-emulator';
import type { PaymentGateway } from '../gateway-port';
import { describeGatewayContract, type GatewayUnderTest, type LedgerEntry } from '../testing/gateway-contract';
import { payPalGateway, type PayPalGatewayOptions } from './paypal-gateway';

const CREDENTIALS = { login: 'merchant-login@example.com', password: 'pass-9f2c', signature: 'sig-7b1d' };
const OPERATIONS = { charge: 'DoReferenceTransaction', refund: 'RefundTransaction', setup: 'SetExpressCheckout' };
const lines: string[] = [];
let emulator: RunningEmulator;
let closedPort: number;

beforeAll(async () => {
  const gone = await startEmulator({ port: 0 });
  closedPort = gone.port;
  await gone.close();
  emulator = await startEmulator({ port: 0, log: (line) => lines.push(JSON.stringify(line)) });
});
beforeEach(() => control('POST', 'reset'));
afterAll(() => emulator.close());

const control = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${emulator.url}/control/${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
};

const gatewayOf = (options: Partial<PayPalGatewayOptions> = {}): PaymentGateway =>
  payPalGateway({
    endpoint: `${emulator.url}/nvp`,
    redirectUrl: `${emulator.url}/cgi-bin/webscr`,
    credentials: CREDENTIALS,
    timeoutMs: 400,
    ...options,
  });

const SETUP = {
  setupId: 'setup-1',
  returnUrl: 'https://dev.nexclipper.com/checkout?q=SUCCESS',
  cancelUrl: 'https://dev.nexclipper.com/checkout?q=FAILURE',
  currency: 'USD',
  description: 'Your subscription',
};

const begin = async (gateway: PaymentGateway): Promise<{ token: string; url: string }> => {
  const started = await gateway.beginSetup(SETUP);
  if (started.kind !== 'Redirect') throw new Error(`setup ended as ${started.kind}`);
  return started;
};

const credential = async (gateway = gatewayOf()): Promise<string> => {
  const { token } = await begin(gateway);
  await control('POST', 'paypal/approve', { token });
  const completed = await gateway.completeSetup({ token });
  if (completed.kind !== 'CredentialIssued') throw new Error(`setup ended as ${completed.kind}`);
  return completed.credential.reference;
};

const ledger = async (invoiceRef: string): Promise<readonly LedgerEntry[]> =>
  (await control<{ entries: LedgerEntry[] }>('GET', `ledger?invoiceRef=${invoiceRef}`)).entries;

const inTwoHours = (): Date => new Date(Date.now() + 2 * 60 * 60 * 1000);

const contractSubject = (): GatewayUnderTest => ({
  gateway: gatewayOf(),
  unreachable: gatewayOf({ endpoint: `http://127.0.0.1:${closedPort}/nvp` }),
  currency: 'USD',
  credential: () => credential(),
  plan: ({ operation, ...fault }) =>
    control('POST', 'faults', { ...fault, provider: 'paypal', operation: OPERATIONS[operation] }),
  ledger,
  violations: async () => (await control<{ violations: unknown[] }>('GET', 'invariants')).violations,
  fetchSettled: (input) => gatewayOf({ now: inTwoHours }).fetchByRef(input),
});

describeGatewayContract('PayPal NVP', contractSubject);

const chargeOf = async (minor: number, currency = 'USD') => ({
  attemptId: randomUUID(),
  invoiceRef: `inv-${randomUUID()}`,
  credential: await credential(),
  money: { minor, currency },
  description: 'standard-monthly',
});

describe('PayPal setup', () => {
  it('redirects to the approval page of the guide', async () => {
    const { token, url } = await begin(gatewayOf());
    expect(token).toMatch(/^EC-[0-9A-Z]{17}$/);
    expect(url).toBe(`${emulator.url}/cgi-bin/webscr?cmd=_express-checkout&token=${token}&useraction=commit`);
  });

  it('is not complete before the payer agrees, nor after the payer cancels', async () => {
    const { token } = await begin(gatewayOf());
    expect(await gatewayOf().completeSetup({ token })).toMatchObject({ kind: 'Rejected', why: 'not-approved' });
    await control('POST', 'paypal/cancel', { token });
    expect(await gatewayOf().completeSetup({ token })).toMatchObject({ kind: 'Rejected', why: 'not-approved' });
  });

  it('gives the same agreement when a token is exchanged twice', async () => {
    const { token } = await begin(gatewayOf());
    await control('POST', 'paypal/approve', { token });
    const first = await gatewayOf().completeSetup({ token });
    expect(first).toMatchObject({ kind: 'CredentialIssued', credential: { reference: expect.stringMatching(/^B-/) } });
    expect(await gatewayOf().completeSetup({ token })).toEqual(first);
  });

  it('ends after three hours', async () => {
    const { token } = await begin(gatewayOf());
    await control('POST', 'clock', { advanceSeconds: 3 * 3600 });
    expect(await gatewayOf().completeSetup({ token })).toMatchObject({
      kind: 'Rejected',
      why: 'ended',
      evidence: { code: '10411' },
    });
  });

  it('is a matter for operators when the account lacks reference transactions', async () => {
    await control('POST', 'paypal/settings', { referenceTransactions: false });
    expect(await gatewayOf().beginSetup(SETUP)).toMatchObject({
      kind: 'NotExecuted',
      why: 'misconfigured',
      evidence: { code: '11452' },
    });
  });
});

describe('a PayPal charge', () => {
  it.each([
    [10539, { kind: 'Declined', hardness: 'soft', code: '10539' }],
    [10201, { kind: 'Declined', hardness: 'hard', code: '10201' }],
    [10486, { kind: 'ActionRequired', action: 'changeFunding' }],
    [10203, { kind: 'ActionRequired', action: 'reapprove' }],
    [10755, { kind: 'NotExecuted', why: 'invalid' }],
    [10007, { kind: 'NotExecuted', why: 'misconfigured' }],
    [10014, { kind: 'NotExecuted', why: 'rateLimited' }],
    [10001, { kind: 'Unknown' }],
    [11604, { kind: 'Pending', why: 'in-progress' }],
  ])('of %i hundredths ends as the error of that code does', async (minor, outcome) => {
    expect(await gatewayOf().charge(await chargeOf(minor))).toMatchObject(outcome);
  });

  it('in yen carries no fraction', async () => {
    const input = await chargeOf(1500, 'JPY');
    expect(await gatewayOf().charge(input)).toMatchObject({ kind: 'Succeeded', money: input.money });
    expect(await ledger(input.invoiceRef)).toMatchObject([{ amount: '1500', currency: 'JPY' }]);
  });

  it('in forint is refused before any call when it has a fraction', async () => {
    const input = await chargeOf(150_050, 'HUF');
    expect(await gatewayOf().charge(input)).toMatchObject({ kind: 'NotExecuted', why: 'invalid' });
    expect(await gatewayOf().charge({ ...input, money: { minor: 150_000, currency: 'HUF' } })).toMatchObject({
      kind: 'Succeeded',
    });
  });

  it('adopts the earlier payment of the invoice', async () => {
    const input = await chargeOf(2000);
    const first = await gatewayOf().charge(input);
    const second = await gatewayOf().charge({ ...input, attemptId: randomUUID() });
    expect(second).toEqual({ ...first, adopted: true });
  });

  it('stays unknown when the invoice is paid but the index does not show it yet', async () => {
    const input = await chargeOf(2000);
    await control('POST', 'paypal/settings', { searchLagSeconds: 300 });
    await gatewayOf().charge(input);
    expect(await gatewayOf().charge({ ...input, attemptId: randomUUID() })).toMatchObject({
      kind: 'Unknown',
      evidence: { code: '10412' },
    });
  });

  it('reads the present state of a pending charge when repeated', async () => {
    const input = await chargeOf(2000);
    await control('POST', 'faults', { effect: 'pending', operation: 'DoReferenceTransaction' });
    expect(await gatewayOf().charge(input)).toMatchObject({ kind: 'Pending', why: 'review' });
    const [entry] = await ledger(input.invoiceRef);
    await control('POST', 'paypal/settle', { transactionId: entry?.transactionId, status: 'Completed' });
    expect(await gatewayOf().charge(input)).toMatchObject({ kind: 'Succeeded' });
  });

  it('is refused as misconfigured when credentials are missing', async () => {
    const gateway = gatewayOf({ credentials: { ...CREDENTIALS, signature: '' } });
    expect(await gateway.charge(await chargeOf(2000))).toMatchObject({ kind: 'NotExecuted', why: 'misconfigured' });
  });

  it('cannot use another merchant’s agreement', async () => {
    const other = gatewayOf({ credentials: { ...CREDENTIALS, login: 'other@example.com' } });
    expect(await other.charge(await chargeOf(2000))).toMatchObject({
      kind: 'Declined',
      hardness: 'hard',
      code: '11451',
    });
  });

  it('tells a second caller to wait while the same attempt is being executed', async () => {
    const input = await chargeOf(2000);
    await control('POST', 'faults', { effect: 'delay', delayMs: 200, operation: 'DoReferenceTransaction' });
    const both = await Promise.all([gatewayOf().charge(input), gatewayOf().charge(input)]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(['Pending', 'Succeeded']);
    expect(await ledger(input.invoiceRef)).toHaveLength(1);
  });
});

describe('a PayPal refund', () => {
  it('adopts a full refund that somebody has made already', async () => {
    const input = await chargeOf(2000);
    const charged = await gatewayOf().charge(input);
    const gatewayRef = charged.kind === 'Succeeded' ? charged.gatewayRef : '';
    const first = await gatewayOf().refund({ refundId: randomUUID(), gatewayRef, amount: 'full' });
    const second = await gatewayOf().refund({ refundId: randomUUID(), gatewayRef, amount: 'full' });
    expect(first).toMatchObject({ kind: 'Succeeded', money: input.money });
    expect(second).toMatchObject({
      kind: 'Succeeded',
      adopted: true,
      gatewayRef: 'gatewayRef' in first && first.gatewayRef,
    });
  });
});

describe('a PayPal search', () => {
  it('does not conclude absence while the index lags', async () => {
    const input = await chargeOf(2000);
    await control('POST', 'paypal/settings', { searchLagSeconds: 300 });
    const asked = { invoiceRef: input.invoiceRef, dispatchedAt: new Date().toISOString() };
    await gatewayOf().charge(input);
    expect(await gatewayOf().fetchByRef(asked)).toMatchObject({ facts: [], completeness: 'lagging' });
    await control('POST', 'clock', { advanceSeconds: 301 });
    const later = gatewayOf({ now: () => new Date(Date.now() + 301_000) });
    expect(await later.fetchByRef(asked)).toMatchObject({ facts: [{ status: 'succeeded' }], completeness: 'final' });
  });
});

it('keeps credentials out of the ledger, the request list and the log', async () => {
  await gatewayOf().charge(await chargeOf(2000));
  const seen = [
    JSON.stringify(await control('GET', 'ledger')),
    JSON.stringify(await control('GET', 'requests')),
    ...lines,
  ].join('\n');
  for (const secret of Object.values(CREDENTIALS)) expect(seen).not.toContain(secret);
});
