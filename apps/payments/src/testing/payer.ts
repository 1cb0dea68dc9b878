import { newId } from '@billstream/kernel';
import type { PaymentsUnderTest } from './payments-under-test';

const plugin = 'killbill-paypal-express';

/** The emulator's levers. */
export const controlOf =
  (url: string) =>
  async <T = unknown>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${url}/control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${String(response.status)} ${await response.text()}`);
    return (await response.json()) as T;
  };

export type Control = ReturnType<typeof controlOf>;

export const openAccount = async (system: PaymentsUnderTest, facts: object = {}): Promise<string> => {
  const accountId = newId();
  const data = {
    ...{
      accountId,
      externalKey: accountId,
      currency: 'USD',
      timeZone: 'UTC',
      referenceTime: '2026-01-01T00:00:00.000Z',
    },
    ...{ billCycleDayLocal: 0, parentAccountId: null, isPaymentDelegatedToParent: false },
    ...facts,
  };
  await system.say('accounts', { type: 'accounts.account-created.v1', key: accountId, data });
  return accountId;
};

/** As in the guide: the payer is sent to PayPal; answers the token in the address. */
export const setupCheckout = async (system: PaymentsUnderTest, accountId: string): Promise<string> => {
  const answer = await system.call({
    method: 'POST',
    url: `/plugins/${plugin}/1.0/setup-checkout`,
    payload: {
      kb_account_id: accountId,
      currency: 'USD',
      options: {
        return_url: 'https://dev.nexclipper.com/checkout?q=SUCCESS',
        cancel_return_url: 'https://dev.nexclipper.com/checkout?q=FAILURE',
        billing_agreement: { description: 'Your subscription' },
      },
    },
  });
  if (answer.statusCode !== 302) throw new Error(`setup-checkout: ${String(answer.statusCode)} ${answer.body}`);
  return new URL(String(answer.headers.location)).searchParams.get('token') ?? '';
};

export const addMethod = (system: PaymentsUnderTest, accountId: string, token: string, query = 'isDefault=true') =>
  system.call({
    method: 'POST',
    url: `/1.0/kb/accounts/${accountId}/paymentMethods?${query}`,
    payload: { pluginName: plugin, pluginInfo: { properties: [{ key: 'token', value: token }] } },
  });

/** An account whose payer has agreed. */
export const payingAccount = async (system: PaymentsUnderTest, control: Control): Promise<string> => {
  const accountId = await openAccount(system);
  const token = await setupCheckout(system, accountId);
  await control('POST', 'paypal/approve', { token });
  const added = await addMethod(system, accountId, token);
  if (added.statusCode !== 201) throw new Error(`paymentMethods: ${String(added.statusCode)} ${added.body}`);
  return accountId;
};

/** An account that pays with the test plugin. */
export const testPaying = async (system: PaymentsUnderTest, facts: object = {}): Promise<string> => {
  const accountId = await openAccount(system, facts);
  const url = `/1.0/kb/accounts/${accountId}/paymentMethods?isDefault=true`;
  const payload = { pluginName: 'killbill-payment-test', pluginInfo: { properties: [] } };
  const added = await system.call({ method: 'POST', url, payload });
  if (added.statusCode !== 201) throw new Error(`paymentMethods: ${String(added.statusCode)} ${added.body}`);
  return accountId;
};

export const commitInvoice = async (
  system: PaymentsUnderTest,
  accountId: string,
  amountMinor: number,
  facts: object = {},
): Promise<string> => {
  const invoiceId = newId();
  const data = {
    ...{ invoiceId, accountId, invoiceNumber: '1', invoiceDate: '2026-01-01', targetDate: '2026-01-01' },
    ...{ currency: 'USD', amountMinor, balanceMinor: amountMinor },
    ...facts,
  };
  await system.say('invoicing', { type: 'invoicing.invoice-committed.v1', key: accountId, data });
  return invoiceId;
};

export const tellBalance = (system: PaymentsUnderTest, accountId: string, invoiceId: string, balanceMinor: number) =>
  system.say('invoicing', {
    type: 'invoicing.balance-changed.v1',
    key: accountId,
    data: {
      ...{ accountId, currency: 'USD', accountBalanceMinor: balanceMinor, accountCreditMinor: 0 },
      invoices: [{ invoiceId, balanceMinor }],
    },
  });
