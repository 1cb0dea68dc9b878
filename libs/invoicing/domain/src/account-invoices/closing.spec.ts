import { at, phase, simulatedAccount, transition } from '../testing/simulated-account';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { balanceOf } from './invoice-totals';
import { valuesIn } from './book';
import type { AskedItem } from './commands/add-items';
import { furtherCommands } from './further-commands';

const externalCharge: AskedItem = {
  ...{ type: 'EXTERNAL_CHARGE', amountMinor: 100, invoiceId: null, startDate: null, endDate: null },
  ...{ description: null, itemDetails: null, linkedItemId: null, quantity: null, rate: null, usageName: null },
};

describe('an account that is closed', () => {
  const closed = (system: ReturnType<typeof simulatedAccount>) =>
    system.issue({ type: 'RecordClosing', closingId: 'c', now: '2018-10-07T00:00:00.000Z' as never });
  const started = () => {
    const system = simulatedAccount();
    system.record();
    system.subscribe(transition('START', '2018-10-06', phase()));
    return system;
  };
  const charged = (system: ReturnType<typeof simulatedAccount>, items: readonly AskedItem[]) =>
    system.issue({ type: 'AddItems', items, effectiveDate: null, autoCommit: true, now: at('2018-10-06') });
  const owed = (system: ReturnType<typeof simulatedAccount>): readonly number[] =>
    valuesIn(system.state().invoices).map(balanceOf);

  it('owes nothing once what is unpaid was adjusted item by item, once', () => {
    const system = started();
    expect(owed(system)).toEqual([2_000]);
    const events = closed(system);
    expect(events).toMatchObject([
      { type: 'InvoiceAdjusted', data: { items: [{ type: 'ITEM_ADJ', amountMinor: -2_000 }] } },
      { type: 'BalanceChanged', data: { accountBalanceMinor: 0 } },
      { type: 'ClosingAdjusted', data: { closingId: 'c' } },
    ]);
    expect(owed(system)).toEqual([0]);
    expect(closed(system)).toEqual([]);
  });

  it('with thousands of unpaid items is closed in decisions that each fit into an append', () => {
    const system = started();
    for (let invoice = 0; invoice < 250; invoice += 1) charged(system, [externalCharge]);
    charged(system, Array<AskedItem>(2_000).fill(externalCharge));
    const parts: (readonly AccountInvoicesEvent[])[] = [];
    for (let events = closed(system); events.length > 0; events = closed(system)) parts.push(events);
    const written = parts.flat().filter(({ type }) => type === 'InvoiceAdjusted' || type === 'InvoiceItemsDrawn');
    expect(parts.map((events) => events.filter(({ type }) => type === 'InvoiceAdjusted').length)).toEqual([200, 51, 1]);
    const items = written.reduce((sum, { data }) => sum + ('items' in data ? data.items.length : 0), 0);
    expect(items).toBe(251 + 2_000);
    for (const one of parts.flat()) expect(JSON.stringify(one).length).toBeLessThan(400_000);
    expect(JSON.stringify(parts[0]).length).toBeLessThan(500_000);
    expect(owed(system).filter((balanceMinor) => balanceMinor !== 0)).toEqual([]);
    expect(system.state()).toMatchObject({ owedMinor: 0, creditMinor: 0, drawn: {} });
  });

  it('keeps what was paid in full as it is', () => {
    const system = started();
    system.pay(system.invoices()[0]?.invoiceId ?? '', 2_000);
    expect(closed(system).map(({ type }) => type)).toEqual(['ClosingAdjusted']);
  });

  it('keeps what is charged after it, however late its closing is heard of once more', () => {
    const system = started();
    closed(system);
    charged(system, [externalCharge]);
    expect(closed(system)).toEqual([]);
    expect(owed(system)).toEqual([0, 100]);
  });
});

describe('credit for more invoices than one decision can name', () => {
  it('goes on in further decisions, the oldest invoices first, to where one decision would have moved it', () => {
    const system = simulatedAccount();
    system.record();
    const charged = (items: readonly AskedItem[]) =>
      system.issue({ type: 'AddItems', items, effectiveDate: null, autoCommit: true, now: at('2018-10-06') });
    for (let invoice = 0; invoice < 600; invoice += 1) charged([externalCharge]);
    const moves: number[] = [];
    const credit: AskedItem = { ...externalCharge, type: 'CREDIT_ADJ', amountMinor: 55_050 };
    const command = { type: 'AddItems', items: [credit], effectiveDate: null, autoCommit: true } as const;
    const waiting = [...furtherCommands({ ...command, now: at('2018-10-06') }, charged([credit]))];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const events = system.issue(next);
      moves.push(...events.flatMap(({ type, data }) => (type === 'CreditApplied' ? [data.items.length] : [])));
      waiting.push(...furtherCommands(next, events));
    }
    expect(moves).toEqual([250, 51]);
    const balances = valuesIn(system.state().invoices).map(balanceOf);
    expect(balances).toEqual([...Array<number>(550).fill(0), 50, ...Array<number>(49).fill(100), 0]);
    expect(system.state().creditMinor).toBe(0);
  });
});
