import type { RecordedEvent } from '@billstream/event-sourcing';
import type { Currency, Instant } from '@billstream/kernel';
import { type InvoicePaymentsEvent, invoicePaymentsSchema } from './invoice-payments/invoice-payments.events';
import { type PaymentEvent, paymentSchema } from './payment/payment.events';
import { payerAccountSchema } from './payer-account/payer-account';
import { paymentsPublication } from './publication';

const at = '2026-01-01T00:00:00.000Z' as Instant;
const ids = { invoiceId: 'invoice-1', accountId: 'account-1', paymentId: 'payment-1', transactionId: 'transaction-1' };
const facts = { ...ids, amountMinor: 2_000, currency: 'USD' as Currency, at };
const recorded = (stream: string, form: { readonly type: string; readonly data: object }): RecordedEvent => ({
  ...form,
  id: 'event-1',
  stream,
  revision: 0n,
  position: 0n,
  metadata: {
    ...{ $correlationId: '', $causationId: '', commandId: '', tenantId: 'tenant-1' },
    ...{ actor: { createdBy: '' }, at, recordedAt: at },
  },
});
const ofPayment = (event: PaymentEvent) =>
  paymentsPublication(recorded('payment-payment-1', paymentSchema.encode(event)));
const published = (event: InvoicePaymentsEvent) =>
  paymentsPublication(recorded('invoicePayments-invoice-1', invoicePaymentsSchema.encode(event)));

const evidence = { gatewayRef: 'T-1', feeMinor: null, movedAt: at, isAdopted: false, isLate: false };
const outcomes: readonly (readonly [string, InvoicePaymentsEvent])[] = [
  ['SUCCESS', { type: 'PaymentSucceeded', data: { ...facts, ...evidence } }],
  ['PAYMENT_FAILURE', { type: 'PaymentDeclined', data: { ...facts, hardness: 'soft', code: '1', message: null } }],
  ['PENDING', { type: 'PaymentPending', data: { ...facts, why: 'review', gatewayRef: null, nextLookAt: null } }],
  ['UNKNOWN', { type: 'PaymentUnknown', data: { ...facts, code: null, look: 1, nextLookAt: null } }],
  ['PLUGIN_FAILURE', { type: 'PaymentNotExecuted', data: { ...facts, why: 'expired', code: null, message: null } }],
];

describe('others hear', () => {
  it.each(outcomes)('of a payment that became %s', (status, event) => {
    expect(published(event)).toEqual([
      {
        type: 'payments.invoice-payment-changed.v1',
        key: 'account-1',
        data: { ...ids, transactionType: 'PURCHASE', status, amountMinor: 2_000, currency: 'USD', effectiveAt: at },
      },
    ]);
  });
  it('of a default method, without what could be charged with it', () => {
    const event = { type: 'DefaultMethodSet', data: { accountId: 'account-1', paymentMethodId: 'method-1' } } as const;
    expect(paymentsPublication(recorded('payerAccount-account-1', payerAccountSchema.encode(event)))).toEqual([
      { type: 'payments.default-method-changed.v1', key: 'account-1', data: event.data },
    ]);
  });
  it('of a refund, with what it adjusts', () => {
    const refund = { ...facts, externalKey: 'key-1', transactionType: 'REFUND' as const };
    const itemAdjustments = [{ invoiceItemId: 'item-1', amountMinor: null }];
    const adjusted = { ...refund, isAdjusted: true, itemAdjustments, gatewayRef: null };
    const told = { ...ids, transactionType: 'REFUND', amountMinor: 2_000, currency: 'USD', effectiveAt: at };
    const type = 'payments.invoice-payment-changed.v1';
    const key = 'account-1';
    expect(ofPayment({ type: 'TransactionSucceeded', data: adjusted })).toEqual([
      { type, key, data: { ...told, status: 'SUCCESS', isAdjusted: true, itemAdjustments } },
    ]);
    expect(ofPayment({ type: 'TransactionSucceeded', data: { ...refund, gatewayRef: null } })).toEqual([
      { type, key, data: { ...told, status: 'SUCCESS' } },
    ]);
    const direct = { ...refund, invoiceId: null, gatewayRef: null };
    const { accountId, paymentId, transactionId } = ids;
    const own = { accountId, paymentId, transactionId };
    expect(ofPayment({ type: 'TransactionSucceeded', data: direct })).toEqual([
      {
        ...{ type: 'payments.payment-changed.v1', key },
        data: {
          ...own,
          transactionType: 'REFUND',
          status: 'SUCCESS',
          effectiveAt: at,
          amountMinor: 2_000,
          currency: 'USD',
        },
      },
    ]);
  });
  it('of a chargeback that was reversed, that it failed', () => {
    const chargeback = { ...facts, externalKey: 'key-1', transactionType: 'CHARGEBACK' as const };
    expect(ofPayment({ type: 'ChargebackReversed', data: { ...chargeback, reversalId: 'r-1' } })).toMatchObject([
      { data: { transactionId: 'transaction-1', transactionType: 'CHARGEBACK', status: 'PAYMENT_FAILURE' } },
    ]);
  });
  it('nothing of an attempt without an outcome', () => {
    const method = { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' };
    expect(published({ type: 'PaymentRequested', data: { ...facts, ...method, attempt: 1 } })).toEqual([]);
    const sent = { ...ids, holder: 'one', dispatchedAt: at, at };
    expect(published({ type: 'PaymentDispatched', data: sent })).toEqual([]);
  });
});
