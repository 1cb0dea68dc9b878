import { specificationOf } from '@billstream/event-sourcing/testing';
import type { Currency, Instant, LocalDate } from '@billstream/kernel';
import { type InvoicePaymentsCommand, invoicePayments } from './invoice-payments.decider';
import type { InvoicePaymentsEvent } from './invoice-payments.events';

const { given } = specificationOf(invoicePayments);
const now = '2026-01-01T00:00:00.000Z' as Instant;
const ref = { invoiceId: 'invoice-1', accountId: 'account-1' };
const method = { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' };
const recorded: InvoicePaymentsEvent = {
  type: 'InvoiceRecorded',
  data: {
    ...{ ...ref, invoiceNumber: '1', invoiceDate: '2026-01-01' as LocalDate, currency: 'USD' as Currency },
    ...{ amountMinor: 2_000, balanceMinor: 2_000, asOf: 5 },
  },
};
const keys = { paymentKey: 'p', transactionKey: 't' };
const pay: InvoicePaymentsCommand = { type: 'PayInvoice', data: { method, amountMinor: null, now, ...keys } };

describe('a payment that somebody asked for and that asks for less because credit came in', () => {
  it('keeps the names that it was given, and is tried once as before', () => {
    const [asked] = given(recorded).when(pay).thenEvents();
    const less: InvoicePaymentsEvent = { type: 'BalanceRecorded', data: { ...ref, balanceMinor: 700, asOf: 6 } };
    if (asked?.type !== 'PaymentRequested') throw new Error('nothing was asked for');
    const { transactionId } = asked.data;
    const events = given(recorded, asked, less)
      .when({
        type: 'DispatchPayment',
        data: { transactionId, holder: 'h', after: null, dispatchedAt: now, now },
      })
      .thenEvents();
    expect(events).toMatchObject([
      { type: 'PaymentAborted', data: { transactionId, reason: 'balance-changed' } },
      { type: 'PaymentRequested', data: { amountMinor: 700, isOnce: true, ...keys } },
    ]);
  });
});
