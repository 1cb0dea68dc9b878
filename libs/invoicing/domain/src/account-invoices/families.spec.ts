import { account, at, currency, simulatedAccount } from '../testing/simulated-account';
import type { AccountInvoicesCommand } from './account-invoices.decider';
import { entriesOf, entryOf } from './book';
import type { AskedItem } from './commands/add-items';
import { partsOf } from './commands/record-child-invoice';
import { type InvoiceTotals, balanceOf, leftOf, takenBack, withoutParentOf } from './invoice-totals';
import { chargedTooMuch, isOwedAgain, paidForChildren } from './parent-shares';

const now = at('2018-10-06');

/** Numbers below a bound, the same ones for the same seed. */
const numbersFrom = (seed: number) => {
  let state = seed >>> 0;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

type System = ReturnType<typeof simulatedAccount>;

/** A parent and its child, whose news reach the other in order, some time later. */
const family = () => {
  const parent = simulatedAccount();
  const child = simulatedAccount();
  parent.record(account({ accountId: 'parent' }));
  child.record(account({ accountId: 'child', parentAccountId: 'parent', isPaymentDelegatedToParent: true }));
  const news = { parent: parent.events.length, child: child.events.length };

  const sumUp = (invoiceId: string, dueMinor: number): unknown =>
    parent.issue({
      type: 'RecordChildInvoice',
      child: {
        ...{ childAccountId: 'child', childExternalKey: 'child', childInvoiceId: invoiceId },
        ...{ currency: currency('USD'), dueMinor, hasCharges: false },
      },
      now,
    });
  const settle = (invoiceId: string): void => {
    for (const [, invoices] of paidForChildren(parent.state(), invoiceId))
      child.issue({ type: 'RecordParentPayment', invoices, now });
    if (!isOwedAgain(parent.state(), invoiceId)) return;
    const invoices = chargedTooMuch(parent.state(), invoiceId, child.state());
    if (invoices.length > 0) parent.issue({ type: 'RecordChildBalances', invoices, now });
  };
  /** The next event of the child reaches the parent. False: there is none. */
  const toParent = (): boolean => {
    const event = child.events[news.child];
    if (event === undefined) return false;
    news.child += 1;
    if (event.type === 'InvoiceCommitted') sumUp(event.data.invoiceId, event.data.balanceMinor);
    if (event.type !== 'BalanceChanged') return true;
    const invoices = event.data.invoices.flatMap(({ invoiceId, withoutParentMinor }) =>
      withoutParentMinor === undefined ? [] : [{ invoiceId, dueMinor: withoutParentMinor }],
    );
    parent.issue({ type: 'RecordChildBalances', invoices, now });
    return true;
  };
  const toChild = (): boolean => {
    const event = parent.events[news.parent];
    if (event === undefined) return false;
    news.parent += 1;
    if (event.type === 'BalanceChanged')
      for (const { invoiceId, isParentInvoice } of event.data.invoices) if (isParentInvoice) settle(invoiceId);
    return true;
  };
  const comeToRest = (): void => {
    while ([toParent(), toChild()].includes(true));
  };
  return { parent, child, toParent, toChild, comeToRest };
};

type Family = ReturnType<typeof family>;

const charge = (type: 'EXTERNAL_CHARGE' | 'CREDIT_ADJ', amountMinor: number): AccountInvoicesCommand => {
  const item: AskedItem = {
    ...{ type, amountMinor, invoiceId: null, startDate: null, endDate: null },
    ...{ description: null, itemDetails: null, linkedItemId: null, quantity: null, rate: null, usageName: null },
  };
  return { type: 'AddItems', items: [item], effectiveDate: null, autoCommit: true, now };
};

const moved = (
  system: System,
  { invoiceId, amountMinor, isRefund }: { invoiceId: string; amountMinor: number; isRefund: boolean },
): AccountInvoicesCommand => ({
  type: 'RecordPayment',
  payment: {
    ...{ accountId: 'payer', invoiceId, paymentId: `of ${invoiceId}`, transactionId: `t${system.events.length}` },
    ...{ transactionType: isRefund ? 'REFUND' : 'PURCHASE', status: 'SUCCESS', amountMinor },
    ...{ currency: currency('USD'), effectiveAt: now },
  },
  now,
});

const isRefusal = (error: unknown): boolean => error instanceof Error && error.message.startsWith('{"code"');

/** Something that may happen to an invoice of the child, or of the parent; what is refused does not happen. */
const happen = ({ parent, child }: Family, next: (below: number) => number): void => {
  const amountMinor = (1 + next(20)) * 100;
  const tried = (system: System, command: (invoice: readonly [string, InvoiceTotals]) => AccountInvoicesCommand) => {
    const all = entriesOf(system.state().invoices);
    const invoice = all[next(all.length)];
    try {
      if (invoice !== undefined) system.issue(command(invoice));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  };
  const paid = (system: System): void =>
    tried(system, ([invoiceId, totals]) => {
      const isRefund = totals.paidMinor > 0 && next(2) === 0;
      const owedMinor = Math.max(balanceOf(totals), 0);
      const partMinor = isRefund ? totals.paidMinor : next(2) === 0 ? owedMinor : Math.ceil(owedMinor / 2);
      return partMinor === 0
        ? { type: 'RebalanceCredit', now }
        : moved(system, { invoiceId, amountMinor: partMinor, isRefund });
    });
  const acts: readonly (() => unknown)[] = [
    () => child.issue(charge('EXTERNAL_CHARGE', amountMinor)),
    () => child.issue(charge('EXTERNAL_CHARGE', amountMinor)),
    () => child.issue(charge('CREDIT_ADJ', amountMinor)),
    () =>
      tried(child, ([invoiceId, { items }]) => ({
        ...{ type: 'AdjustItem', invoiceId, itemId: items[0]?.itemId ?? '', amountMinor },
        ...{ effectiveDate: null, description: null, itemDetails: null, now },
      })),
    () =>
      tried(child, ([objectId, { isWrittenOff }]) => ({
        type: 'RecordControlTag',
        change: { accountId: 'child', objectType: 'INVOICE', objectId, tag: 'WRITTEN_OFF', isSet: !isWrittenOff },
        now,
      })),
    () => tried(child, ([invoiceId]) => ({ type: 'VoidInvoice', invoiceId, now })),
    () => tried(parent, ([invoiceId]) => ({ type: 'VoidInvoice', invoiceId, now })),
    () => tried(parent, ([invoiceId]) => ({ type: 'CommitDraft', invoiceId, now })),
    () => tried(parent, ([invoiceId]) => ({ type: 'CommitDraft', invoiceId, now })),
    () => paid(parent),
    () => paid(parent),
    () => paid(child),
  ];
  acts[next(acts.length)]?.();
};

/** What does not agree between the two once all news have arrived. */
const disagreements = ({ parent, child }: Family): readonly string[] => {
  const { invoices, children } = parent.state();
  const charged = new Map<string, number>();
  const found: string[] = [];
  for (const [childInvoiceId, totals] of entriesOf(child.state().invoices)) {
    const dueMinor = withoutParentOf(totals);
    const share = entryOf(children, childInvoiceId);
    const parts = (share === undefined ? [] : partsOf(share)).flatMap((part) => {
      const invoice = entryOf(invoices, part.invoiceId);
      return invoice === undefined || invoice.status === 'VOID' ? [] : [{ ...part, invoice }];
    });
    for (const { itemId, coveredMinor } of parts) charged.set(itemId, (charged.get(itemId) ?? 0) + coveredMinor);
    const coveredMinor = parts.reduce((sum, part) => sum + part.coveredMinor, 0);
    if (coveredMinor < dueMinor) found.push(`${childInvoiceId} asks for ${dueMinor}, charged are ${coveredMinor}`);
    const untouched = parts.some(
      (part) => part.coveredMinor > 0 && part.invoice.paidMinor === 0 && part.invoice.creditMinor === 0,
    );
    if (coveredMinor > dueMinor && untouched)
      found.push(`${childInvoiceId} asks for ${dueMinor}, charged are ${coveredMinor} that nobody has paid`);
    const settledMinor = parts.reduce(
      (sum, part) =>
        part.invoice.status === 'COMMITTED' && balanceOf(part.invoice) <= 0 ? sum + part.coveredMinor : sum,
      0,
    );
    if (settledMinor !== totals.settledMinor)
      found.push(`${childInvoiceId} has ${totals.settledMinor} of its parent, which paid ${settledMinor}`);
  }
  const taken = takenBack(invoices);
  for (const [invoiceId, { status, items }] of entriesOf(invoices))
    for (const item of items.filter(({ type }) => type === 'PARENT_SUMMARY' && status !== 'VOID'))
      if (leftOf(item, taken) !== (charged.get(item.itemId) ?? 0))
        found.push(
          `${invoiceId} charges ${leftOf(item, taken)}, its children know of ${charged.get(item.itemId) ?? 0}`,
        );
  return found;
};

describe('a parent and its child', () => {
  it('agree on what is charged and paid, whatever happens to both and however late they hear of it', () => {
    for (let seed = 1; seed <= 120; seed += 1) {
      const next = numbersFrom(seed * 104_729);
      const both = family();
      for (let step = 0; step < 30; step += 1) {
        happen(both, next);
        for (let times = next(4); times > 0; times -= 1) if (next(2) === 0) both.toParent();
        for (let times = next(4); times > 0; times -= 1) if (next(2) === 0) both.toChild();
      }
      both.comeToRest();
      expect([seed, ...disagreements(both)]).toEqual([seed]);
    }
  });

  it('owe nothing after a refund for what the child no longer asks for, who had not heard of the payment', () => {
    const { parent, child, toParent, comeToRest } = family();
    const ids = (system: System): string => entriesOf(system.state().invoices)[0]?.[0] ?? '';
    child.issue(charge('EXTERNAL_CHARGE', 1_400));
    comeToRest();
    const invoiceId = ids(parent);
    const owed = () => entriesOf(parent.state().invoices).map(([, totals]) => balanceOf(totals));
    parent.issue({ type: 'CommitDraft', invoiceId, now });
    parent.issue(moved(parent, { invoiceId, amountMinor: 700, isRefund: false }));
    child.issue({ type: 'VoidInvoice', invoiceId: ids(child), now });
    while (toParent());
    expect(owed()).toEqual([0]);
    parent.issue(moved(parent, { invoiceId, amountMinor: 700, isRefund: true }));
    expect(owed()).toEqual([700]);
    comeToRest();
    expect(owed()).toEqual([0]);
  });
});
