import { type RunningEmulator, startEmulator } from '@billstream/app/gateway-emulator';
import { commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { type Currency, type LocalDate, newId, wallTime } from '@billstream/kernel';
import {
  type InvoicePaymentsCommand,
  invoicePayments,
  invoicePaymentsSchema,
  invoicePaymentsStream,
} from '@billstream/payments-domain';
import { eventually } from '@billstream/testing';
import { type Control, commitInvoice, controlOf, payingAccount, tellBalance } from '../testing/payer';
import { type PaymentsUnderTest, paymentsUnderTest } from '../testing/payments-under-test';

type Payment = {
  readonly paymentId: string;
  readonly purchasedAmount: number;
  readonly transactions: readonly {
    readonly transactionId: string;
    readonly status: string;
    readonly gatewayErrorCode: string | null;
  }[];
  readonly paymentAttempts: readonly { readonly stateName: string }[] | null;
};
type Ledger = { readonly entries: readonly { readonly kind: string; readonly amount: string }[] };

const minute = 60_000;
const day = 24 * 60 * minute;

let emulator: RunningEmulator;
let control: Control;
let system: PaymentsUnderTest;
const lines: string[] = [];

beforeAll(async () => {
  emulator = await startEmulator({ port: 0, log: (line) => lines.push(JSON.stringify(line)) });
  control = controlOf(emulator.url);
  system = await paymentsUnderTest(emulator.url);
  await system.start();
}, 60_000);
afterAll(async () => {
  await system.close();
  await emulator.close();
});
afterEach(async () => {
  await control('DELETE', 'faults');
  expect(await control('GET', 'invariants')).toMatchObject({ ok: true });
});

const paymentsOf = (invoiceId: string): Promise<readonly Payment[]> =>
  system.get(`/1.0/kb/invoices/${invoiceId}/payments?withAttempts=true`);
/** Kill Bill calls a transaction UNKNOWN as soon as it is there; these tests wait until an answer has been lost. */
const statusesOf = async (invoiceId: string): Promise<readonly string[]> =>
  (await paymentsOf(invoiceId)).flatMap(({ transactions }) =>
    transactions.map(({ status, gatewayErrorCode }) =>
      status === 'UNKNOWN' && gatewayErrorCode === null ? 'OPEN' : status,
    ),
  );
const reaches = async (invoiceId: string, statuses: readonly string[]): Promise<void> =>
  eventually(async () => (await statusesOf(invoiceId)).join() === statuses.join());
const charged = async (invoiceId: string): Promise<readonly string[]> => {
  const [payment] = await paymentsOf(invoiceId);
  const { entries } = await control<Ledger>('GET', `ledger?invoiceRef=${payment?.paymentId ?? ''}`);
  return entries.filter(({ kind }) => kind === 'charge').map(({ amount }) => amount);
};
const plan = (effect: string, more: object = {}): Promise<unknown> =>
  control('POST', 'faults', { provider: 'paypal', operation: 'DoReferenceTransaction', effect, ...more });
/** Only ever forwards: a clock that is set back while a payment is looked at would plan the next look in its old time. */
let distanceMs = 0;
const advance = (ms: number): Promise<void> => system.moveClock((distanceMs += ms));

describe('the executor against the emulator', () => {
  it('charges a committed invoice once, with the payment as reference and the transaction as key', async () => {
    const accountId = await payingAccount(system, control);
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await reaches(invoiceId, ['SUCCESS']);
    const [payment] = await paymentsOf(invoiceId);
    expect(payment).toMatchObject({ purchasedAmount: 20 });
    expect(await control('GET', `ledger?invoiceRef=${payment!.paymentId}`)).toMatchObject({
      entries: [{ kind: 'charge', amount: '20.00', operationKey: payment!.transactions[0]!.transactionId }],
    });
  });

  it.each([
    ['timeout', { delayMs: 50 }],
    ['error-500', {}],
    ['reset', {}],
    ['timeout-before', { delayMs: 50 }],
    ['error-500-before', {}],
    ['reset-before', {}],
  ])('calls a payment UNKNOWN after %s, finds out, and has charged exactly once', async (effect, more) => {
    const accountId = await payingAccount(system, control);
    await plan(effect, more);
    const invoiceId = await commitInvoice(system, accountId, 1_700);
    await reaches(invoiceId, ['UNKNOWN']);
    await advance(6 * minute);
    await reaches(invoiceId, ['SUCCESS']);
    expect(await charged(invoiceId)).toEqual(['17.00']);
  });

  it('tries a declined payment again after eight days, as the same payment', async () => {
    const accountId = await payingAccount(system, control);
    await plan('decline');
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await reaches(invoiceId, ['PAYMENT_FAILURE']);
    const [declined] = await paymentsOf(invoiceId);
    expect(declined?.paymentAttempts?.map(({ stateName }) => stateName)).toEqual(['RETRIED', 'SCHEDULED']);
    await advance(8 * day + minute);
    await reaches(invoiceId, ['PAYMENT_FAILURE', 'SUCCESS']);
    expect(await paymentsOf(invoiceId)).toHaveLength(1);
    expect(await charged(invoiceId)).toEqual(['20.00']);
  });

  it('does not try again what has been paid meanwhile', async () => {
    const accountId = await payingAccount(system, control);
    await plan('decline');
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await reaches(invoiceId, ['PAYMENT_FAILURE']);
    await tellBalance(system, accountId, invoiceId, 0);
    await advance(8 * day + minute);
    await eventually(async () => {
      const [payment] = await paymentsOf(invoiceId);
      return payment?.paymentAttempts?.at(-1)?.stateName === 'ABORTED';
    });
    expect(await charged(invoiceId)).toEqual([]);
  });

  it('charges two invoices of one account apart from each other', async () => {
    const accountId = await payingAccount(system, control);
    await plan('reset');
    const first = await commitInvoice(system, accountId, 2_000);
    await reaches(first, ['UNKNOWN']);
    const second = await commitInvoice(system, accountId, 500);
    await reaches(second, ['SUCCESS']);
    await advance(6 * minute);
    await reaches(first, ['SUCCESS']);
    expect([await charged(first), await charged(second)]).toEqual([['20.00'], ['5.00']]);
  });

  it('waits for a payment under review and takes its end from the records', async () => {
    const accountId = await payingAccount(system, control);
    await plan('pending');
    const invoiceId = await commitInvoice(system, accountId, 2_000);
    await reaches(invoiceId, ['PENDING']);
    const [payment] = await paymentsOf(invoiceId);
    const { entries } = await control<{ entries: { transactionId: string }[] }>(
      'GET',
      `ledger?invoiceRef=${payment!.paymentId}`,
    );
    await control('POST', 'paypal/settle', { transactionId: entries[0]!.transactionId, status: 'Completed' });
    await advance(61 * minute);
    await reaches(invoiceId, ['SUCCESS']);
  });
});

describe('a payment whose process died between sending it and writing down the answer', () => {
  it.each([true, false])(
    'is looked up at the next start and charged exactly once (had been charged: %s)',
    async (had) => {
      const store = memoryEventStore();
      const restarted = await paymentsUnderTest(emulator.url, { store });
      const handle = commandHandler({ store, decider: invoicePayments, schema: invoicePaymentsSchema });
      const invoiceId = newId();
      const accountId = newId();
      const issue = (command: InvoicePaymentsCommand) =>
        handle(invoicePaymentsStream(invoiceId), command, {
          ...{ commandId: newId(), tenantId: restarted.tenantId, actor: { createdBy: 'test' } },
          ...{ at: wallTime(), correlationId: newId() },
        });
      const merchant = nvpOf(restarted.tenantId);
      const method = {
        paymentMethodId: newId(),
        pluginName: 'killbill-paypal-express',
        credential: await merchant.agree(),
      };
      const invoice = {
        ...{
          invoiceId,
          accountId,
          invoiceNumber: '1',
          invoiceDate: '2026-01-01' as LocalDate,
          currency: 'USD' as Currency,
        },
        ...{ amountMinor: 2_000, balanceMinor: 2_000, asOf: 0 },
      };
      const requested = await issue({
        type: 'RecordInvoice',
        data: { invoice, method, isDelegatedToParent: false, isManualPay: false, now: wallTime() },
      });
      const open = requested.outcome === 'accepted' ? requested.state.open! : null;
      const { transactionId, paymentId } = open!;
      const dispatch = { transactionId, holder: 'the dead', after: null, dispatchedAt: wallTime(), now: wallTime() };
      await issue({ type: 'DispatchPayment', data: dispatch });
      if (had) await merchant.pay(method.credential, paymentId, transactionId);

      try {
        await restarted.start();
        const read = (): Promise<readonly Payment[]> => restarted.get(`/1.0/kb/invoices/${invoiceId}/payments`);
        await eventually(async () => (await read())[0]?.transactions[0]?.status === 'SUCCESS');
        const { entries } = await control<Ledger>('GET', `ledger?invoiceRef=${paymentId}`);
        expect(entries.map(({ amount }) => amount)).toEqual(['20.00']);
      } finally {
        await restarted.close();
      }
    },
  );
});

/** PayPal as the dead process would have called it. */
const nvpOf = (tenantId: string) => {
  const nvp = async (fields: Record<string, string>): Promise<URLSearchParams> => {
    const credentials = { USER: `tenant-${tenantId}`, PWD: 'emulated', SIGNATURE: 'emulated', VERSION: '204' };
    const body = new URLSearchParams({ ...credentials, ...fields });
    return new URLSearchParams(await (await fetch(`${emulator.url}/nvp`, { method: 'POST', body })).text());
  };
  return {
    agree: async (): Promise<string> => {
      const setup = await nvp({
        ...{ METHOD: 'SetExpressCheckout', RETURNURL: 'http://shop.example/', CANCELURL: 'http://shop.example/' },
        ...{ PAYMENTREQUEST_0_AMT: '0', L_BILLINGTYPE0: 'MerchantInitiatedBilling' },
        L_BILLINGAGREEMENTDESCRIPTION0: 'Your subscription',
      });
      const TOKEN = setup.get('TOKEN') ?? '';
      await control('POST', 'paypal/approve', { token: TOKEN });
      return (await nvp({ METHOD: 'CreateBillingAgreement', TOKEN })).get('BILLINGAGREEMENTID') ?? '';
    },
    pay: (REFERENCEID: string, INVNUM: string, MSGSUBID: string) =>
      nvp({
        ...{ METHOD: 'DoReferenceTransaction', REFERENCEID, INVNUM, MSGSUBID },
        ...{ PAYMENTACTION: 'Sale', AMT: '20.00', CURRENCYCODE: 'USD' },
      }),
  };
};
