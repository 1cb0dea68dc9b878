import { newId } from '@billstream/kernel';
import { eventually } from '@billstream/testing';
import { commitInvoice, tellBalance, testPaying } from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest } from '../testing/payments-under-test';

let system: PaymentsUnderTest;

beforeAll(async () => {
  system = await paymentsUnderTest('http://127.0.0.1:9');
  await system.start();
}, 60_000);
afterAll(() => system.close());

const day = 24 * 3_600_000;
const tag = (accountId: string, name: string, isSet: boolean) =>
  system.say('accounts', {
    type: 'accounts.control-tag-changed.v1',
    key: accountId,
    data: { accountId, objectType: 'ACCOUNT', objectId: accountId, tag: name, isSet },
  });
const configure = (payload: object) =>
  system.call({ method: 'POST', url: '/plugins/killbill-payment-test/configure', payload });
type Payment = {
  readonly purchasedAmount: number;
  readonly paymentAttempts: readonly { readonly stateName: string; readonly effectiveDate: string }[];
};
const paymentsOf = (invoiceId: string): Promise<readonly Payment[]> =>
  system.get(`/1.0/kb/invoices/${invoiceId}/payments?withAttempts=true`);
const isPaid = async (invoiceId: string): Promise<boolean> =>
  (await paymentsOf(invoiceId)).some(({ purchasedAmount }) => purchasedAmount === 20);

describe('an account with AUTO_PAY_OFF or MANUAL_PAY', () => {
  it('is charged when the last of them is taken off', async () => {
    const accountId = await testPaying(system);
    await tag(accountId, 'AUTO_PAY_OFF', true);
    await tag(accountId, 'MANUAL_PAY', true);
    const invoices = [await commitInvoice(system, accountId, 2_000), await commitInvoice(system, accountId, 2_000)];
    await tag(accountId, 'AUTO_PAY_OFF', false);
    const later = await testPaying(system);
    const witness = await commitInvoice(system, later, 2_000);
    await eventually(() => isPaid(witness));
    for (const invoiceId of invoices) expect(await paymentsOf(invoiceId)).toEqual([]);

    await tag(accountId, 'MANUAL_PAY', false);
    for (const invoiceId of invoices) await eventually(() => isPaid(invoiceId));
  });

  it('is not charged by a retry, but when the tag goes', async () => {
    const accountId = await testPaying(system);
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    const stateOf = async (): Promise<string | undefined> =>
      (await paymentsOf(invoiceId))[0]?.paymentAttempts.at(-1)?.stateName;
    await eventually(async () => (await stateOf()) === 'SCHEDULED');
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
    await tag(accountId, 'AUTO_PAY_OFF', true);
    await tellBalance(system, accountId, invoiceId, 2_000);
    await system.moveClock(8 * day + 60_000);
    await eventually(async () => (await stateOf()) === 'ABORTED');
    expect(await isPaid(invoiceId)).toBe(false);
    await tag(accountId, 'AUTO_PAY_OFF', false);
    await eventually(() => isPaid(invoiceId));
    await system.moveClock(0);
  });
});

describe('what a parent pays for', () => {
  it('is not charged to its child, even when the child pays for itself by now', async () => {
    const accountId = await testPaying(system, { parentAccountId: newId() });
    const summed = await commitInvoice(system, accountId, 2_000, { parentAccountId: newId() });
    const own = await commitInvoice(system, accountId, 2_000);
    await eventually(() => isPaid(own));
    expect(await paymentsOf(summed)).toEqual([]);
  });

  it('is nothing where there is no parent', async () => {
    const accountId = await testPaying(system, { isPaymentDelegatedToParent: true });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await eventually(() => isPaid(invoiceId));
  });
});

describe('an account that is closed', () => {
  it('is not charged again by itself, unless what is to come was to stay', async () => {
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
    const planned = async (invoiceId: string): Promise<string | undefined> =>
      (await paymentsOf(invoiceId))[0]?.paymentAttempts.at(-1)?.stateName;
    const declined = async () => {
      const accountId = await testPaying(system);
      const invoiceId = await commitInvoice(system, accountId, 2_000);
      await eventually(async () => (await planned(invoiceId)) === 'SCHEDULED');
      return { accountId, invoiceId };
    };
    const close = (accountId: string, removeFutureNotifications: boolean) =>
      system.say('accounts', {
        ...{ type: 'accounts.account-closed.v1', key: accountId },
        data: {
          ...{ accountId, cancelAllSubscriptions: false, writeOffUnpaidInvoices: false },
          ...{ itemAdjustUnpaidInvoices: false, removeFutureNotifications },
        },
      });
    const [gone, kept] = [await declined(), await declined()];
    await close(kept.accountId, false);
    await close(gone.accountId, true);
    await eventually(async () => (await planned(gone.invoiceId)) === 'ABORTED');
    expect(await planned(kept.invoiceId)).toBe('SCHEDULED');
    const begunSince = await commitInvoice(system, gone.accountId, 2_000);
    await eventually(async () => (await planned(begunSince)) === 'ABORTED');
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
  });
});

describe('a tenant’s own settings', () => {
  it('say when a declined payment is tried again', async () => {
    const { tenantId } = system;
    await system.say('accounts', {
      ...{ type: 'accounts.tenant-settings-changed.v1', key: tenantId },
      data: { tenantId, settings: { 'org.killbill.payment.retry.days': '3' } },
    });
    const accountId = await testPaying(system);
    await configure({ CONFIGURE_ACTION: 'ACTION_RETURN_PLUGIN_STATUS_ERROR' });
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await eventually(async () => (await paymentsOf(invoiceId))[0]?.paymentAttempts.length === 2);
    const [first, next] = (await paymentsOf(invoiceId))[0]!.paymentAttempts;
    const waitedMs = Date.parse(next!.effectiveDate) - Date.parse(first!.effectiveDate);
    expect(Math.round(waitedMs / day)).toBe(3);
    await configure({ CONFIGURE_ACTION: 'ACTION_CLEAR' });
  });

  it('and what is tagged of an invoice that nobody knows is no reason to stop', async () => {
    const invoiceId = newId();
    const accountId = await testPaying(system);
    const data = { accountId, objectType: 'INVOICE', objectId: invoiceId, tag: 'WRITTEN_OFF', isSet: true };
    await system.say('accounts', { type: 'accounts.control-tag-changed.v1', key: accountId, data });
    const witness = await commitInvoice(system, accountId, 2_000);
    await eventually(() => isPaid(witness));
  });
});
