import { specificationOf } from '@billstream/event-sourcing/testing';
import type { Currency, Instant } from '@billstream/kernel';
import type { TransactionType } from '@billstream/payments-contracts';
import { isWholeRefund, refundableMinor, referredTo } from './charges';
import { openTransaction } from './payment';
import { type Opening, type PaymentCommand, payment } from './payment.decider';
import type { PaymentEvent } from './payment.events';

const { given } = specificationOf(payment);
const now = '2026-01-01T00:00:00.000Z' as Instant;
const purchase = (nth: number, amountMinor = 2_000) => {
  const transactionId = `purchase-${String(nth)}`;
  return { transactionId, externalKey: transactionId, amountMinor, gatewayRef: `T-${String(nth)}`, at: now };
};
const opening = (...purchases: Opening['purchases']): Opening => ({
  ...{ paymentId: 'payment-1', accountId: 'account-1', invoiceId: 'invoice-1', externalKey: 'payment-1' },
  ...{ currency: 'USD' as Currency, purchases },
  paidBy: { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' },
});
const twice = opening(purchase(1), purchase(2));

type Asked = { readonly type: TransactionType; readonly amountMinor: number | null; readonly opening?: Opening };
const ask = (id: string, { type, amountMinor, opening: began = twice }: Asked): PaymentCommand => ({
  type: 'RequestTransaction',
  data: {
    ...{ opening: began, transactionId: id, externalKey: id, transactionType: type, amountMinor, currency: null, now },
    ...{ isRecordOnly: type === 'CHARGEBACK', isAdjusted: false, itemAdjustments: [] },
  },
});
const ended = (id: string, kind: 'succeeded' | 'not-executed', amountMinor = 0): readonly PaymentCommand[] => [
  {
    type: 'DispatchTransaction',
    data: { transactionId: id, holder: id, after: null, isCompletion: false, dispatchedAt: now, now },
  },
  {
    type: 'RecordTransactionOutcome',
    data: {
      ...{ transactionId: id, holder: id, now },
      outcome:
        kind === 'succeeded'
          ? { kind, gatewayRef: id, amountMinor, currency: 'USD', feeMinor: null, movedAt: now, isAdopted: false }
          : { kind, why: 'unreachable', code: null, message: null },
    },
  },
];
const refund = (id: string, amountMinor: number): readonly PaymentCommand[] => [
  ask(id, { type: 'REFUND', amountMinor }),
  ...ended(id, 'succeeded', amountMinor),
];
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
const stateOf = (events: readonly PaymentEvent[]) => events.reduce(payment.evolve, payment.initial);
/** What a refund of all that can be given back at once refers to. */
const nextRefund = (...commands: readonly PaymentCommand[]) => {
  const state = stateOf(after(...commands, ask('next', { type: 'REFUND', amountMinor: null })));
  const open = openTransaction(state);
  if (open === null) throw new Error('no refund is open');
  return {
    amountMinor: open.amountMinor,
    refersTo: referredTo(state, open)?.gatewayRef,
    isWhole: isWholeRefund(state, open),
  };
};

describe('a payment that moved money twice', () => {
  it('is refunded charge by charge, each by its own name at the provider', () => {
    expect(nextRefund()).toEqual({ amountMinor: 2_000, refersTo: 'T-1', isWhole: true });
    expect(nextRefund(...refund('first', 2_000))).toEqual({ amountMinor: 2_000, refersTo: 'T-2', isWhole: true });
    const both = stateOf(after(...refund('first', 2_000), ...refund('second', 2_000)));
    expect(refundableMinor(both)).toBe(0);
  });

  it('gives back in one refund no more than is left of one charge', () => {
    given()
      .when(ask('r', { type: 'REFUND', amountMinor: 2_001 }))
      .thenRejected({ code: 'amount-too-high', transactionType: 'REFUND', availableMinor: 2_000 });
    const parts = [...refund('first', 1_500), ...refund('second', 1_000)];
    expect(nextRefund(...parts)).toEqual({ amountMinor: 1_000, refersTo: 'T-2', isWhole: false });
  });

  it('is known to have done so also when the second charge shows up after a refund', () => {
    const early = ask('early', { type: 'REFUND', amountMinor: 2_000, opening: opening(purchase(1)) });
    const past = [early, ...ended('early', 'succeeded', 2_000)];
    expect(nextRefund(...past)).toEqual({ amountMinor: 2_000, refersTo: 'T-2', isWhole: true });
    expect(after(...past, ask('r', { type: 'REFUND', amountMinor: 1 })).filter(isFound)).toHaveLength(1);
  });
});

const isFound = ({ type }: PaymentEvent): boolean => type === 'PurchaseFound';

describe('what somebody says of a transaction', () => {
  const correct = (transactionId: string, state: 'SUCCESS' | 'PENDING' | 'PAYMENT_FAILURE'): PaymentCommand => ({
    type: 'CorrectTransaction',
    data: { transactionId, state, now },
  });
  const once = { opening: opening(purchase(1)) };

  it('is refused where more would have been given back than was charged', () => {
    const failed = [ask('failed', { type: 'REFUND', amountMinor: 1_500, ...once }), ...ended('failed', 'not-executed')];
    const past = [
      ...failed,
      ask('r', { type: 'REFUND', amountMinor: 1_000, ...once }),
      ...ended('r', 'succeeded', 1_000),
    ];
    given(...after(...past))
      .when(correct('failed', 'SUCCESS'))
      .thenRejected({ code: 'amount-too-high', transactionType: 'REFUND', availableMinor: 1_000 });
    expect(refundableMinor(stateOf(after(...failed, correct('failed', 'SUCCESS'))))).toBe(500);
  });

  it('is refused where it would leave two transactions without an end', () => {
    const failed = [ask('failed', { type: 'REFUND', amountMinor: 500, ...once }), ...ended('failed', 'not-executed')];
    given(...after(...failed, ask('r', { type: 'REFUND', amountMinor: 1_000, ...once })))
      .when(correct('failed', 'PENDING'))
      .thenRejected({ code: 'transaction-under-way', transactionId: 'r' });
  });
});
