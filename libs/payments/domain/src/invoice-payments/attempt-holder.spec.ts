import { specificationOf } from '@billstream/event-sourcing/testing';
import type { Currency, Instant } from '@billstream/kernel';
import type { AttemptOutcome } from './attempt-outcome';
import { type InvoicePaymentsCommand, invoicePayments } from './invoice-payments.decider';
import type { InvoicePaymentsEvent } from './invoice-payments.events';

const { given } = specificationOf(invoicePayments);
const now = '2026-01-01T00:00:00.000Z' as Instant;
const ids = { invoiceId: 'invoice-1', accountId: 'account-1', paymentId: 'payment-1', transactionId: 'transaction-1' };
const method = { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' };
const recorded: InvoicePaymentsEvent = {
  type: 'InvoiceRecorded',
  data: {
    ...{ invoiceId: 'invoice-1', accountId: 'account-1', invoiceNumber: '1', currency: 'USD' as Currency },
    ...{ invoiceDate: '2026-01-01' as never, amountMinor: 2_000, balanceMinor: 2_000, asOf: 5 },
  },
};
const requested: InvoicePaymentsEvent = {
  type: 'PaymentRequested',
  data: { ...ids, ...method, amountMinor: 2_000, currency: 'USD' as Currency, at: now, attempt: 1 },
};
const sentBy = (holder: string): InvoicePaymentsEvent => ({
  type: 'PaymentDispatched',
  data: { ...ids, holder, dispatchedAt: now, at: now },
});
const found = (holder: string | null, outcome: AttemptOutcome): InvoicePaymentsCommand => ({
  type: 'RecordOutcome',
  data: { transactionId: ids.transactionId, holder, outcome, now },
});
const dispatch = (holder: string, after: string | null): InvoicePaymentsCommand => ({
  type: 'DispatchPayment',
  data: { transactionId: ids.transactionId, holder, after, dispatchedAt: now, now },
});
const notExecuted: AttemptOutcome = { kind: 'not-executed', why: 'unreachable', code: null, message: null };
const losses: readonly (readonly [string, AttemptOutcome])[] = [
  ['not executed', notExecuted],
  ['unknown', { kind: 'unknown', code: 'ECONNRESET' }],
  ['pending', { kind: 'pending', why: 'review', gatewayRef: null }],
  [
    'declined',
    {
      ...{ kind: 'declined', hardness: 'soft', code: '10539', message: null },
      ...{ isUnlisted: false, retryNotBefore: null },
    },
  ],
];
const success: AttemptOutcome = {
  ...{ kind: 'succeeded', gatewayRef: 'T-1', amountMinor: 2_000, currency: 'USD', feeMinor: null },
  ...{ movedAt: now, isAdopted: false },
};

describe('an attempt that another run has been granted meanwhile', () => {
  it.each(losses)('is not ended by a finding that it was %s before that', (_, outcome) => {
    given(recorded, requested, sentBy('one')).when(found(null, outcome)).thenNothing();
    given(recorded, requested, sentBy('one'), sentBy('two')).when(found('one', outcome)).thenNothing();
  });
  it('is ended by a success, whoever found it', () => {
    const [event] = given(recorded, requested, sentBy('one'), sentBy('two')).when(found('one', success)).thenEvents();
    expect(event).toMatchObject({ type: 'PaymentSucceeded', data: { amountMinor: 2_000 } });
  });
  it('is not granted to a third one on the proof that the first moved nothing', () => {
    given(recorded, requested, sentBy('one'), sentBy('two')).when(dispatch('three', 'one')).thenNothing();
  });
});

describe('an attempt that was never sent', () => {
  it('is ended by whoever found out that it cannot be', () => {
    const events = given(recorded, requested).when(found(null, notExecuted)).thenEvents();
    expect(events.map(({ type }) => type)).toEqual(['PaymentNotExecuted', 'RetryScheduled']);
  });
  it('cannot be sent again', () => {
    given(recorded, requested).when(dispatch('two', 'one')).thenNothing();
  });
});

describe('money that two attempts at a payment both say they moved', () => {
  const second = 'transaction-2';
  const closed: InvoicePaymentsEvent = {
    type: 'PaymentNotExecuted',
    data: {
      ...{ ...ids, amountMinor: 2_000, currency: 'USD' as Currency, at: now },
      ...{ why: 'expired', code: null, message: null },
    },
  };
  const tried: readonly InvoicePaymentsEvent[] = [
    ...[recorded, requested, sentBy('one'), closed],
    { ...requested, data: { ...requested.data, transactionId: second, attempt: 2 } },
    {
      type: 'PaymentDispatched',
      data: { ...ids, transactionId: second, holder: 'two', dispatchedAt: now, at: now },
    },
  ];
  const says = (transactionId: string, holder: string): InvoicePaymentsCommand => ({
    type: 'RecordOutcome',
    data: { transactionId, holder, outcome: success, now },
  });

  it('counts once when the first one says so late', () => {
    const paid = given(...tried)
      .when(says(second, 'two'))
      .thenEvents();
    expect(paid).toMatchObject([{ type: 'PaymentSucceeded', data: { transactionId: second } }]);
    given(...tried, ...paid)
      .when(says(ids.transactionId, 'one'))
      .thenNothing();
  });

  it('counts once when the second one finds it afterwards, and ends that one', () => {
    const late = given(...tried)
      .when(says(ids.transactionId, 'one'))
      .thenEvents();
    expect(late).toMatchObject([{ type: 'PaymentSucceeded', data: { isLate: true } }]);
    expect(
      given(...tried, ...late)
        .when(says(second, 'two'))
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentAborted', data: { transactionId: second, reason: 'paid-meanwhile' } }]);
  });
});
