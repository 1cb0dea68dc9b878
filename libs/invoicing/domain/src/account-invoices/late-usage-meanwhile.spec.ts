import { decimal } from '@billstream/kernel';
import { account, at, midnight, phase, timeline, transition } from '../testing/simulated-account';
import { type AccountInvoicesCommand, accountInvoices } from './account-invoices.decider';
import type { AccountInvoicesEvent } from './account-invoices.events';

const block = { unit: 'call', size: decimal(1), max: null, price: decimal(1) };
const metered = phase({
  recurring: null,
  usages: [
    {
      ...{ name: 'calls', usageType: 'CONSUMABLE', billingMode: 'IN_ARREAR', billingPeriod: 'MONTHLY' },
      tierBlockPolicy: 'ALL_TIERS',
      tiers: [{ blocks: [block], limits: [], recurringPrice: null }],
    },
  ],
});
const rule = { unit: 'call', version: 1, countingMethod: 'SUM' as const };
const ids = ['first', 'second'];

/** The first period begins with the subscription, those after it where their day does. */
const from = (date: string) => (date === '2018-10-06' ? at(date) : midnight(date));

/** Two subscriptions whose usage metering counts one after the other, as it stands at that moment: 10 calls a month. */
const twoMetered = () => {
  let state = accountInvoices.initial;
  const log: AccountInvoicesEvent[] = [];
  const corrected = new Map<string, string>();
  const keyOf = (subscriptionId: string, fromAt: string): string => `${subscriptionId} ${fromAt.slice(0, 10)}`;
  const issue = (command: AccountInvoicesCommand): void => {
    const decision = accountInvoices.decide(command, state);
    if ('rejected' in decision) throw new Error(decision.rejected.code);
    state = decision.events.reduce(accountInvoices.evolve, state);
    log.push(...decision.events);
  };
  const answer = (wanted: string, now = state.pending?.run.at ?? at('2019-02-06')): void => {
    const open = new Set(state.pending?.requests);
    for (const event of [...log]) {
      if (event.type !== 'UsageRequested' || !open.has(event.data.requestId)) continue;
      const { requestId, subscriptionId, periods } = event.data;
      if (subscriptionId !== wanted) continue;
      const usages = periods.map((period) => {
        const quantity = decimal(corrected.get(keyOf(subscriptionId, period.fromAt)) ?? '10');
        const figures = { metered: quantity, free: decimal(0), records: 1, syntheticBuckets: 0, rule, countedTo: '0' };
        return { ...period, quantity, ...figures };
      });
      issue({ type: 'RecordUsage', requestId, subscriptionId, usages, now });
    }
  };
  const due = (): void => {
    const dueAt = state.nextAt ?? at('2019-02-06');
    issue({ type: 'InvoiceDue', dueAt, now: dueAt });
  };
  const wholeRun = (): void => {
    due();
    for (const id of ids) answer(id);
  };
  issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6 }), now: at('2018-10-06') });
  for (const subscriptionId of ids) {
    const started = timeline([transition('START', '2018-10-06', metered)], {
      subscriptionId,
      bundleId: subscriptionId,
    });
    issue({ type: 'RecordBillingTimeline', timeline: started, now: at('2018-10-06') });
  }
  for (let month = 0; month < 3; month += 1) wholeRun();
  return {
    ...{ issue, answer, due, wholeRun },
    /** Metering says that a month of the first subscription amounts to something else by now. */
    correct: (fromAt: string, toAt: string, quantity: string): void => {
      corrected.set(keyOf('first', fromAt), quantity);
      const period = { subscriptionId: 'first', usageName: 'calls', fromAt: from(fromAt), toAt: midnight(toAt) };
      issue({ type: 'RecordLateUsage', period, now: state.pending?.run.at ?? at('2019-02-06') });
    },
    tag: (isSet: boolean): void => {
      const object = { accountId: 'account-1', objectType: 'ACCOUNT' as const, objectId: 'account-1' };
      const change = { ...object, tag: 'AUTO_INVOICING_OFF' as const, isSet };
      issue({ type: 'RecordControlTag', change, now: at('2019-02-06') });
    },
    count: (fromAt: string, quantity: string): void => {
      corrected.set(keyOf('first', fromAt), quantity);
    },
    isParked: (): boolean => state.parked !== null,
    isWaiting: (): boolean => state.pending !== null,
    /** In major units, all that the first subscription was charged for the month that begins there. */
    charged: (fromAt: string): number =>
      log
        .flatMap((event) => (event.type === 'InvoiceCommitted' ? event.data.items : []))
        .filter((item) => item.subscriptionId === 'first' && item.usagePeriod?.fromAt === from(fromAt))
        .reduce((sum, { amountMinor }) => sum + amountMinor / 100, 0),
  };
};

describe('usage that changes while a run waits', () => {
  it('after it was counted for the run is charged with the run after it', () => {
    const { due, answer, correct, wholeRun, charged } = twoMetered();
    due();
    answer('first');
    correct('2018-11-06', '2018-12-06', '15');
    answer('second');
    expect(charged('2018-11-06')).toBe(10);
    wholeRun();
    expect(charged('2018-11-06')).toBe(15);
    wholeRun();
    expect(charged('2018-11-06')).toBe(15);
  });

  it('is not forgotten with a run that is given up', () => {
    const { answer, correct, tag, wholeRun, charged, isWaiting } = twoMetered();
    correct('2018-10-06', '2018-11-06', '15');
    answer('first');
    expect(isWaiting()).toBe(true);
    tag(true);
    expect(isWaiting()).toBe(false);
    tag(false);
    for (const id of ids) answer(id);
    wholeRun();
    expect(charged('2018-10-06')).toBe(15);
  });

  it('is counted anew where the account was parked for it', () => {
    const { due, answer, count, issue, charged, isParked } = twoMetered();
    count('2019-01-06', '1000000000000000000');
    due();
    for (const id of ids) answer(id);
    expect(isParked()).toBe(true);
    count('2019-01-06', '99');
    issue({ type: 'RecordUnparked', now: at('2019-02-07') });
    for (const id of ids) answer(id);
    expect([isParked(), charged('2019-01-06')]).toEqual([false, 99]);
  });
});
