import { at, currency, phase, simulatedAccount, transition } from '../../testing/simulated-account';
import { accountBalance } from '../credit';
import { balanceOf } from '../invoice-totals';
import { entryOf } from '../book';

const now = at('2018-10-06');

/** An account whose only invoice, of 20.00, is void. */
const voided = () => {
  const system = simulatedAccount();
  system.record();
  system.subscribe(transition('START', '2018-10-06', phase()));
  const invoiceId = system.invoices()[0]?.invoiceId ?? '';
  system.issue({ type: 'VoidInvoice', invoiceId, now });
  const refund = (amountMinor: number, more: { readonly isAdjusted?: boolean } = {}) =>
    system.issue({
      type: 'RecordPayment',
      payment: {
        ...{ accountId: 'account-1', invoiceId, paymentId: 'payment', transactionId: 'refund' },
        ...{ transactionType: 'REFUND', status: 'SUCCESS', amountMinor, currency: currency('USD'), effectiveAt: now },
        ...more,
      },
      now,
    });
  const charge = (amountMinor: number) =>
    system.issue({
      type: 'AddItems',
      items: [
        {
          ...{ type: 'EXTERNAL_CHARGE', amountMinor, invoiceId: null, startDate: null, endDate: null, rate: null },
          ...{ description: null, itemDetails: null, linkedItemId: null, quantity: null, usageName: null },
        },
      ],
      effectiveDate: null,
      autoCommit: true,
      now,
    });
  const standing = () => {
    const state = system.state();
    const invoice = entryOf(state.invoices, invoiceId);
    return {
      balance: invoice === undefined ? null : balanceOf(invoice),
      credit: state.creditMinor,
      account: accountBalance(state),
    };
  };
  return { system, invoiceId, refund, charge, standing };
};

describe('money for an invoice that was voided while it was on its way', () => {
  it('becomes credit, which pays for the next invoice', () => {
    const { system, invoiceId, charge, standing } = voided();
    system.pay(invoiceId, 2000);
    expect(standing()).toEqual({ balance: 0, credit: 2000, account: -2000 });
    charge(1500);
    expect(standing()).toEqual({ balance: 0, credit: 500, account: -500 });
  });

  it('takes its credit along when it is refunded', () => {
    const { system, invoiceId, refund, standing } = voided();
    system.pay(invoiceId, 2000);
    refund(2000, { isAdjusted: true });
    expect(standing()).toEqual({ balance: 0, credit: 0, account: 0 });
  });

  it('is owed when it is refunded after its credit was used', () => {
    const { system, invoiceId, refund, charge, standing } = voided();
    system.pay(invoiceId, 2000);
    charge(1500);
    refund(2000);
    expect(standing()).toEqual({ balance: 1500, credit: 0, account: 1500 });
  });
});
