import {
  type AccountInvoicesEvent,
  accountInvoices,
  chargedTooMuch,
  entriesOf,
  isOwedAgain,
  paidForChildren,
} from '@billstream/invoicing-domain';
import type { Currency, Instant } from '@billstream/kernel';
import type { RecordedCustomer } from './billed-customer';

export const parentId = 'parent-1';

type Engine = typeof accountInvoices;
type Command = Parameters<Engine['decide']>[0];

/** What the parent has to know of the child, and what it tells it. */
export type Child = {
  readonly account: RecordedCustomer;
  readonly currency: Currency;
  readonly events: readonly AccountInvoicesEvent[];
  readonly state: () => typeof accountInvoices.initial;
  readonly tell: (command: Command) => unknown;
};

/** Invoices whose balance is not zero, as both sides of a family last told it. */
const openIn = (events: readonly AccountInvoicesEvent[]): readonly string[] => {
  const balances = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'InvoiceCommitted' || event.type === 'DraftCommitted')
      balances.set(event.data.invoiceId, event.data.balanceMinor);
    if (event.type === 'BalanceChanged')
      for (const { invoiceId, balanceMinor } of event.data.invoices) balances.set(invoiceId, balanceMinor);
  }
  return [...balances].flatMap(([invoiceId, balanceMinor]) =>
    balanceMinor === 0 ? [] : [`${invoiceId} is open with ${balanceMinor}`],
  );
};

/** The account that pays for the customer's (Kill Bill 2.14), decided by the real decider. News go both ways when asked. */
export const payingParent = (child: Child, engine: Engine = accountInvoices) => {
  let state = engine.initial;
  const events: AccountInvoicesEvent[] = [];
  const heard = { ofChild: 0, ofParent: 0 };

  const issue = (command: Command): void => {
    const decision = engine.decide(command, state);
    if ('rejected' in decision) throw new Error(JSON.stringify(decision.rejected));
    state = decision.events.reduce(engine.evolve, state);
    events.push(...decision.events);
  };

  const hear = (event: AccountInvoicesEvent, now: Instant): void => {
    if (event.type === 'InvoiceCommitted') {
      const { invoiceId, balanceMinor, items } = event.data;
      const hasCharges = items.some(({ type }) => type === 'FIXED' || type === 'RECURRING');
      const { accountId, externalKey } = child.account;
      const invoice = { childAccountId: accountId, childExternalKey: externalKey, childInvoiceId: invoiceId };
      const due = { currency: child.currency, dueMinor: balanceMinor, hasCharges };
      issue({ type: 'RecordChildInvoice', child: { ...invoice, ...due }, now });
    }
    if (event.type !== 'BalanceChanged') return;
    const invoices = event.data.invoices.flatMap(({ invoiceId, withoutParentMinor }) =>
      withoutParentMinor === undefined ? [] : [{ invoiceId, dueMinor: withoutParentMinor }],
    );
    issue({ type: 'RecordChildBalances', invoices, now });
  };

  const settle = (event: AccountInvoicesEvent, now: Instant): void => {
    if (event.type !== 'BalanceChanged') return;
    for (const { invoiceId } of event.data.invoices.filter(({ isParentInvoice }) => isParentInvoice === true)) {
      for (const [, invoices] of paidForChildren(state, invoiceId))
        child.tell({ type: 'RecordParentPayment', invoices, now });
      const invoices = isOwedAgain(state, invoiceId) ? chargedTooMuch(state, invoiceId, child.state()) : [];
      if (invoices.length > 0) issue({ type: 'RecordChildBalances', invoices, now });
    }
  };

  /** All that one has not heard of the other, until neither has anything new to tell. */
  const comeToRest = (now: Instant): void => {
    for (;;) {
      const [ofChild, ofParent] = [child.events[heard.ofChild], events[heard.ofParent]];
      if (ofChild === undefined && ofParent === undefined) return;
      if (ofChild !== undefined) {
        heard.ofChild += 1;
        hear(ofChild, now);
      } else if (ofParent !== undefined) {
        heard.ofParent += 1;
        settle(ofParent, now);
      }
    }
  };

  const moved = (
    invoiceId: string,
    transactionType: 'PURCHASE' | 'REFUND',
    amountMinor: number,
    now: Instant,
  ): void => {
    const [paymentId, transactionId] = [`parent's payment ${events.length}`, `parent's transaction ${events.length}`];
    const payment = { accountId: parentId, invoiceId, paymentId, transactionId, transactionType, amountMinor };
    const settled = { currency: child.currency, status: 'SUCCESS', effectiveAt: now } as const;
    issue({ type: 'RecordPayment', payment: { ...payment, ...settled }, now });
  };

  issue({
    type: 'RecordAccount',
    account: { ...child.account, accountId: parentId, externalKey: 'janes' },
    now: child.account.referenceTime,
  });

  return {
    comeToRest,
    /** Ends the day's draft, and pays all that is owed. */
    pay: (now: Instant): void => {
      comeToRest(now);
      for (const [invoiceId, { status }] of entriesOf(state.invoices))
        if (status === 'DRAFT') issue({ type: 'CommitDraft', invoiceId, now });
      for (const [invoiceId, { status, chargedMinor, creditMinor, paidMinor }] of entriesOf(state.invoices))
        if (status === 'COMMITTED' && chargedMinor + creditMinor > paidMinor)
          moved(invoiceId, 'PURCHASE', chargedMinor + creditMinor - paidMinor, now);
      comeToRest(now);
    },
    refund: (nth: number, percent: number, now: Instant): void => {
      const paid = entriesOf(state.invoices).filter(
        ([, { status, paidMinor }]) => status === 'COMMITTED' && paidMinor > 0,
      );
      const [invoiceId, totals] = paid.at(-1 - (nth % Math.max(1, paid.length))) ?? [];
      if (invoiceId === undefined || totals === undefined) return;
      moved(invoiceId, 'REFUND', Math.max(1, Math.round((totals.paidMinor * percent) / 100)), now);
      comeToRest(now);
    },
    /** What is still open on either side after the parent has paid all that it was asked for. */
    faults: (): readonly string[] => [
      ...openIn(child.events).map((fault) => `the child's ${fault}`),
      ...openIn(events).map((fault) => `the parent's ${fault}`),
    ],
  };
};
