/** The owner's day, step by step: each function is one part of the guide, safe to be asked again. */
import { type Client, Unexpected, idIn } from './client';

export type Account = { readonly accountId: string; readonly externalKey: string };

export const uploadPayPalConfig = (client: Client) =>
  client.expect(201, 'POST', '/1.0/kb/tenants/uploadPluginConfig/killbill-paypal-express', {
    type: 'text/plain',
    body: ':paypal_express:\n  :signature: demo-signature\n  :login: demo-login\n  :password: demo-password',
  });

export const openAccount = async (client: Client, externalKey: string): Promise<Account> => {
  const path = `/1.0/kb/accounts?externalKey=${encodeURIComponent(externalKey)}`;
  const created = await client.ask('POST', '/1.0/kb/accounts', {
    key: `account-${externalKey}`,
    body: { name: externalKey.split('@')[0], externalKey, email: externalKey, currency: 'USD', locale: 'en_US' },
  });
  if (created.status !== 201 && created.status !== 409)
    throw new Unexpected(`POST /1.0/kb/accounts: ${created.status} ${created.text}`);
  const { accountId } = await client.until<{ accountId: string }>(path, (account) => account.accountId !== '');
  return { accountId, externalKey };
};

/** Consent at the (emulated) PayPal page, then the token becomes the default payment method. */
export const addPayPal = async (client: Client, { accountId }: Account, emulatorUrl: string): Promise<string> => {
  const checkout = await client.expect(302, 'POST', '/plugins/killbill-paypal-express/1.0/setup-checkout', {
    body: {
      kb_account_id: accountId,
      currency: 'USD',
      options: {
        return_url: 'https://shop.example/checkout?q=SUCCESS',
        cancel_return_url: 'https://shop.example/checkout?q=FAILURE',
        billing_agreement: { description: 'Your subscription' },
      },
    },
  });
  const token = new URL(checkout.headers.get('location') ?? '').searchParams.get('token');
  await client.expect(200, 'POST', `${emulatorUrl}/control/paypal/approve`, { body: { token } });
  const added = await client.expect(201, 'POST', `/1.0/kb/accounts/${accountId}/paymentMethods?isDefault=true`, {
    key: `method-${accountId}`,
    body: { pluginName: 'killbill-paypal-express', pluginInfo: { properties: [{ key: 'token', value: token }] } },
  });
  return idIn(added);
};

export const subscribe = async (client: Client, { accountId }: Account, planName: string): Promise<string> => {
  const query = 'renameKeyIfExistsAndUnused=true&migrated=false&callCompletion=false&callTimeoutSec=3';
  const options = { key: `subscribe-${accountId}`, body: { accountId, planName } };
  let created = await client.ask('POST', `/1.0/kb/subscriptions?${query}`, options);
  // The account may have reached the other services a moment late; a client that just made it asks again.
  for (let i = 0; created.status === 404 && i < 20; i += 1)
    created = await client.ask('POST', `/1.0/kb/subscriptions?${query}`, options);
  if (created.status !== 201) throw new Unexpected(`POST /1.0/kb/subscriptions: ${created.status} ${created.text}`);
  return idIn(created);
};

export const changePlan = (client: Client, account: Account, subscriptionId: string, planName: string) =>
  client.expect(204, 'PUT', `/1.0/kb/subscriptions/${subscriptionId}?callCompletion=false&callTimeoutSec=3`, {
    key: `change-${subscriptionId}-${planName}`,
    body: { accountId: account.accountId, planName },
  });

export type UsageRecord = {
  readonly unit: string;
  readonly user: string;
  readonly amount: number;
  readonly time?: number;
  readonly id?: string;
};

export const recordUsage = async (
  client: Client,
  records: readonly UsageRecord[],
): Promise<{ accepted: number; duplicates: number; rejected: readonly unknown[] }> =>
  (await client.expect(202, 'POST', '/meter/record/json', { body: records })).json();

export type UnitJson = {
  readonly id: string;
  readonly name: string;
  readonly rules: readonly Record<string, unknown>[];
};

/** Adds a rule for users of a plan to what the unit has, unless it has one for that plan already. */
export const addPlanRule = async (client: Client, unitName: string, rule: Record<string, unknown>): Promise<void> => {
  const unit = (await client.expect(200, 'GET', `/meter/units/search/findByName?name=${unitName}`)).json<UnitJson>();
  if (unit.rules.some((existing) => existing.basePlan === rule.basePlan)) return;
  await client.expect(200, 'PUT', `/meter/units/${unit.id}`, { body: { ...unit, rules: [...unit.rules, rule] } });
};

/** Moves the tenant's clock; asks again until everything that fell due on the way is done. */
export const moveClock = async (client: Client, to: Date): Promise<void> => {
  const requestedDate = encodeURIComponent(to.toISOString());
  await client.expect(200, 'POST', `/1.0/kb/test/clock?requestedDate=${requestedDate}&timeoutSec=60`, {
    timeoutMs: 90_000,
  });
  await settled(client);
};

export const settled = async (client: Client): Promise<void> => {
  for (let i = 0; i < 60; i += 1)
    if ((await client.ask('GET', '/1.0/kb/test/queues?timeoutSec=10', { timeoutMs: 30_000 })).status === 200) return;
  throw new Unexpected('queues do not drain');
};

export const timeOf = async (client: Client): Promise<Date> =>
  new Date((await client.expect(200, 'GET', '/1.0/kb/test/clock')).json<{ currentUtcTime: string }>().currentUtcTime);

export type InvoiceJson = {
  readonly invoiceId: string;
  readonly invoiceNumber: string;
  readonly invoiceDate: string;
  readonly amount: number;
  readonly balance: number;
  readonly items: readonly {
    readonly invoiceItemId: string;
    readonly itemType: string;
    readonly description: string | null;
    readonly usageName: string | null;
    readonly planName: string | null;
    readonly startDate: string;
    readonly endDate: string | null;
    readonly quantity: number | null;
    readonly amount: number;
  }[];
};

export const invoicesOf = async (client: Client, { accountId }: Account): Promise<readonly InvoiceJson[]> =>
  (await client.expect(200, 'GET', `/1.0/kb/accounts/${accountId}/invoices?includeInvoiceComponents=true`)).json();
