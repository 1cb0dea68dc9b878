import { specificationOf } from '@billstream/event-sourcing/testing';
import { type Currency, type Instant, type LocalDate, plusMs } from '@billstream/kernel';
import { type InvoicePaymentsCommand, invoicePayments } from './invoice-payments.decider';
import type { InvoicePaymentsEvent } from './invoice-payments.events';

const { given } = specificationOf(invoicePayments);
const now = '2026-01-01T00:00:00.000Z' as Instant;
const method = { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' };
const ref = { invoiceId: 'invoice-1', accountId: 'account-1' };
const invoice = {
  ...{ ...ref, invoiceNumber: '1', invoiceDate: '2026-01-01' as LocalDate, currency: 'USD' as Currency },
  ...{ amountMinor: 2_000, balanceMinor: 2_000, asOf: 5 },
};
const recorded: InvoicePaymentsEvent = { type: 'InvoiceRecorded', data: invoice };
const skipped = (reason: 'manual-pay' | 'no-default-method' | 'delegated-to-parent'): InvoicePaymentsEvent => ({
  type: 'PaymentSkipped',
  data: { ...ref, reason, at: now },
});
const commit = { method, isDelegatedToParent: false, isManualPay: true, now };
const payHeldBack: InvoicePaymentsCommand = { type: 'PayHeldBack', data: { method, now } };
const writtenOff: InvoicePaymentsEvent = { type: 'WriteOffChanged', data: { ...ref, isWrittenOff: true } };
const retryAt = plusMs(now, 1_000);
const waiting: InvoicePaymentsEvent = { type: 'RetryScheduled', data: { ...ref, paymentId: 'payment-1', retryAt } };
const retry = { paymentId: 'payment-1', method, isManualPay: true, now: retryAt };

describe('an account that is not charged automatically', () => {
  it('has its invoice recorded and not paid, with a method or without', () => {
    given()
      .when({ type: 'RecordInvoice', data: { invoice, ...commit } })
      .then(recorded, skipped('manual-pay'));
    given()
      .when({ type: 'RecordInvoice', data: { invoice, ...commit, method: null } })
      .then(recorded, skipped('manual-pay'));
  });
  it('pays what is left when it is charged automatically again', () => {
    const [event] = given(recorded, skipped('manual-pay'), {
      type: 'BalanceRecorded',
      data: { ...ref, balanceMinor: 700, asOf: 6 },
    })
      .when(payHeldBack)
      .thenEvents();
    expect(event).toMatchObject({ type: 'PaymentRequested', data: { amountMinor: 700, credential: 'B-1' } });
  });
  it('does not pay twice, nor beside a retry, nor what is settled', () => {
    const [opened] = given(recorded).when(payHeldBack).thenEvents();
    given(recorded, opened!).when(payHeldBack).thenNothing();
    given(recorded, waiting).when(payHeldBack).thenNothing();
    given(recorded, { type: 'BalanceRecorded', data: { ...ref, balanceMinor: 0, asOf: 6 } })
      .when(payHeldBack)
      .thenNothing();
    given().when(payHeldBack).thenNothing();
  });
  it('needs a method for that', () => {
    given(recorded)
      .when({ type: 'PayHeldBack', data: { method: null, now } })
      .then(skipped('no-default-method'));
  });
  it('is not charged by a retry that was planned before', () => {
    given(recorded, waiting)
      .when({ type: 'RetryPayment', data: retry })
      .then({
        type: 'PaymentAborted',
        data: { ...ref, paymentId: 'payment-1', transactionId: null, reason: 'manual-pay', at: retryAt },
      });
  });
});

describe('an invoice that the parent of its account pays', () => {
  const delegated = [recorded, skipped('delegated-to-parent')];

  it('is not paid by the account, neither when asked to nor when it is charged automatically again', () => {
    given(...delegated)
      .when({ type: 'PayInvoice', data: { method, amountMinor: null, now } })
      .thenRejected({ code: 'nothing-owed' });
    given(...delegated)
      .when(payHeldBack)
      .thenNothing();
  });
});

describe('an invoice that was written off', () => {
  it('is recorded once, and taken back', () => {
    given(recorded)
      .when({ type: 'RecordWriteOff', data: { ...ref, isWrittenOff: true } })
      .then(writtenOff);
    given(recorded, writtenOff)
      .when({ type: 'RecordWriteOff', data: { ...ref, isWrittenOff: true } })
      .thenNothing();
    given(recorded, writtenOff)
      .when({ type: 'RecordWriteOff', data: { ...ref, isWrittenOff: false } })
      .then({ type: 'WriteOffChanged', data: { ...ref, isWrittenOff: false } });
  });
  it('is not charged: not when held back, not by a retry, not by hand', () => {
    given(recorded, writtenOff).when(payHeldBack).thenNothing();
    expect(
      given(recorded, waiting, writtenOff)
        .when({ type: 'RetryPayment', data: { ...retry, isManualPay: false } })
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentAborted', data: { reason: 'paid-meanwhile' } }]);
    given(recorded, writtenOff)
      .when({ type: 'PayInvoice', data: { method, amountMinor: null, now } })
      .thenRejected({ code: 'nothing-owed' });
  });
});
