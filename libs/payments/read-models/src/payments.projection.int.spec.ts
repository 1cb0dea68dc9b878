import { type CommandContext, type RecordedEvent, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { type Currency, type Instant, type LocalDate, derivedId } from '@billstream/kernel';
import {
  type AttemptOutcome,
  type InvoicePaymentsCommand,
  invoicePayments,
  invoicePaymentsSchema,
  invoicePaymentsStream,
  nextPaymentId,
} from '@billstream/payments-domain';
import { type Database, openDatabase } from '@billstream/postgres';
import { type TestDatabase, testDatabase } from '@billstream/testing';
import { paymentsReadModel } from './payments.projection';
import { debtsOfAccount, paymentsOfAccount } from './payments.query';

const tenantId = derivedId('tenant');
const accountId = derivedId('account');
const now = '2026-01-01T00:00:00.000Z' as Instant;
const method = { paymentMethodId: derivedId('method'), pluginName: 'paypal', credential: 'B-1' };

const otherMethod = { ...method, paymentMethodId: derivedId('other method') };

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const success: AttemptOutcome = {
  ...{ kind: 'succeeded', gatewayRef: 'T-1', amountMinor: 1_000, currency: 'USD', feeMinor: null },
  ...{ movedAt: now, isAdopted: false },
};
const decline: AttemptOutcome = {
  ...{ kind: 'declined', hardness: 'soft', code: '10539', message: 'no' },
  ...{ isUnlisted: false, retryNotBefore: null },
};

/** Five invoices: paid, declined and waiting, unknown, committed without a method, and paid by another one on retry. */
const history = async (): Promise<readonly RecordedEvent[]> => {
  const store = memoryEventStore();
  const handle = commandHandler({ store, decider: invoicePayments, schema: invoicePaymentsSchema });
  let commands = 0;
  const issue = async (invoiceId: string, command: InvoicePaymentsCommand) => {
    const context: CommandContext = {
      ...{ commandId: derivedId(String((commands += 1))), tenantId, actor: { createdBy: 'test' } },
      ...{ at: now, correlationId: 'correlation' },
    };
    const handled = await handle(invoicePaymentsStream(invoiceId), command, context);
    if (handled.outcome !== 'accepted') throw new Error(handled.outcome);
    return handled.state.open?.transactionId ?? '';
  };
  const outcomes: readonly (AttemptOutcome | null)[] = [
    ...[success, decline, { kind: 'unknown', code: 'lost' } as const, null],
    decline,
  ];
  for (const [index, outcome] of outcomes.entries()) {
    const invoiceId = derivedId('invoice', String(index));
    const invoice = {
      ...{ invoiceId, accountId, invoiceNumber: String(index), invoiceDate: '2026-01-01' as LocalDate, asOf: index },
      ...{ currency: 'USD' as Currency, amountMinor: 1_000, balanceMinor: 1_000 },
    };
    const by = outcome === null ? null : method;
    const data = { invoice, method: by, isDelegatedToParent: false, isManualPay: false, now };
    const transactionId = await issue(invoiceId, { type: 'RecordInvoice', data });
    if (outcome === null) continue;
    const dispatch = { transactionId, holder: 'one', after: null, dispatchedAt: now, now };
    await issue(invoiceId, { type: 'DispatchPayment', data: dispatch });
    await issue(invoiceId, { type: 'RecordOutcome', data: { transactionId, holder: 'one', outcome, now } });
  }
  const retried = derivedId('invoice', '4');
  const then = { isManualPay: false, now: '2026-01-09T00:00:00.000Z' as Instant };
  const again = await issue(retried, {
    type: 'RetryPayment',
    data: { ...then, method: otherMethod, paymentId: nextPaymentId(invoicePayments.initial, retried) },
  });
  const dispatched = { transactionId: again, holder: 'two', after: null, dispatchedAt: then.now, now: then.now };
  await issue(retried, { type: 'DispatchPayment', data: dispatched });
  const outcome = { transactionId: again, holder: 'two', outcome: success, now: then.now };
  await issue(retried, { type: 'RecordOutcome', data: outcome });
  await issue(retried, { type: 'RecordBalance', data: { balanceMinor: 0, asOf: 9, purchasedMinor: 1_000 } });
  return (await store.readAll({ after: null, prefixes: ['invoicePayments-'] })).events;
};

const project = async (schema: string, events: readonly RecordedEvent[], size: number): Promise<Database> => {
  const database = openDatabase({ url: server.url, schema, applicationName: 'payments-projection' });
  await database.query(`create schema ${schema}`);
  await database.query(paymentsReadModel.ddl);
  for (let start = 0; start < events.length; start += size)
    await database.transaction((tx) => paymentsReadModel.apply(tx, events.slice(start, start + size)));
  return database;
};

const contents = async (database: Database): Promise<object> =>
  Object.fromEntries(
    await Promise.all(
      paymentsReadModel.tables.map(async (table) => [
        table,
        await database.query(`select to_jsonb(row) as row from ${table} as row order by 1`),
      ]),
    ),
  ) as object;

describe('the read model of payments', () => {
  it('is the same whether events come one by one, in pairs or all at once', async () => {
    const events = await history();
    const databases = await Promise.all([1, 2, 1_000].map((size) => project(`by_${String(size)}`, events, size)));
    try {
      const [one, two, all] = await Promise.all(databases.map(contents));
      expect(two).toEqual(one);
      expect(all).toEqual(one);
    } finally {
      await Promise.all(databases.map((database) => database.close()));
    }
  });

  it('numbers payments, keeps what is owed, and has due exactly what is left to do', async () => {
    const database = await project('whole', await history(), 3);
    try {
      const payments = await paymentsOfAccount(database, tenantId, accountId);
      expect(payments.map(({ paymentNumber }) => paymentNumber)).toEqual([1n, 2n, 3n, 4n]);
      expect(payments.map(({ transactions }) => transactions[0]?.state)).toEqual([
        'SUCCESS',
        'PAYMENT_FAILURE',
        'UNKNOWN',
        'PAYMENT_FAILURE',
      ]);
      expect(payments[3]).toMatchObject({ transactions: [{}, { state: 'SUCCESS' }] });
      const debts = await debtsOfAccount(database, tenantId, accountId);
      expect(debts.map(({ balanceMinor }) => balanceMinor)).toEqual([1_000n, 1_000n, 1_000n]);
      expect(await database.query('select kind, due_at from due_work order by due_at')).toEqual([
        { kind: 'resolve-payment', due_at: '2026-01-01T00:05:00.000Z' },
        { kind: 'retry-payment', due_at: '2026-01-09T00:00:00.000Z' },
      ]);
    } finally {
      await database.close();
    }
  });
});
