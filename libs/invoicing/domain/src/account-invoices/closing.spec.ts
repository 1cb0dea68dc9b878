import { phase, simulatedAccount, transition } from '../testing/simulated-account';
import { balanceOf } from './invoice-totals';
import { valuesIn } from './book';

describe('an account that is closed', () => {
  const closed = (system: ReturnType<typeof simulatedAccount>) =>
    system.issue({ type: 'RecordClosing', closingId: 'c', now: '2018-10-07T00:00:00.000Z' as never });
  const started = () => {
    const system = simulatedAccount();
    system.record();
    system.subscribe(transition('START', '2018-10-06', phase()));
    return system;
  };
  const owed = (system: ReturnType<typeof simulatedAccount>): readonly number[] =>
    valuesIn(system.state().invoices).map(balanceOf);

  it('owes nothing once what is unpaid was adjusted item by item, once', () => {
    const system = started();
    expect(owed(system)).toEqual([2_000]);
    const events = closed(system);
    expect(events).toMatchObject([
      { type: 'InvoiceAdjusted', data: { items: [{ type: 'ITEM_ADJ', amountMinor: -2_000 }] } },
      { type: 'BalanceChanged', data: { accountBalanceMinor: 0 } },
    ]);
    expect(owed(system)).toEqual([0]);
    expect(closed(system)).toEqual([]);
  });

  it('keeps what was paid in full as it is', () => {
    const system = started();
    system.pay(system.invoices()[0]?.invoiceId ?? '', 2_000);
    expect(closed(system)).toEqual([]);
  });
});
