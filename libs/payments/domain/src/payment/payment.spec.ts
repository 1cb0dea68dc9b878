import { specificationOf } from '@billstream/event-sourcing/testing';
import { type Currency, type Instant, plusMs } from '@billstream/kernel';
import type { TransactionType } from '@billstream/payments-contracts';
import type { AttemptOutcome } from '../invoice-payments/attempt-outcome';
import { type Opening, type PaymentCommand, type RequestTransaction, payment } from './payment.decider';
import type { PaymentEvent } from './payment.events';
import { refundableMinor } from './charges';
import { capturableMinor } from './payment';

const { given } = specificationOf(payment);
const now = '2026-01-01T00:00:00.000Z' as Instant;
const usd = 'USD' as Currency;
const paidBy = { paymentMethodId: 'method-1', pluginName: 'killbill-payment-test', credential: 'test-1' };
const direct: Opening = {
  ...{ paymentId: 'payment-1', accountId: 'account-1', invoiceId: null, externalKey: 'order-1', currency: usd },
  ...{ paidBy, purchases: [] },
};
const ofInvoice: Opening = {
  ...{ ...direct, invoiceId: 'invoice-1', externalKey: 'payment-1' },
  purchases: [
    { transactionId: 'purchase-1', externalKey: 'purchase-1', amountMinor: 2_000, gatewayRef: 'T-1', at: now },
  ],
};
const ask = (
  transactionType: TransactionType,
  amountMinor: number | null,
  more: Partial<RequestTransaction['data']> = {},
): RequestTransaction => {
  const id = `${transactionType.toLowerCase()}-${String(amountMinor)}`;
  const asked = { transactionId: id, externalKey: id, transactionType, amountMinor, currency: null, opening: null };
  const how = { isRecordOnly: false, isAdjusted: false, itemAdjustments: [], now };
  return { type: 'RequestTransaction', data: { ...asked, ...how, ...more } };
};
const sent = (transactionId: string, holder = 'one', more: object = {}): PaymentCommand => ({
  type: 'DispatchTransaction',
  data: { transactionId, holder, after: null, isCompletion: false, dispatchedAt: now, now, ...more },
});
const said = (transactionId: string, outcome: AttemptOutcome, holder: string | null = 'one'): PaymentCommand => ({
  type: 'RecordTransactionOutcome',
  data: { transactionId, holder, outcome, now },
});
const success = (amountMinor: number): AttemptOutcome => ({
  ...{ kind: 'succeeded', gatewayRef: 'T-2', amountMinor, currency: 'USD', feeMinor: null, movedAt: now },
  isAdopted: false,
});
const decline: AttemptOutcome = {
  ...{ kind: 'declined', hardness: 'soft', code: 'no-funds', message: 'no' },
  ...{ isUnlisted: false, retryNotBefore: null },
};
const pending: AttemptOutcome = { kind: 'pending', why: 'review', gatewayRef: 'T-3' };
const unknown: AttemptOutcome = { kind: 'unknown', code: 'ECONNRESET' };

/** Past events, made by the commands that make them. */
const after = (...commands: readonly PaymentCommand[]): readonly PaymentEvent[] =>
  commands.reduce<readonly PaymentEvent[]>(
    (past, command) => [
      ...past,
      ...given(...past)
        .when(command)
        .thenEvents(),
    ],
    [],
  );
const stateOf = (past: readonly PaymentEvent[]) => past.reduce(payment.evolve, payment.initial);
/** A transaction from the request to its success. */
const done = (
  type: TransactionType,
  amountMinor: number,
  opening: Opening | null = null,
): readonly PaymentCommand[] => {
  const id = `${type.toLowerCase()}-${String(amountMinor)}`;
  return [ask(type, amountMinor, { opening }), sent(id), said(id, success(amountMinor))];
};

describe('a payment that somebody asks for', () => {
  it('begins with its first transaction, on record before anything is sent', () => {
    const events = given()
      .when(ask('AUTHORIZE', 1_000, { opening: direct }))
      .thenEvents();
    expect(events.map(({ type }) => type)).toEqual(['PaymentOpened', 'TransactionRequested']);
  });
  it('is not there unless it was opened', () =>
    given().when(ask('CAPTURE', 1_000)).thenRejected({ code: 'payment-unknown' }));
  it.each<[TransactionType, readonly TransactionType[]]>([
    ['AUTHORIZE', ['CAPTURE', 'VOID']],
    ['PURCHASE', ['REFUND', 'CHARGEBACK']],
    ['CREDIT', []],
  ])('after %s goes on with %j only', (beginning, allowed) => {
    const past = after(...done(beginning, 1_000, direct));
    const all: readonly TransactionType[] = [
      'AUTHORIZE',
      'CAPTURE',
      'PURCHASE',
      'REFUND',
      'CREDIT',
      'VOID',
      'CHARGEBACK',
    ];
    for (const type of all) {
      const decision = payment.decide(ask(type, 500), stateOf(past));
      if (allowed.includes(type)) expect(decision).toMatchObject({ events: [{ type: 'TransactionRequested' }] });
      else expect(decision).toMatchObject({ rejected: { code: 'operation-not-allowed', after: beginning } });
    }
  });
  it('captures no more than was authorised, in parts', () => {
    const past = after(...done('AUTHORIZE', 1_000, direct), ...done('CAPTURE', 400));
    expect(capturableMinor(stateOf(past))).toBe(600);
    given(...past)
      .when(ask('CAPTURE', 601))
      .thenRejected({ code: 'amount-too-high', transactionType: 'CAPTURE', availableMinor: 600 });
    expect(
      given(...past)
        .when(ask('CAPTURE', null))
        .thenEvents()[0],
    ).toMatchObject({ data: { amountMinor: 600 } });
  });
  it('voids what was authorised, and moves nothing by that', () => {
    const past = after(...done('AUTHORIZE', 1_000, direct), ask('VOID', null), sent('void-null'));
    const [event] = given(...past)
      .when(said('void-null', success(1_000)))
      .thenEvents();
    expect(event).toMatchObject({ type: 'TransactionSucceeded', data: { transactionType: 'VOID', amountMinor: 0 } });
    expect(capturableMinor(stateOf([...past, event!]))).toBe(0);
  });
  it('takes a key once, and again when what had it has failed', () => {
    const id = 'purchase-1000';
    const failed = after(ask('PURCHASE', 1_000, { opening: direct }), sent(id), said(id, decline));
    const again = ask('PURCHASE', 1_000, { transactionId: 'second', externalKey: id });
    expect(
      given(...failed)
        .when(again)
        .thenEvents(),
    ).toHaveLength(1);
    given(...after(...done('PURCHASE', 1_000, direct)))
      .when(again)
      .thenRejected({ code: 'transaction-key-exists', externalKey: id });
  });
  it('is in one currency, of one account', () => {
    const past = after(...done('PURCHASE', 1_000, direct));
    given(...past)
      .when(ask('REFUND', 500, { currency: 'EUR' }))
      .thenRejected({ code: 'currency-differs', currency: 'USD' });
    given(...past)
      .when(ask('REFUND', 500, { opening: { ...direct, accountId: 'account-2' } }))
      .thenRejected({ code: 'account-differs', accountId: 'account-1' });
  });
});

describe('refunds and chargebacks of an invoice’s payment', () => {
  it('begin with what the payment had moved', () => {
    const past = after(ask('REFUND', 500, { opening: ofInvoice }));
    expect(past[0]).toMatchObject({ type: 'PaymentOpened', data: { purchase: { amountMinor: 2_000 } } });
  });
  it('give back no more than was paid', () => {
    const past = after(...done('REFUND', 1_500, ofInvoice));
    expect(refundableMinor(stateOf(past))).toBe(500);
    given(...past)
      .when(ask('REFUND', 501))
      .thenRejected({ code: 'amount-too-high', transactionType: 'REFUND', availableMinor: 500 });
    expect(
      given(...past)
        .when(ask('CHARGEBACK', null, { isRecordOnly: true }))
        .thenEvents(),
    ).toMatchObject([
      { type: 'TransactionRequested', data: { amountMinor: 500, isRecordOnly: true } },
      { type: 'TransactionSucceeded', data: { amountMinor: 500, gatewayRef: null } },
    ]);
  });
  it('carry the items they adjust to the end', () => {
    const itemAdjustments = [{ invoiceItemId: 'item-1', amountMinor: null }];
    const asked = ask('REFUND', 500, { opening: ofInvoice, isAdjusted: true, itemAdjustments });
    const past = after(asked, sent('refund-500'), said('refund-500', success(500)));
    expect(past.at(-1)).toMatchObject({ type: 'TransactionSucceeded', data: { isAdjusted: true, itemAdjustments } });
  });
  it('do not run beside each other', () =>
    given(...after(ask('REFUND', 500, { opening: ofInvoice })))
      .when(ask('REFUND', 400))
      .thenRejected({ code: 'transaction-under-way', transactionId: 'refund-500' }));
  it('may follow a chargeback that was reversed, and only then a refund', () => {
    const past = after(ask('CHARGEBACK', 2_000, { opening: ofInvoice, isRecordOnly: true }));
    given(...past)
      .when(ask('REFUND', 500))
      .thenRejected({ code: 'operation-not-allowed', transactionType: 'REFUND', after: 'CHARGEBACK' });
    const reverse = { type: 'ReverseChargeback', data: { reversalId: 'r-1', externalKey: null, now } } as const;
    const reversed = [
      ...past,
      ...given(...past)
        .when(reverse)
        .thenEvents(),
    ];
    expect(reversed.at(-1)).toMatchObject({ type: 'ChargebackReversed', data: { transactionId: 'chargeback-2000' } });
    expect(refundableMinor(stateOf(reversed))).toBe(2_000);
    given(...reversed)
      .when(reverse)
      .thenRejected({ code: 'chargeback-unknown' });
    expect(
      given(...reversed)
        .when(ask('REFUND', 500))
        .thenEvents(),
    ).toHaveLength(1);
  });
});

describe('a transaction', () => {
  const past = after(ask('PURCHASE', 1_000, { opening: direct }), sent('purchase-1000'));
  const id = 'purchase-1000';
  it('is sent by the first who asks, and again only on the proof that this call moved nothing', () => {
    given(...past)
      .when(sent(id, 'two'))
      .thenNothing();
    const [again] = given(...past)
      .when(sent(id, 'two', { after: 'one' }))
      .thenEvents();
    given(...past, again!)
      .when(sent(id, 'three', { after: 'one' }))
      .thenNothing();
    given(...past, again!)
      .when(said(id, decline, 'one'))
      .thenNothing();
    expect(
      given(...past, again!)
        .when(said(id, success(1_000), 'one'))
        .thenEvents(),
    ).toMatchObject([{ type: 'TransactionSucceeded' }]);
  });
  it('is not tried again when it fails', () =>
    expect(
      given(...past)
        .when(said(id, decline))
        .thenEvents(),
    ).toMatchObject([{ type: 'TransactionFailed', data: { status: 'PAYMENT_FAILURE', code: 'no-funds' } }]));
  it('stays unknown, and is looked for', () =>
    expect(
      given(...past)
        .when(said(id, unknown))
        .thenEvents(),
    ).toMatchObject([{ type: 'TransactionUnknown', data: { look: 1, nextLookAt: plusMs(now, 300_000) } }]));
  it('is completed under its own key when the payer has done what was asked for', () => {
    const waiting = [
      ...past,
      ...given(...past)
        .when(said(id, pending))
        .thenEvents(),
    ];
    given(...waiting)
      .when(sent(id, 'two', { after: 'one' }))
      .thenNothing();
    expect(
      given(...waiting)
        .when(sent(id, 'two', { after: 'one', isCompletion: true }))
        .thenEvents(),
    ).toMatchObject([{ type: 'TransactionDispatched', data: { holder: 'two' } }]);
  });
  it('in another currency is nobody’s to decide but a person’s', () =>
    expect(
      given(...past)
        .when(said(id, { ...success(1_000), currency: 'EUR' } as AttemptOutcome))
        .thenEvents(),
    ).toMatchObject([{ type: 'TransactionUnknown', data: { code: 'currency-differs', nextLookAt: null } }]));
  it('becomes what an operator says, and the sums with it', () => {
    const correct = (state: 'SUCCESS' | 'PAYMENT_FAILURE') =>
      ({ type: 'CorrectTransaction', data: { transactionId: id, state, now } }) as const;
    const paid = [
      ...past,
      ...given(...past)
        .when(correct('SUCCESS'))
        .thenEvents(),
    ];
    expect(refundableMinor(stateOf(paid))).toBe(1_000);
    const unpaid = [
      ...paid,
      ...given(...paid)
        .when(correct('PAYMENT_FAILURE'))
        .thenEvents(),
    ];
    expect(refundableMinor(stateOf(unpaid))).toBe(0);
    given(...unpaid)
      .when(correct('PAYMENT_FAILURE'))
      .thenNothing();
  });
});
