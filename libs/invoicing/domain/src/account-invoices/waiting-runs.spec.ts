import { decimal } from '@billstream/kernel';
import { account, at, phase, timeline, transition } from '../testing/simulated-account';
import { type AccountInvoicesCommand, accountInvoices } from './account-invoices.decider';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { valuesIn } from './book';

const block = { unit: 'host', size: decimal(1), max: null, price: decimal('2') };
const metered = phase({
  usages: [
    {
      ...{ name: 'hosts', usageType: 'CONSUMABLE', billingMode: 'IN_ARREAR', billingPeriod: 'MONTHLY' },
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [{ blocks: [block], limits: [], recurringPrice: null }],
    },
  ],
});
const due = at('2018-11-06');
const now = at('2018-11-07');

/** An account whose usage is counted only when `answer` says so. */
const waiting = () => {
  let state = accountInvoices.initial;
  const log: AccountInvoicesEvent[] = [];
  const issue = (command: AccountInvoicesCommand): readonly AccountInvoicesEvent[] => {
    const decision = accountInvoices.decide(command, state);
    if ('rejected' in decision) throw new Error(decision.rejected.code);
    state = decision.events.reduce(accountInvoices.evolve, state);
    log.push(...decision.events);
    return decision.events;
  };
  const answer = (): readonly AccountInvoicesEvent[] => {
    const asked = log.findLast((event) => event.type === 'UsageRequested');
    if (asked === undefined) throw new Error('nothing was asked for');
    const { requestId, subscriptionId, periods } = asked.data;
    const figures = { quantity: decimal(3), metered: decimal(3), free: decimal(0), records: 1, syntheticBuckets: 0 };
    const usages = periods.map((period) => ({ ...period, ...figures, rule: null, countedTo: '0' }));
    return issue({ type: 'RecordUsage', requestId, subscriptionId, usages, now });
  };
  const invoices = (): number => log.filter(({ type }) => type === 'InvoiceCommitted').length;
  const tag = (isSet: boolean) =>
    issue({
      type: 'RecordControlTag',
      change: {
        ...{ accountId: 'account-1', objectType: 'ACCOUNT', objectId: 'account-1', tag: 'AUTO_INVOICING_OFF', isSet },
      },
      now,
    });
  issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6 }), now: at('2018-10-06') });
  const started = timeline([transition('START', '2018-10-06', metered)]);
  issue({ type: 'RecordBillingTimeline', timeline: started, now: at('2018-10-06') });
  return { issue, answer, invoices, tag, state: () => state };
};

describe('a run that waits for usage', () => {
  it('makes no invoice when automatic invoicing was switched off meanwhile, and all of it is made later', () => {
    const { issue, answer, invoices, tag, state } = waiting();
    issue({ type: 'InvoiceDue', dueAt: due, now });
    tag(true);
    answer();
    expect([invoices(), state().pending, state().nextAt]).toEqual([1, null, null]);
    tag(false);
    answer();
    expect(invoices()).toBe(2);
    const last = valuesIn(state().invoices).at(-1);
    expect(last?.items.map(({ type, amountMinor }) => `${type} ${amountMinor}`)).toEqual([
      'RECURRING 2000',
      'USAGE 600',
    ]);
  });

  it('makes none while the account is overdue and blocked', () => {
    const { issue, answer, invoices } = waiting();
    issue({ type: 'InvoiceDue', dueAt: due, now });
    issue({ type: 'RecordOverdue', blocksBilling: true, now });
    answer();
    expect(invoices()).toBe(1);
  });

  it('makes the invoice that somebody asked for', () => {
    for (const isDueBefore of [true, false]) {
      const { issue, answer, invoices, tag } = waiting();
      if (isDueBefore) issue({ type: 'InvoiceDue', dueAt: now, now });
      issue({ type: 'Invoice', targetDate: null, now });
      tag(true);
      answer();
      expect(invoices()).toBe(2);
    }
  });
});
