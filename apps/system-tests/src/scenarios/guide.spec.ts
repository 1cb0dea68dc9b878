import { type Client, idIn } from '../../../../tools/day/client';
import { type InvoiceJson, addPlanRule, moveClock, timeOf } from '../../../../tools/day/day';
import { curl, guideHeaders } from '../curl';
import { type SystemUnderTest, startSystem } from '../system';
import { checkoutOf, guideUsage, newAccount, usageOfTwoDays } from './guide-shapes';

/**
 * The guide's day: its requests in its order, with its headers, query strings and bodies, and its answers. One
 * externalKey throughout, which is also the metering `user`. The tests follow one another: each begins where the one
 * before it ended.
 */
const externalKey = 'darkgodarkgo@gmail.com';
const hour = 3_600_000;
const day = 24 * hour;

let system: SystemUnderTest;
let api: Client;
beforeAll(async () => {
  system = await startSystem();
  api = system.as();
}, 60_000);
afterAll(() => system.stop(), 30_000);

let accountId = '';
let token = '';
let paymentMethodId = '';
let subscriptionId = '';
let start = new Date(0);

describe('setting PayPal up', () => {
  it('takes the plugin’s configuration as text', async () => {
    const body =
      ':paypal_express:\n  :signature: <paypal signature>\n  :login: <paypal login>\n  :password: <paypal password>';
    const path = '/1.0/kb/tenants/uploadPluginConfig/killbill-paypal-express';
    const headers = Object.fromEntries(Object.entries(guideHeaders).filter(([name]) => name !== 'accept'));
    const answer = await curl(
      'POST',
      `${system.url}${path}`,
      { ...headers, 'X-Killbill-CreatedBy': 'admin', 'Content-Type': 'text/plain' },
      body,
    );
    expect([answer.status, answer.text, answer.headers.get('location')]).toEqual([201, '', `${system.url}${path}`]);
    expect((await api.expect(200, 'GET', path)).json()).toMatchObject({ key: 'PLUGIN_CONFIG_killbill-paypal-express' });
  });
});

describe('the account', () => {
  const byKey = () => curl('GET', `${system.url}/1.0/kb/accounts?externalKey=darkgodarkgo%40gmail.com`, guideHeaders);

  it('is not there at first', async () => {
    const answer = await byKey();
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({
      code: 3003,
      className: 'org.killbill.billing.account.api.AccountApiException',
    });
  });

  it('is created with the five fields, and its Location can be followed without CreatedBy', async () => {
    const body = JSON.stringify({ name: 'test1', externalKey, email: externalKey, currency: 'USD', locale: 'en_US' });
    const headers = { ...guideHeaders, 'X-Killbill-CreatedBy': 'nexcloud', 'Content-Type': 'application/json' };
    const answer = await curl('POST', `${system.url}/1.0/kb/accounts`, headers, body);
    expect([answer.status, answer.text]).toEqual([201, '']);
    accountId = idIn(answer);
    const followed = await curl('GET', answer.headers.get('location') ?? '', guideHeaders);
    expect([followed.status, followed.json<{ accountId: string }>().accountId]).toEqual([200, accountId]);
    expect((await curl('POST', `${system.url}/1.0/kb/accounts`, headers, body)).status).toBe(409);
  });

  it('is found by its externalKey with exactly the fields that the guide shows', async () => {
    const answer = await byKey();
    expect(answer.status).toBe(200);
    const account = answer.json<{ referenceTime: string }>();
    expect(account).toEqual(newAccount({ accountId, externalKey }));
    expect(Math.abs(Date.parse(account.referenceTime) - Date.now())).toBeLessThan(60_000);
  });

  it('is found on the second port too', async () => {
    const answer = await curl(
      'GET',
      `${system.killBillUrl}/1.0/kb/accounts?externalKey=darkgodarkgo%40gmail.com`,
      guideHeaders,
    );
    expect([answer.status, answer.json<{ accountId: string }>().accountId]).toEqual([200, accountId]);
  });
});

describe('the payment method', () => {
  const list = () =>
    curl(
      'GET',
      `${system.url}/1.0/kb/accounts/${accountId}/paymentMethods?withPluginInfo=false&includedDeleted=false&audit=NONE`,
      guideHeaders,
    );
  const checkout = () =>
    curl(
      'POST',
      `${system.url}/plugins/killbill-paypal-express/1.0/setup-checkout`,
      { ...guideHeaders, 'X-Killbill-CreatedBy': 'meter', 'Content-Type': 'application/json' },
      JSON.stringify(checkoutOf(accountId)),
    );
  const addByToken = (value: string) =>
    curl(
      'POST',
      `${system.url}/1.0/kb/accounts/${accountId}/paymentMethods?isDefault=true`,
      { ...guideHeaders, 'X-Killbill-CreatedBy': 'admin', 'Content-Type': 'application/json' },
      JSON.stringify({ pluginName: 'killbill-paypal-express', pluginInfo: { properties: [{ key: 'token', value }] } }),
    );
  const press = (choice: string) =>
    fetch(`${system.emulatorUrl}/cgi-bin/webscr`, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ cmd: '_express-checkout', token, email: externalKey, choice }),
    });

  it('is missing at first', async () => {
    const answer = await list();
    expect([answer.status, answer.json()]).toEqual([200, []]);
  });

  it('begins with a redirect to the page on which the payer agrees', async () => {
    const answer = await checkout();
    const location = answer.headers.get('location') ?? '';
    expect(answer.status).toBe(302);
    expect(location.slice(system.emulatorUrl.length)).toMatch(
      /^\/cgi-bin\/webscr\?cmd=_express-checkout&token=EC-[A-Z0-9]{17}&useraction=commit$/,
    );
    expect(location.startsWith(system.emulatorUrl)).toBe(true);
    const page = await curl('GET', location, {});
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    expect(page.text).toContain('Your subscription');
    expect(page.text).toMatch(/<button[^>]*>Agree/);
    expect(page.text).toMatch(/<button[^>]*>Cancel/);
    token = new URL(location).searchParams.get('token') ?? '';
  });

  it('is not made when the payer cancels', async () => {
    const cancelled = await press('cancel');
    expect([cancelled.status, cancelled.headers.get('location')]).toEqual([
      expect.any(Number),
      `https://dev.nexclipper.com/checkout?q=FAILURE&token=${token}`,
    ]);
    const refused = await addByToken(token);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.status).toBeLessThan(500);
    expect((await list()).json()).toEqual([]);
  });

  it('is made from the token once the payer has agreed, as the default', async () => {
    token = new URL((await checkout()).headers.get('location') ?? '').searchParams.get('token') ?? '';
    const agreed = await press('agree');
    const back = agreed.headers.get('location') ?? '';
    expect(back.startsWith('https://dev.nexclipper.com/checkout?q=SUCCESS&')).toBe(true);
    expect(new URL(back).searchParams.get('token')).toBe(token);
    const added = await addByToken(token);
    expect([added.status, added.text]).toEqual([201, '']);
    paymentMethodId = idIn(added);
    expect(added.headers.get('location')).toBe(`${system.url}/1.0/kb/paymentMethods/${paymentMethodId}`);
  });

  it('is listed with the agreement as its externalKey, and the account names it', async () => {
    const methods = (await list()).json();
    expect(methods).toEqual([
      {
        paymentMethodId,
        externalKey: expect.stringMatching(/^B-[A-Z0-9]{17}$/),
        accountId,
        isDefault: true,
        pluginName: 'killbill-paypal-express',
        pluginInfo: null,
        auditLogs: [],
      },
    ]);
    const account = await api.until<{ paymentMethodId: string | null }>(
      `/1.0/kb/accounts/${accountId}`,
      (it) => it.paymentMethodId !== null,
    );
    expect(account.paymentMethodId).toBe(paymentMethodId);
  });
});

describe('the subscription', () => {
  const change = { ...guideHeaders, 'X-Killbill-CreatedBy': 'nexcloud', 'Content-Type': 'application/json' };

  it('is made', async () => {
    const query = 'renameKeyIfExistsAndUnused=true&migrated=false&callCompletion=false&callTimeoutSec=3';
    const answer = await curl(
      'POST',
      `${system.url}/1.0/kb/subscriptions?${query}`,
      change,
      JSON.stringify({ accountId, planName: 'standard-monthly' }),
    );
    expect([answer.status, answer.text]).toEqual([201, '']);
    subscriptionId = idIn(answer);
    const made = (await curl('GET', answer.headers.get('location') ?? '', guideHeaders)).json();
    expect(made).toMatchObject({
      accountId,
      subscriptionId,
      planName: 'standard-monthly',
      phaseType: 'TRIAL',
      state: 'ACTIVE',
      sourceType: 'NATIVE',
    });
  });

  it('is changed, and whoever reads it next sees the new plan', async () => {
    const path = `/1.0/kb/subscriptions/${subscriptionId}?callCompletion=false&callTimeoutSec=3`;
    const answer = await curl(
      'PUT',
      `${system.url}${path}`,
      change,
      JSON.stringify({ accountId, planName: 'standard-pro' }),
    );
    expect([answer.status, answer.text]).toEqual([204, '']);
    const changed = (await curl('GET', `${system.url}/1.0/kb/subscriptions/${subscriptionId}`, guideHeaders)).json();
    expect(changed).toMatchObject({ planName: 'standard-pro', productName: 'Pro', state: 'ACTIVE' });
  });
});

describe('usage', () => {
  const limitCheck = (unit: string) =>
    curl('GET', `${system.url}/meter/limit/check/${unit}?user=${encodeURIComponent(externalKey)}`, {});

  it('has the units of the guide, with rules for users of the plan', async () => {
    start = await timeOf(api);
    await addPlanRule(api, 'host', {
      applyPlan: true,
      basePlan: 'standard-pro',
      periodSplitting: 'HOUR',
      limitAmount: 20,
      putEmptyPeriod: true,
    });
    await addPlanRule(api, 'analytics', {
      applyPlan: true,
      basePlan: 'standard-pro',
      limitAmount: 1000,
      limitRefreshInterval: 'DAY',
      freeAmount: 10,
      freePeriod: 'DAY',
    });
    const units = (await api.expect(200, 'GET', '/meter/units')).json<{
      _embedded: { units: { name: string; countingMethod: string }[] };
    }>();
    expect(units._embedded.units.map(({ name, countingMethod }) => [name, countingMethod])).toEqual(
      expect.arrayContaining([
        ['host', 'AVG'],
        ['analytics', 'SUM'],
      ]),
    );
  });

  it('is taken without credentials, as the guide sends it', async () => {
    const headers = { 'Cache-Control': 'no-cache', 'Content-Type': 'application/json' };
    const answer = await curl('POST', `${system.url}/meter/record/json`, headers, guideUsage(externalKey));
    expect(answer.status).toBe(202);
    expect(answer.json()).toMatchObject({ accepted: 2, duplicates: 0, rejected: [] });
    const minimal = await curl(
      'POST',
      `${system.url}/meter/record/json`,
      { ...headers, Prefer: 'return=minimal' },
      '[]',
    );
    expect([minimal.status, minimal.text]).toEqual([200, '']);
  });

  it('is counted at once: a gauge above its limit is limited, a sum below is not', async () => {
    const host = await limitCheck('host');
    expect(host.status).toBe(200);
    expect(host.json()).toMatchObject({
      unit: 'host',
      user: externalKey,
      current: 21,
      limit: 20,
      remaining: -1,
      limited: true,
    });
    expect((await limitCheck('analytics')).json()).toMatchObject({
      current: 51,
      limit: 1000,
      remaining: 949,
      limited: false,
    });
  });

  it('is shown as a series per subscription', async () => {
    const at = (ms: number): string => new Date(ms).toISOString().slice(0, 13).replace('T', ' ');
    const query = new URLSearchParams({
      user: externalKey,
      unit: 'analytics',
      start: at(start.getTime() - hour),
      end: at(start.getTime() + 2 * hour),
    });
    const answer = await curl('GET', `${system.url}/meter/record/series?${query.toString()}`, {});
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject([
      { unit: 'analytics', user: externalKey, countingMethod: 'SUM', subscriptions: [{ usage: 51, records: 1 }] },
    ]);
  });
});

describe('the bills', () => {
  const invoices = async (): Promise<readonly InvoiceJson[]> =>
    (await api.expect(200, 'GET', `/1.0/kb/accounts/${accountId}/invoices?includeInvoiceComponents=true`)).json();
  const linesOf = ({ items }: InvoiceJson) =>
    items.map(({ itemType, planName, usageName, amount }) => [itemType, usageName ?? planName, amount]);

  it('begin with the end of the trial: one month of the new plan, paid', async () => {
    const account = (await api.expect(200, 'GET', `/1.0/kb/accounts/${accountId}`)).json<{ referenceTime: string }>();
    await moveClock(api, new Date(Date.parse(account.referenceTime) + 30 * day + hour));
    const charged = (await invoices()).filter(({ amount }) => amount > 0);
    expect(charged.map((invoice) => [invoice.amount, invoice.balance, linesOf(invoice)])).toEqual([
      [50, 0, [['RECURRING', 'standard-pro', 50]]],
    ]);
  });

  it('have the usage of the month at its end, to the cent', async () => {
    const now = (await timeOf(api)).getTime();
    const records = usageOfTwoDays(externalKey, now);
    const taken = await curl(
      'POST',
      `${system.url}/meter/record/json`,
      { 'Content-Type': 'application/json' },
      JSON.stringify(records),
    );
    expect(taken.json()).toMatchObject({ accepted: 48, duplicates: 0, rejected: [] });
    const again = await curl(
      'POST',
      `${system.url}/meter/record/json`,
      { 'Content-Type': 'application/json' },
      JSON.stringify(records),
    );
    expect(again.json<{ accepted: number; duplicates: number }>().duplicates).toBe(48);

    await moveClock(api, new Date(now + 31 * day));
    const last = (await invoices()).at(-1);
    const unitHours = 24 * 30 + 24 * 20;
    const host = Math.round(unitHours * 1.7) / 100; // 0.017 a unit-hour
    const blocks = Math.ceil((250 - 10 + 455 - 10) / 200) * 2; // 2 USD a block of 200
    expect(linesOf(last!)).toEqual(
      expect.arrayContaining([
        ['RECURRING', 'standard-pro', 50],
        ['USAGE', 'standard-pro-host', host],
        ['USAGE', 'standard-pro-analytics', blocks],
      ]),
    );
    expect(last).toMatchObject({ amount: 50 + host + blocks, balance: 0 });
    expect(last!.items).toHaveLength(3);
  });

  it('are paid, each once, in the books of the payment gateway too', async () => {
    const payments = (await api.expect(200, 'GET', `/1.0/kb/accounts/${accountId}/payments`)).json<
      readonly {
        purchasedAmount: number;
        transactions: readonly { status: string; firstPaymentReferenceId: string }[];
      }[]
    >();
    expect(
      payments.map(({ purchasedAmount, transactions }) => [purchasedAmount, transactions.map(({ status }) => status)]),
    ).toEqual([
      [50, ['SUCCESS']],
      [78.4, ['SUCCESS']],
    ]);
    const { entries } = (await curl('GET', `${system.emulatorUrl}/control/ledger?kind=charge`, {})).json<{
      entries: readonly { amount: string; status: string; transactionId: string }[];
    }>();
    expect(entries.map(({ amount, status }) => [amount, status])).toEqual([
      ['50.00', 'completed'],
      ['78.40', 'completed'],
    ]);
    expect(entries.map(({ transactionId }) => transactionId)).toEqual(
      payments.map(({ transactions }) => transactions[0]?.firstPaymentReferenceId),
    );
    expect((await curl('GET', `${system.emulatorUrl}/control/invariants`, {})).json()).toEqual({
      ok: true,
      violations: [],
    });
  });

  it('leave a balance of zero, and all views agree on plan and limits', async () => {
    const account = await api.until<{ accountBalance: number }>(
      `/1.0/kb/accounts/${accountId}?accountWithBalance=true`,
      (it) => it.accountBalance === 0,
    );
    expect(account).toMatchObject({ accountBalance: 0, accountCBA: null });
    expect((await api.expect(200, 'GET', `/1.0/kb/subscriptions/${subscriptionId}`)).json()).toMatchObject({
      planName: 'standard-pro',
      phaseType: 'EVERGREEN',
      state: 'ACTIVE',
    });
    const check = (unit: string) =>
      api.expect(200, 'GET', `/meter/limit/check/${unit}?user=${encodeURIComponent(externalKey)}`);
    expect((await check('analytics')).json()).toMatchObject({ current: 0, limit: 1000, limited: false });
    expect((await check('host')).json()).toMatchObject({ current: 20, limit: 20, limited: false, exhausted: true });
  });
});
