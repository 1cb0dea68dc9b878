import { specificationOf } from '@billstream/event-sourcing/testing';
import type { Currency, Instant, LocalDate } from '@billstream/kernel';
import fc from 'fast-check';
import { chargeableMinor } from './invoice-payments';
import { type InvoicePaymentsCommand, invoicePayments } from './invoice-payments.decider';
import type { InvoicePaymentsEvent } from './invoice-payments.events';

const { given } = specificationOf(invoicePayments);

const now = '2026-01-01T00:00:00.000Z' as Instant;
const invoice = {
  ...{ invoiceId: 'invoice-1', accountId: 'account-1', invoiceNumber: '1', invoiceDate: '2026-01-01' as LocalDate },
  ...{ currency: 'USD' as Currency, amountMinor: 2_000, balanceMinor: 2_000, asOf: 1 },
};
const committed: InvoicePaymentsCommand = {
  type: 'RecordInvoice',
  data: { invoice, method: null, isDelegatedToParent: false, isManualPay: false, now },
};
const paid = (amountMinor: number): InvoicePaymentsCommand => ({
  type: 'RecordExternalPayment',
  data: { paymentMethodId: 'external', pluginName: 'external', amountMinor, now },
});
const balance = (balanceMinor: number, asOf: number, purchasedMinor: number | null): InvoicePaymentsCommand => ({
  type: 'RecordBalance',
  data: { balanceMinor, asOf, purchasedMinor },
});
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
const leftAfter = (...commands: readonly InvoicePaymentsCommand[]): number =>
  chargeableMinor(after(...commands).reduce(invoicePayments.evolve, invoicePayments.initial));

describe('what is left to be charged', () => {
  it('is not more because an adjustment was told before the payment was counted', () => {
    // 20.00, of which 5.00 came another way; invoicing adjusts by 8.00 and has not heard of that.
    expect(leftAfter(committed, paid(500), balance(1_200, 2, 0))).toBe(700);
    expect(leftAfter(committed, paid(500), balance(1_200, 2, 0), balance(700, 3, 500))).toBe(700);
  });

  it('grows with the invoice although a payment is not counted yet', () =>
    expect(leftAfter(committed, paid(2_000), balance(2_300, 2, 0))).toBe(300));

  it('is what a balance says that counts all payments, even above our own figure', () => {
    const refunded = [committed, paid(2_000), balance(2_000, 3, 2_000)];
    expect(leftAfter(...refunded)).toBe(2_000);
  });

  it('is not believed to be more by a balance that says nothing of payments', () =>
    expect(leftAfter(committed, paid(500), balance(2_000, 2, null))).toBe(1_500));

  it('is what the invoice asks for less what was paid, in whatever order the two hear of each other', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('pay' as const), minor: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ do: fc.constant('charge' as const), minor: fc.integer({ min: -400, max: 400 }) }),
      fc.record({ do: fc.constant('hear' as const) }),
      fc.record({ do: fc.constant('tell' as const), late: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let events = after(committed);
        const books = { charged: 2_000, moved: 0, counted: 0 };
        const told: InvoicePaymentsCommand[] = [];
        const issue = (command: InvoicePaymentsCommand): void => {
          const decision = invoicePayments.decide(
            command,
            events.reduce(invoicePayments.evolve, invoicePayments.initial),
          );
          if (!('rejected' in decision)) events = [...events, ...decision.events];
          if (command.type === 'RecordExternalPayment' && !('rejected' in decision))
            books.moved += command.data.amountMinor ?? 0;
        };
        const say = (): void => {
          told.push(balance(books.charged - books.counted, told.length + 2, books.counted));
        };
        for (const one of steps) {
          if (one.do === 'pay') issue(paid(one.minor));
          if (one.do === 'charge') books.charged += one.minor;
          if (one.do === 'hear') books.counted = books.moved;
          if (one.do === 'charge' || one.do === 'hear') say();
          const message = one.do === 'tell' ? told.at(-1 - one.late) : undefined;
          if (message !== undefined) issue(message);
        }
        say();
        issue(told.at(-1) ?? committed);
        const state = events.reduce(invoicePayments.evolve, invoicePayments.initial);
        expect(chargeableMinor(state)).toBe(books.charged - books.moved);
      }),
    );
  });
});
