import type { Instant } from '@billstream/kernel';
import { account, at, currency, lines, phase, simulatedAccount, transition } from '../testing/simulated-account';
import { accountInvoices } from './account-invoices.decider';
import type { InvoiceBalance } from './account-invoices.events';
import { balanceOf } from './invoice-totals';
import { entriesOf, valuesIn } from './book';

const now = at('2018-10-06');
const parentAccount = account({ accountId: 'parent', billCycleDayLocal: 6 });
const childAccount = account({ parentAccountId: 'parent', isPaymentDelegatedToParent: true });

const parent = () => {
  const system = simulatedAccount();
  system.record(parentAccount);
  const sumUp = (
    childInvoiceId: string,
    dueMinor: number,
    more: { child?: string; hasCharges?: boolean; currency?: string } = {},
  ) =>
    system.issue({
      type: 'RecordChildInvoice',
      child: {
        childAccountId: more.child ?? 'child',
        childExternalKey: more.child ?? 'child',
        childInvoiceId,
        currency: currency(more.currency ?? 'USD'),
        dueMinor,
        hasCharges: more.hasCharges ?? true,
      },
      now,
    });
  const follow = (invoiceId: string, dueMinor: number) =>
    system.issue({ type: 'RecordChildBalances', invoices: [{ invoiceId, dueMinor }], now });
  const invoices = () =>
    entriesOf(system.state().invoices).map(([invoiceId, totals]) => ({
      invoiceId,
      status: totals.status,
      items: totals.items.map(({ type, amountMinor }) => `${type} ${amountMinor}`),
      balanceMinor: balanceOf(totals),
    }));
  const commitLast = (): string => {
    const invoiceId = invoices().at(-1)?.invoiceId ?? '';
    system.issue({ type: 'CommitDraft', invoiceId, now });
    return invoiceId;
  };
  return { system, sumUp, follow, invoices, commitLast };
};

describe('the invoice of a parent', () => {
  it('sums up the invoices of a day, one item a child, and is a draft until it is committed', () => {
    const { sumUp, invoices } = parent();
    sumUp('i1', 2000);
    sumUp('i2', 500, { child: 'other' });
    sumUp('i3', 300);
    expect(invoices()).toMatchObject([
      { status: 'DRAFT', items: ['PARENT_SUMMARY 2300', 'PARENT_SUMMARY 500'], balanceMinor: 0 },
    ]);
  });

  it('is another one for what comes after it was committed', () => {
    const { sumUp, invoices, commitLast } = parent();
    sumUp('i1', 2000);
    commitLast();
    sumUp('i2', 500);
    expect(invoices()).toMatchObject([
      { status: 'COMMITTED', balanceMinor: 2000 },
      { status: 'DRAFT', items: ['PARENT_SUMMARY 500'] },
    ]);
  });

  it('leaves out invoices of credit alone, not those of a free trial', () => {
    const { sumUp, invoices } = parent();
    sumUp('i1', 0, { hasCharges: false });
    expect(invoices()).toEqual([]);
    sumUp('i2', 0);
    expect(invoices()).toMatchObject([{ items: ['PARENT_SUMMARY 0'] }]);
  });

  it('takes an invoice in once, however often it is told', () => {
    const { sumUp } = parent();
    sumUp('i1', 2000);
    expect(sumUp('i1', 2000)).toEqual([]);
  });

  it('changes with the child as long as it is a draft', () => {
    const { sumUp, follow, invoices } = parent();
    sumUp('i1', 2000);
    sumUp('i2', 500);
    follow('i1', 800);
    expect(invoices()).toMatchObject([{ items: ['PARENT_SUMMARY 1300'] }]);
    follow('i1', 2000);
    expect(invoices()).toMatchObject([{ items: ['PARENT_SUMMARY 2500'] }]);
  });

  it('is adjusted when it is owed, and left alone when it is paid', () => {
    const { system, sumUp, follow, invoices, commitLast } = parent();
    sumUp('i1', 2000);
    const invoiceId = commitLast();
    follow('i1', 1500);
    expect(invoices()).toMatchObject([{ items: ['PARENT_SUMMARY 2000', 'ITEM_ADJ -500'], balanceMinor: 1500 }]);
    system.pay(invoiceId, 1500);
    expect(follow('i1', 1000)).toEqual([]);
  });

  it('is followed by another one for what a child owes more of since, whether it is paid or not', () => {
    const { system, sumUp, follow, invoices, commitLast } = parent();
    sumUp('i1', 2000);
    const invoiceId = commitLast();
    follow('i1', 2600);
    expect(invoices()).toMatchObject([
      { status: 'COMMITTED', balanceMinor: 2000 },
      { status: 'DRAFT', items: ['PARENT_SUMMARY 600'] },
    ]);
    expect(follow('i1', 2600)).toEqual([]);
    system.pay(invoiceId, 2000);
    follow('i1', 2700);
    follow('i1', 2500);
    expect(invoices().map(({ items }) => items)).toEqual([['PARENT_SUMMARY 2000'], ['PARENT_SUMMARY 500']]);
    commitLast();
    follow('i1', 2900);
    expect(invoices().map(({ balanceMinor }) => balanceMinor)).toEqual([0, 500, 0]);
    expect(invoices()[2]?.items).toEqual(['PARENT_SUMMARY 400']);
  });

  it('is lowered from the last one on for a child that owes less, as far as nothing is paid', () => {
    const { system, sumUp, follow, invoices, commitLast } = parent();
    sumUp('i1', 2000);
    const first = commitLast();
    follow('i1', 2600);
    commitLast();
    follow('i1', 1500);
    expect(invoices().map(({ balanceMinor }) => balanceMinor)).toEqual([1500, 0]);
    expect(invoices().map(({ items }) => items)).toEqual([
      ['PARENT_SUMMARY 2000', 'ITEM_ADJ -500'],
      ['PARENT_SUMMARY 600', 'ITEM_ADJ -600'],
    ]);
    expect(follow('i1', 1500)).toEqual([]);
    system.pay(first, 1500);
    expect(follow('i1', 100)).toEqual([]);
  });

  it('that is voided leaves to the next draft what it charged of an invoice, also where another one charges the rest', () => {
    for (const isCommitted of [false, true]) {
      const { system, sumUp, follow, invoices, commitLast } = parent();
      sumUp('i1', 2000);
      const invoiceId = commitLast();
      follow('i1', 2600);
      if (isCommitted) commitLast();
      system.issue({ type: 'VoidInvoice', invoiceId, now });
      const open = invoices().filter(({ status }) => status !== 'VOID');
      expect(open.map(({ items }) => items)).toEqual(
        isCommitted ? [['PARENT_SUMMARY 600'], ['PARENT_SUMMARY 2000']] : [['PARENT_SUMMARY 2600']],
      );
      expect(follow('i1', 2600)).toEqual([]);
    }
  });

  it('leaves out what is owed in another currency', () => {
    const { sumUp, invoices } = parent();
    sumUp('i1', 2000, { currency: 'EUR' });
    expect(invoices()).toEqual([]);
  });

  it('that is voided is followed by another one, which knows what became of the children since', () => {
    const { system, sumUp, follow, invoices, commitLast } = parent();
    sumUp('i1', 2000);
    sumUp('i2', 500, { child: 'other' });
    sumUp('i3', 300);
    const invoiceId = commitLast();
    system.issue({ type: 'VoidInvoice', invoiceId, now });
    expect(invoices()).toMatchObject([
      { status: 'VOID', balanceMinor: 0 },
      { status: 'DRAFT', items: ['PARENT_SUMMARY 2300', 'PARENT_SUMMARY 500'] },
    ]);
    follow('i3', 100);
    expect(invoices()[1]?.items).toEqual(['PARENT_SUMMARY 2100', 'PARENT_SUMMARY 500']);
    commitLast();
    expect(invoices().map(({ balanceMinor }) => balanceMinor)).toEqual([0, 2600]);
  });

  it('is made for a child that owes again after the one it was on was voided', () => {
    const { system, sumUp, follow, invoices } = parent();
    sumUp('i1', 0);
    system.issue({ type: 'VoidInvoice', invoiceId: invoices()[0]?.invoiceId ?? '', now });
    expect(invoices()).toHaveLength(1);
    follow('i1', 700);
    expect(invoices()[1]).toMatchObject({ status: 'DRAFT', items: ['PARENT_SUMMARY 700'] });
  });

  it('says that it sums up children when its balance changes', () => {
    const { system, sumUp, commitLast } = parent();
    sumUp('i1', 2000);
    const invoiceId = commitLast();
    expect(balancesOf(system.pay(invoiceId, 2000))).toEqual([
      { invoiceId, balanceMinor: 0, purchasedMinor: 2000, isParentInvoice: true },
    ]);
  });
});

const balancesOf = (events: ReturnType<ReturnType<typeof simulatedAccount>['issue']>): readonly InvoiceBalance[] =>
  events.flatMap((event) => (event.type === 'BalanceChanged' ? event.data.invoices : []));

const child = () => {
  const system = simulatedAccount();
  system.record(childAccount);
  system.subscribe(transition('START', '2018-10-06', phase()));
  const invoiceId = system.invoices()[0]?.invoiceId ?? '';
  const settle = (isPaid: boolean, coveredMinor = 2000, when: Instant = now) =>
    system.issue({
      type: 'RecordParentPayment',
      invoices: [{ invoiceId, coveredMinor: isPaid ? coveredMinor : 0 }],
      now: when,
    });
  const balance = () => valuesIn(system.state().invoices).map(balanceOf);
  return { system, invoiceId, settle, balance };
};

describe('the invoice of a child', () => {
  it('names the parent that pays for it', () =>
    expect(child().system.invoices()[0]).toMatchObject({ parentAccountId: 'parent', balanceMinor: 2000 }));

  it('is settled when the parent has paid, and owed again when that is taken back', () => {
    const { settle, balance, invoiceId } = child();
    expect(balancesOf(settle(true))).toMatchObject([{ invoiceId, balanceMinor: 0, withoutParentMinor: 2000 }]);
    expect(settle(true)).toEqual([]);
    expect(balancesOf(settle(false))).toMatchObject([{ invoiceId, balanceMinor: 2000, withoutParentMinor: 2000 }]);
    expect(balance()).toEqual([2000]);
  });

  it('is settled by what the parent was charged for it: the rest is owed, and what is too much is credit', () => {
    const grown = child();
    grown.settle(true, 1500);
    expect(grown.balance()).toEqual([500]);
    const less = child();
    less.settle(true, 2300);
    expect(less.balance()).toEqual([0]);
    expect(less.system.state().creditMinor).toBe(300);
  });

  it('gives credit for what the parent paid when it was voided in the same moment', () => {
    const { system, settle, balance, invoiceId } = child();
    system.issue({ type: 'VoidInvoice', invoiceId, now });
    settle(true);
    expect(balance()).toEqual([0]);
    expect(system.state().creditMinor).toBe(2000);
  });

  it('leaves credit with the child when it is repaired after the parent paid', () => {
    const { system, settle } = child();
    settle(true);
    system.moveTo('2018-10-16');
    system.subscribe(transition('START', '2018-10-06', phase()), transition('CANCEL', '2018-10-16'));
    expect(lines(system.invoices()[1])[0]).toBe('REPAIR_ADJ 2018-10-16→2018-11-06 -13.55');
    expect(system.state().creditMinor).toBe(1355);
  });

  it('cannot be voided once the parent has paid it', () => {
    const { system, settle, invoiceId } = child();
    settle(true);
    expect(accountInvoices.decide({ type: 'VoidInvoice', invoiceId, now }, system.state())).toEqual({
      rejected: { code: 'invoice-paid', invoiceId },
    });
    settle(false);
    expect(balancesOf(system.issue({ type: 'VoidInvoice', invoiceId, now }))).toMatchObject([
      { withoutParentMinor: 0 },
    ]);
  });

  it('tells the parent that was charged, whoever pays for the account by now', () => {
    for (const parentAccountId of [null, 'another']) {
      const { system, invoiceId } = child();
      system.issue({ type: 'RecordAccount', account: { ...childAccount, parentAccountId }, now });
      expect(balancesOf(system.pay(invoiceId, 2000))).toMatchObject([
        { invoiceId, balanceMinor: 0, withoutParentMinor: 0, parentAccountId: 'parent' },
      ]);
    }
  });

  it('asks the parent for less when it is repaired before', () => {
    const { system, invoiceId } = child();
    system.moveTo('2018-10-16');
    const events = system.issue({
      type: 'AdjustItem',
      invoiceId,
      itemId: system.invoices()[0]?.items[0]?.itemId ?? '',
      amountMinor: 500,
      effectiveDate: null,
      description: null,
      itemDetails: null,
      now: at('2018-10-16'),
    });
    expect(balancesOf(events)).toMatchObject([{ invoiceId, balanceMinor: 1500, withoutParentMinor: 1500 }]);
  });
});

describe('credit of a child', () => {
  const transfer = { type: 'TransferCredit' as const, now };

  it('goes to the parent as a whole', () => {
    const { system, settle } = child();
    settle(true);
    system.moveTo('2018-10-16');
    system.subscribe(transition('START', '2018-10-06', phase()), transition('CANCEL', '2018-10-16'));
    const events = system.issue(transfer);
    expect(events.find(({ type }) => type === 'CreditTransferred')?.data).toMatchObject({
      parentAccountId: 'parent',
      amountMinor: 1355,
    });
    expect(lines(system.invoices()[2]).map((line) => line.split(' ')[0])).toEqual(['EXTERNAL_CHARGE', 'CBA_ADJ']);
    expect(system.state().creditMinor).toBe(0);
  });

  it('does not go where there is no parent or no credit', () => {
    expect(accountInvoices.decide(transfer, child().system.state())).toEqual({
      rejected: { code: 'no-credit-to-transfer', accountId: 'account-1' },
    });
    expect(accountInvoices.decide(transfer, parent().system.state())).toEqual({
      rejected: { code: 'account-without-parent', accountId: 'parent' },
    });
  });
});
