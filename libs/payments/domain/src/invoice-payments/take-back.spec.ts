import type { Currency, Instant, LocalDate } from '@billstream/kernel';
import { plusMs } from '@billstream/kernel';
import { type InvoicePaymentsCommand, invoicePayments } from './invoice-payments.decider';
import type { InvoicePaymentsEvent } from './invoice-payments.events';
import { owedMinor } from './invoice-payments';
import { standardRetryPolicy } from './retry-policy';

const now = '2026-01-01T00:00:00.000Z' as Instant;
const day = 86_400_000;
const method = { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' };
const invoice = {
  ...{ invoiceId: 'invoice-1', accountId: 'account-1', invoiceNumber: '1', invoiceDate: '2026-01-01' as LocalDate },
  ...{ currency: 'USD' as Currency, amountMinor: 2_000, balanceMinor: 2_000, asOf: 5 },
};

/** Decides one after the other; the state after all of them and the events of the last. */
const after = (...commands: readonly InvoicePaymentsCommand[]) => {
  let state = invoicePayments.initial;
  let last: readonly InvoicePaymentsEvent[] = [];
  for (const command of commands) {
    const decided = invoicePayments.decide(command, state);
    if ('rejected' in decided) throw new Error(decided.rejected.code);
    last = decided.events;
    state = last.reduce(invoicePayments.evolve, state);
  }
  return { state, last };
};

const committed: InvoicePaymentsCommand = {
  type: 'RecordInvoice',
  data: { invoice, method, isDelegatedToParent: false, isManualPay: false, now },
};
const { open } = after(committed).state;
const transactionId = open?.transactionId ?? '';
const sent: InvoicePaymentsCommand = {
  type: 'DispatchPayment',
  data: { transactionId, holder: 'one', after: null, dispatchedAt: now, now },
};
const taken: InvoicePaymentsCommand = {
  type: 'RecordOutcome',
  data: {
    ...{ transactionId, holder: 'one', now },
    outcome: {
      ...{ kind: 'succeeded', gatewayRef: 'T-1', amountMinor: 2_000, currency: 'USD', feeMinor: null },
      ...{ movedAt: now, isAdopted: false },
    },
  },
};
const balance = (balanceMinor: number, purchasedMinor: number, asOf: number): InvoicePaymentsCommand => ({
  type: 'RecordBalance',
  data: { balanceMinor, purchasedMinor, asOf },
});
const paid = [committed, sent, taken, balance(0, 2_000, 6)];
const takeBack = (isRetried = false, id = transactionId): InvoicePaymentsCommand => ({
  type: 'TakeBackSuccess',
  data: { transactionId: id, code: 'corrected', retriedBy: isRetried ? standardRetryPolicy : null, now },
});

describe('A payment that was not taken after all', () => {
  it('leaves its invoice owed and is not tried again by itself', () => {
    const { state, last } = after(...paid, takeBack());
    expect(last.map(({ type }) => type)).toEqual(['PaymentDeclined', 'BalanceRecorded', 'PaymentAborted']);
    expect(owedMinor(state)).toBe(2_000);
    expect(state.retryAt).toBeNull();
  });

  it('is tried again as the same payment where somebody asks for that', () => {
    const retryAt = plusMs(now, 8 * day);
    const retried: InvoicePaymentsCommand = {
      type: 'RetryPayment',
      data: { paymentId: open?.paymentId ?? '', method, isManualPay: false, now: retryAt },
    };
    const { state } = after(...paid, takeBack(true), balance(2_000, 0, 7), retried);
    expect(state.open).toMatchObject({ paymentId: open?.paymentId, amountMinor: 2_000 });
    expect(state.open?.transactionId).not.toBe(transactionId);
  });

  it.each([
    ['before invoicing has counted it', [balance(2_000, 0, 7)], 2_000],
    ['when invoicing tells late that it had counted it', [balance(0, 2_000, 7)], 2_000],
    ['when invoicing has heard of both', [balance(0, 2_000, 7), balance(2_000, 0, 8)], 2_000],
  ])('is owed once %s', (_, told, owed) => {
    expect(owedMinor(after(committed, sent, taken, takeBack(), ...told).state)).toBe(owed);
  });

  it('is taken back once, by its own name, and not while something else is charged', () => {
    expect(after(...paid, takeBack(), takeBack()).last).toEqual([]);
    expect(after(...paid, takeBack(false, 'another')).last).toEqual([]);
    const again: InvoicePaymentsCommand = { type: 'PayInvoice', data: { method, amountMinor: null, now } };
    expect(after(...paid, balance(2_000, 2_000, 7), again, takeBack()).last).toEqual([]);
  });
});
