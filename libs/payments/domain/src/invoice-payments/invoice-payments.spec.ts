import { specificationOf } from '@billstream/event-sourcing/testing';
import { type Currency, type Instant, type LocalDate, plusMs } from '@billstream/kernel';
import type { AttemptOutcome } from './attempt-outcome';
import { type InvoicePaymentsCommand, invoicePayments } from './invoice-payments.decider';
import type { ChargedMethod, CommittedInvoice, InvoicePaymentsEvent } from './invoice-payments.events';
import { owedMinor } from './invoice-payments';

const { given } = specificationOf(invoicePayments);

const now = '2026-01-01T00:00:00.000Z' as Instant;
const minutes = 60_000;
const days = 24 * 60 * minutes;
const later = (ms: number): Instant => plusMs(now, ms);
const method: ChargedMethod = { paymentMethodId: 'method-1', pluginName: 'paypal', credential: 'B-1' };
const invoice: CommittedInvoice = {
  ...{ invoiceId: 'invoice-1', accountId: 'account-1', invoiceNumber: '1', invoiceDate: '2026-01-01' as LocalDate },
  ...{ currency: 'USD' as Currency, amountMinor: 2_000, balanceMinor: 2_000, asOf: 5 },
};
const committed = (
  change: Partial<CommittedInvoice> = {},
  by: ChargedMethod | null = method,
): InvoicePaymentsCommand => ({
  type: 'RecordInvoice',
  data: { invoice: { ...invoice, ...change }, method: by, isDelegatedToParent: false, isManualPay: false, now },
});

/** Past events, made by the commands that make them. */
const after = (...commands: readonly InvoicePaymentsCommand[]): readonly InvoicePaymentsEvent[] => {
  const events: InvoicePaymentsEvent[] = [];
  for (const command of commands)
    events.push(
      ...given(...events)
        .when(command)
        .thenEvents(),
    );
  return events;
};
const openOf = (events: readonly InvoicePaymentsEvent[]) => {
  const { open } = events.reduce(invoicePayments.evolve, invoicePayments.initial);
  if (open === null) throw new Error('no attempt is open');
  return open;
};
const first = openOf(after(committed()));
const dispatch = (holder = 'one', more: { transactionId?: string; after?: string; at?: Instant } = {}) => ({
  type: 'DispatchPayment' as const,
  data: {
    transactionId: more.transactionId ?? first.transactionId,
    ...{ holder, after: more.after ?? null, dispatchedAt: now, now: more.at ?? now },
  },
});
const outcome = (result: AttemptOutcome, transactionId = first.transactionId, at = now): InvoicePaymentsCommand => ({
  type: 'RecordOutcome',
  data: { transactionId, holder: 'one', outcome: result, now: at },
});
const success: AttemptOutcome = {
  ...{ kind: 'succeeded', gatewayRef: 'T-1', amountMinor: 2_000, currency: 'USD', feeMinor: 88 },
  ...{ movedAt: '2026-01-01T00:00:01Z', isAdopted: false },
};
const decline: AttemptOutcome = {
  ...{ kind: 'declined', hardness: 'soft', code: '10539', message: 'no' },
  ...{ isUnlisted: false, retryNotBefore: null },
};
const unknown: AttemptOutcome = { kind: 'unknown', code: 'ECONNRESET' };
const unreachable: AttemptOutcome = { kind: 'not-executed', why: 'unreachable', code: 'ECONNREFUSED', message: null };
const retry = (at: Instant, by: ChargedMethod | null = method): InvoicePaymentsCommand => ({
  type: 'RetryPayment',
  data: { paymentId: first.paymentId, method: by, isManualPay: false, now: at },
});
const balance = (balanceMinor: number, asOf = 6, purchasedMinor: number | null = null): InvoicePaymentsCommand => ({
  type: 'RecordBalance',
  data: { balanceMinor, asOf, purchasedMinor },
});
const pay = (amountMinor: number | null = null): InvoicePaymentsCommand => ({
  type: 'PayInvoice',
  data: { method, amountMinor, now },
});
const typesOf = (events: readonly InvoicePaymentsEvent[]): readonly string[] => events.map(({ type }) => type);
const sent = (): readonly InvoicePaymentsEvent[] => after(committed(), dispatch());

describe('a committed invoice', () => {
  it('opens a payment of its balance with the default method, before anything is sent', () => {
    const events = given().when(committed()).thenEvents();
    expect(typesOf(events)).toEqual(['InvoiceRecorded', 'PaymentRequested']);
    expect(events[1]?.data).toMatchObject({ amountMinor: 2_000, credential: 'B-1', attempt: 1 });
  });
  it('opens none when nothing is due', () =>
    expect(
      typesOf(
        given()
          .when(committed({ balanceMinor: 0 }))
          .thenEvents(),
      ),
    ).toEqual(['InvoiceRecorded']));
  it('records that the account has no default method', () =>
    expect(given().when(committed({}, null)).thenEvents()[1]).toMatchObject({
      type: 'PaymentSkipped',
      data: { reason: 'no-default-method' },
    }));
  it('leaves the payment to the parent where it is delegated', () => {
    const { data } = committed() as Extract<InvoicePaymentsCommand, { type: 'RecordInvoice' }>;
    const delegated = { type: 'RecordInvoice' as const, data: { ...data, isDelegatedToParent: true } };
    expect(typesOf(given().when(delegated).thenEvents())).toEqual(['InvoiceRecorded', 'PaymentSkipped']);
  });
  it('is recorded once', () =>
    given(...after(committed()))
      .when(committed())
      .thenNothing());
  it('names the same payment and transaction whenever it is decided', () =>
    expect(openOf(after(committed()))).toEqual(first));
});

describe('sending', () => {
  it('is granted to the first who asks', () => {
    const state = sent().reduce(invoicePayments.evolve, invoicePayments.initial);
    expect(state.open).toMatchObject({ status: 'dispatched', holder: 'one' });
    given(...sent())
      .when(dispatch('two'))
      .thenNothing();
  });
  it('is granted again only after it was proven that nothing moved', () => {
    const [event] = given(...sent())
      .when(dispatch('two', { after: 'one' }))
      .thenEvents();
    expect(event).toMatchObject({ type: 'PaymentDispatched', data: { holder: 'two' } });
  });
  it('does not happen when the invoice was paid meanwhile', () => {
    const [event] = given(...after(committed(), balance(0)))
      .when(dispatch())
      .thenEvents();
    expect(event).toMatchObject({ type: 'PaymentAborted', data: { reason: 'paid-meanwhile' } });
  });
  it('gives way to a smaller attempt when credit came in meanwhile', () => {
    const events = given(...after(committed(), balance(500)))
      .when(dispatch())
      .thenEvents();
    expect(typesOf(events)).toEqual(['PaymentAborted', 'PaymentRequested']);
    expect(events[1]?.data).toMatchObject({ amountMinor: 500, paymentId: first.paymentId, attempt: 2 });
  });
});

describe('a success', () => {
  it('pays the invoice and ends the attempt', () => {
    const state = after(committed(), dispatch(), outcome(success)).reduce(
      invoicePayments.evolve,
      invoicePayments.initial,
    );
    expect(state.open).toBeNull();
    expect(owedMinor(state)).toBe(0);
  });
  it('is recorded once, however often it is reported', () =>
    given(...after(committed(), dispatch(), outcome(success)))
      .when(outcome(success))
      .thenNothing());
  it('in another currency is nobody’s to decide but a person’s', () =>
    expect(
      given(...sent())
        .when(outcome({ ...success, currency: 'EUR' }))
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentUnknown', data: { code: 'currency-differs', nextLookAt: null } }]));
  it('that shows up after the attempt was given up is not lost', () => {
    const past = after(committed(), dispatch(), outcome(unreachable));
    expect(
      given(...past)
        .when(outcome(success))
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentSucceeded', data: { isLate: true, amountMinor: 2_000 } }]);
  });
  it('is not undone by a balance from before invoicing had heard of it', () => {
    const paid = after(committed(), dispatch(), outcome(success));
    given(...paid)
      .when(balance(2_000))
      .thenNothing();
    given(...paid)
      .when(pay())
      .thenRejected({ code: 'nothing-owed' });
  });
  it('is not undone by an old balance that is delivered after a newer one', () => {
    const told = after(committed(), dispatch(), outcome(success), balance(0, 9));
    given(...told)
      .when(balance(2_000, 7))
      .thenNothing();
  });
  it('is followed by a payment of its own when the invoice asks for money again', () => {
    const again = after(committed(), dispatch(), outcome(success), balance(0, 7), balance(300, 8), pay());
    const open = openOf(again);
    expect(open).toMatchObject({ amountMinor: 300 });
    expect(open.paymentId).not.toBe(first.paymentId);
  });
});

describe('a decline', () => {
  it('is tried again after 8, 8 and 8 days, each time under a new key, then no more', () => {
    let past = after(committed(), dispatch(), outcome(decline));
    for (let nth = 1; nth <= 3; nth += 1) {
      const at = later(nth * 8 * days);
      expect(past.at(-1)).toMatchObject({ type: 'RetryScheduled', data: { retryAt: at } });
      past = [
        ...past,
        ...given(...past)
          .when(retry(at))
          .thenEvents(),
      ];
      const { transactionId, paymentId } = openOf(past);
      expect(paymentId).toBe(first.paymentId);
      past = [
        ...past,
        ...given(...past)
          .when(dispatch('one', { transactionId, at }))
          .thenEvents(),
      ];
      past = [
        ...past,
        ...given(...past)
          .when(outcome(decline, transactionId, at))
          .thenEvents(),
      ];
    }
    expect(past.at(-1)).toMatchObject({ type: 'PaymentAborted', data: { reason: 'retries-exhausted' } });
    const keys = past.flatMap((event) => (event.type === 'PaymentRequested' ? [event.data.transactionId] : []));
    expect(new Set(keys).size).toBe(4);
  });
  it('for good is not tried again', () =>
    expect(
      given(...sent())
        .when(outcome({ ...decline, hardness: 'hard' }))
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentDeclined' }, { type: 'PaymentAborted', data: { reason: 'method-unusable' } }]));
  it('with a code that nobody knows is tried once more only', () => {
    const odd: AttemptOutcome = { ...decline, code: '19999', isUnlisted: true };
    const past = after(committed(), dispatch(), outcome(odd), retry(later(8 * days)));
    const { transactionId } = openOf(past);
    const again = [
      ...past,
      ...given(...past)
        .when(dispatch('one', { transactionId }))
        .thenEvents(),
    ];
    expect(
      given(...again)
        .when(outcome(odd, transactionId))
        .thenEvents()[1],
    ).toMatchObject({ type: 'PaymentAborted' });
  });
  it('waits longer when the network says so', () =>
    expect(
      given(...sent())
        .when(outcome({ ...decline, retryNotBefore: later(10 * days) }))
        .thenEvents()[1],
    ).toMatchObject({
      data: { retryAt: later(10 * days) },
    }));
});

describe('a retry', () => {
  const waiting = after(committed(), dispatch(), outcome(decline));
  it('is dropped when the invoice was paid meanwhile', () => {
    const events = given(
      ...waiting,
      ...given(...waiting)
        .when(balance(0))
        .thenEvents(),
    )
      .when(retry(later(8 * days)))
      .thenEvents();
    expect(events).toMatchObject([{ type: 'PaymentAborted', data: { reason: 'paid-meanwhile' } }]);
  });
  it('is dropped when there is no method any more', () =>
    expect(
      given(...waiting)
        .when(retry(later(8 * days), null))
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentAborted', data: { reason: 'no-method' } }]));
  it('charges the method that is the default by then', () => {
    const other = { ...method, paymentMethodId: 'method-2', credential: 'B-2' };
    expect(
      given(...waiting)
        .when(retry(later(8 * days), other))
        .thenEvents(),
    ).toMatchObject([{ type: 'PaymentRequested', data: { credential: 'B-2', attempt: 2 } }]);
  });
  it('that is delivered before its time, or twice, does nothing', () => {
    given(...waiting)
      .when(retry(later(days)))
      .thenNothing();
    const retried = [
      ...waiting,
      ...given(...waiting)
        .when(retry(later(8 * days)))
        .thenEvents(),
    ];
    given(...retried)
      .when(retry(later(8 * days)))
      .thenNothing();
  });
});

describe('an attempt that did not reach the provider', () => {
  it('is tried again after 5 minutes, and counts as no decline', () => {
    const past = after(committed(), dispatch(), outcome(unreachable));
    expect(past.at(-1)).toMatchObject({ type: 'RetryScheduled', data: { retryAt: later(5 * minutes) } });
    expect(past.reduce(invoicePayments.evolve, invoicePayments.initial)).toMatchObject({ declines: 0, failures: 1 });
  });
  it('is given up at once when the provider can never take the amount', () =>
    expect(
      given(...sent())
        .when(outcome({ ...unreachable, why: 'invalid' }))
        .thenEvents()[1],
    ).toMatchObject({
      data: { reason: 'not-expressible' },
    }));
});

describe('a lost answer', () => {
  it('leaves the attempt open and is looked for after 5 minutes, an hour, then daily, five times', () => {
    let past = sent();
    const waits: (number | null)[] = [];
    for (let look = 1; look <= 8; look += 1) {
      const [event] = given(...past)
        .when(outcome(unknown))
        .thenEvents();
      if (event?.type !== 'PaymentUnknown') throw new Error('not unknown');
      waits.push(
        event.data.nextLookAt === null ? null : (Date.parse(event.data.nextLookAt) - Date.parse(now)) / minutes,
      );
      past = [...past, event];
    }
    expect(waits).toEqual([5, 60, 1440, 1440, 1440, 1440, 1440, null]);
    expect(openOf(past)).toMatchObject({ status: 'unknown' });
  });
  it('blocks every other payment of the invoice', () => {
    const past = after(committed(), dispatch(), outcome(unknown));
    given(...past)
      .when(pay())
      .thenRejected({ code: 'payment-under-way', transactionId: first.transactionId });
    given(...past)
      .when(retry(later(30 * days)))
      .thenNothing();
    given(...past)
      .when(dispatch('two'))
      .thenNothing();
  });
  it('ends with what the provider’s records say', () =>
    expect(
      typesOf(
        given(...after(committed(), dispatch(), outcome(unknown)))
          .when(outcome(success))
          .thenEvents(),
      ),
    ).toEqual(['PaymentSucceeded']));
});

describe('paying on request', () => {
  const unpaid = after(committed({}, null));
  it('pays what is owed, or a part of it', () => {
    expect(
      given(...unpaid)
        .when(pay())
        .thenEvents(),
    ).toMatchObject([{ data: { amountMinor: 2_000 } }]);
    expect(
      given(...unpaid)
        .when(pay(700))
        .thenEvents(),
    ).toMatchObject([{ data: { amountMinor: 700 } }]);
  });
  it('is refused above what is owed, without a method, and for an unknown invoice', () => {
    given(...unpaid)
      .when(pay(2_001))
      .thenRejected({ code: 'amount-above-balance', owedMinor: 2_000 });
    given(...unpaid)
      .when({ type: 'PayInvoice', data: { method: null, amountMinor: null, now } })
      .thenRejected({ code: 'no-method' });
    given().when(pay()).thenRejected({ code: 'invoice-unknown' });
  });
  it('records money that came another way without calling anybody', () =>
    expect(
      typesOf(
        given(...unpaid)
          .when({
            type: 'RecordExternalPayment',
            data: { paymentMethodId: 'external', pluginName: 'external', amountMinor: null, now },
          })
          .thenEvents(),
      ),
    ).toEqual(['PaymentRequested', 'PaymentSucceeded']));
});
