import { type EventStore, type StoredEvent, commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { type LocalDate, decimal } from '@billstream/kernel';
import type { ResolvedUsage } from '@billstream/subscriptions-contracts';
import { account, at, phase, timeline, transition } from '../testing/simulated-account';
import { type AccountInvoicesCommand, accountInvoices } from './account-invoices.decider';
import type { AccountInvoicesEvent } from './account-invoices.events';
import { accountInvoicesSchema } from './account-invoices.schema';
import { namesIn, valuesIn } from './book';
import { entriesIn } from './sheets';

const appendBytesMax = 1_048_576;
const bytesOf = (events: readonly StoredEvent[]): number =>
  events.reduce((sum, { data, metadata }) => sum + JSON.stringify(data).length + JSON.stringify(metadata).length, 0);

/** Refuses what a server would refuse; dies at the given append when asked to. */
const limitedStore = (memory: EventStore, diesAt = Infinity): EventStore & { readonly largest: () => number } => {
  let appends = 0;
  let largest = 0;
  return {
    ...memory,
    largest: () => largest,
    append: (stream, expected, events) => {
      appends += 1;
      if (appends === diesAt) return Promise.reject(new Error('killed'));
      largest = Math.max(largest, bytesOf(events));
      if (bytesOf(events) > appendBytesMax) return Promise.reject(new Error('the append is too large'));
      return memory.append(stream, expected, events);
    },
  };
};

const largeAccount = (store: EventStore, now = at('2018-10-06')) => {
  const handle = commandHandler({ store, decider: accountInvoices, schema: accountInvoicesSchema });
  let commands = 0;
  const issue = async (command: AccountInvoicesCommand, commandId = `command ${(commands += 1)}`) => {
    const context = { commandId, tenantId: 't', actor: { createdBy: 'spec' }, at: now, correlationId: 'c' };
    const handled = await handle('accountInvoices-1', command, context);
    if (handled.outcome !== 'accepted') throw new Error(handled.outcome);
    for (const event of handled.events) await answer(event);
    return handled;
  };
  /** Metering: everything was used once. */
  const answer = async (event: AccountInvoicesEvent): Promise<void> => {
    if (event.type !== 'UsageRequested') return;
    const { requestId, subscriptionId, periods } = event.data;
    const counted = { quantity: decimal(1), metered: decimal(1), free: decimal(0), records: 1, syntheticBuckets: 0 };
    const usages = periods.map((period) => ({ ...period, ...counted, rule: null, countedTo: '0' }));
    await issue({ type: 'RecordUsage', requestId, subscriptionId, usages, now });
  };
  return { issue };
};

/** What the log holds, as it would be read after a restart. */
const committedIn = async (store: EventStore) => {
  const events = (await store.read('accountInvoices-1')).map((one) => accountInvoicesSchema.decode(one));
  const state = events.reduce(
    (so, event) => (event === null ? so : accountInvoices.evolve(so, event)),
    accountInvoices.initial,
  );
  const invoices = events.flatMap((event) => (event?.type === 'InvoiceCommitted' ? [event.data] : []));
  return { state, invoices };
};

const usage: ResolvedUsage = {
  name: 'daily-calls',
  usageType: 'CONSUMABLE',
  billingMode: 'IN_ARREAR',
  billingPeriod: 'DAILY',
  tierBlockPolicy: 'ALL_TIERS',
  tiers: [
    {
      blocks: [{ unit: 'calls', size: decimal(1), max: null, price: decimal('0.5') }],
      limits: [],
      recurringPrice: null,
    },
  ],
};

describe('an invoice larger than an append', () => {
  it('holds a thousand subscriptions of one bill day', async () => {
    const store = limitedStore(memoryEventStore());
    const { issue } = largeAccount(store);
    const now = at('2018-10-06');
    await issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6 }), now });
    // Planned for tomorrow, so that one run has to charge them all.
    for (let n = 0; n < 1_000; n += 1)
      await issue({
        type: 'RecordBillingTimeline',
        timeline: timeline([transition('START', '2018-10-07', phase())], { subscriptionId: `subscription-${n}` }),
        now,
      });
    await issue({ type: 'InvoiceDue', dueAt: at('2018-11-06'), now: at('2018-11-06') });
    const { state, invoices } = await committedIn(store);
    expect(invoices).toHaveLength(1);
    expect(invoices[0]?.itemsDrawn).toBe(2_000);
    expect(Object.values(state.subscriptions).map(({ recurring }) => entriesIn(recurring).length)).toEqual(
      Array(1_000).fill(2),
    );
    expect(valuesIn(state.invoices)[0]?.items).toHaveLength(2_000);
    expect(state.drawn).toEqual({});
    expect(store.largest()).toBeLessThan(appendBytesMax);
    // The days up to which they are charged are one append with the rest of the invoice: 40 bytes for each of them.
    const [through] = (await store.read('accountInvoices-1')).filter(({ type }) => type.includes('charged-through'));
    expect(accountInvoicesSchema.decode(through!)?.data).toMatchObject({
      through: [{ chargedThroughDate: '2018-12-06', subscriptionIds: Object.keys(state.subscriptions) }],
    });
    expect(JSON.stringify(through?.data).length).toBeLessThan(1_000 * 40);
  }, 60_000);

  it('has a few charges by hand with long details', async () => {
    const store = limitedStore(memoryEventStore());
    const now = at('2018-10-06');
    const { issue } = largeAccount(store);
    await issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6 }), now });
    const item = {
      ...{ type: 'EXTERNAL_CHARGE' as const, amountMinor: 100, invoiceId: null, description: null },
      ...{ startDate: null, endDate: null, linkedItemId: null, quantity: null, rate: null, usageName: null },
      itemDetails: 'x'.repeat(65_535),
    };
    const items = Array.from({ length: 20 }, () => item);
    await issue({ type: 'AddItems', items, effectiveDate: null, autoCommit: true, now });
    const { state } = await committedIn(store);
    expect(valuesIn(state.invoices).map(({ items: own, chargedMinor }) => [own.length, chargedMinor])).toEqual([
      [20, 2_000],
    ]);
    expect(store.largest()).toBeLessThan(appendBytesMax);
  });

  it('asks for many units of many periods in requests that fit, and charges them all', async () => {
    const store = limitedStore(memoryEventStore());
    const now = at('2018-10-06');
    const { issue } = largeAccount(store, now);
    const referenceTime = at('2018-06-06');
    await issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6, referenceTime }), now });
    const block = { size: decimal(1), max: null, price: decimal('0.5') };
    const units = Array.from({ length: 60 }, (_, n) => `${'calls of a long name '.repeat(5)}${n}`);
    const tiers = [{ blocks: units.map((unit) => ({ unit, ...block })), limits: [], recurringPrice: null }];
    const many = phase({ recurring: null, usages: [{ ...usage, tiers }] });
    await issue({ type: 'RecordBillingTimeline', timeline: timeline([transition('START', '2018-06-06', many)]), now });
    await issue({ type: 'Invoice', targetDate: '2018-10-06' as LocalDate, now });
    const { state, invoices } = await committedIn(store);
    const days = 122;
    expect(invoices.map(({ amountMinor }) => amountMinor)).toEqual([days * units.length * 50]);
    expect(state.pending).toBeNull();
    expect(store.largest()).toBeLessThan(appendBytesMax);
    const asked = (await store.read('accountInvoices-1')).map((one) => accountInvoicesSchema.decode(one));
    const requested = asked.flatMap((event) => (event?.type === 'UsageRequested' ? [event.data.periods.length] : []));
    expect(requested.reduce((sum, count) => sum + count, 0)).toBe(days * units.length);
    expect(Math.max(...requested)).toBeLessThanOrEqual(250);
  }, 60_000);

  it('charges ten years of a daily plan with daily usage, and each run after it as little as ever', async () => {
    const store = limitedStore(memoryEventStore());
    const now = at('2018-10-06');
    const { issue } = largeAccount(store, now);
    await issue({
      type: 'RecordAccount',
      account: account({ billCycleDayLocal: 6, referenceTime: at('2008-10-06') }),
      now,
    });
    const daily = phase({ recurring: { price: decimal(1), billingPeriod: 'DAILY' }, usages: [usage] });
    await issue({ type: 'RecordBillingTimeline', timeline: timeline([transition('START', '2008-10-06', daily)]), now });
    // The first day is charged at once, the others one by one as due work would do it, or all together when asked for.
    await issue({ type: 'Invoice', targetDate: '2018-10-06' as LocalDate, now });
    const { state, invoices } = await committedIn(store);
    const days = 10 * 365 + 2;
    expect(invoices.map(({ amountMinor, itemsDrawn }) => [amountMinor, itemsDrawn])).toEqual([
      [100, undefined],
      [days * 100 + days * 50, 2 * days],
    ]);
    expect(entriesIn(state.subscriptions['subscription-1']?.usage ?? [])).toHaveLength(days);
    expect(state.pending).toBeNull();
    expect(store.largest()).toBeLessThan(appendBytesMax);
    const tomorrow = at('2018-10-07');
    await issue({ type: 'InvoiceDue', dueAt: tomorrow, now: tomorrow });
    expect((await committedIn(store)).invoices.map(({ items }) => items.length)).toEqual([1, 0, 2]);
  }, 120_000);

  it('is one of two that one command extends, each by its own items', async () => {
    const store = limitedStore(memoryEventStore());
    const now = at('2018-10-06');
    const { issue } = largeAccount(store);
    await issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6 }), now });
    const none = { startDate: null, endDate: null, itemDetails: null, linkedItemId: null };
    const unpriced = { quantity: null, rate: null, usageName: null };
    const charges = (count: number, amountMinor: number, invoiceId: string | null) =>
      Array.from({ length: count }, () => ({
        ...{ type: 'EXTERNAL_CHARGE' as const, amountMinor, invoiceId, description: 'x'.repeat(500) },
        ...none,
        ...unpriced,
      }));
    const add = (items: ReturnType<typeof charges>) =>
      issue({ type: 'AddItems', items, effectiveDate: null, autoCommit: false, now });
    await add(charges(1, 1, null));
    await add(charges(1, 1, null));
    const [first = '', second = ''] = namesIn((await committedIn(store)).state.invoices);
    await add([...charges(500, 2, first), ...charges(600, 3, second)]);
    const { state } = await committedIn(store);
    expect(valuesIn(state.invoices).map(({ items, chargedMinor }) => [items.length, chargedMinor])).toEqual([
      [501, 1_001],
      [601, 1_801],
    ]);
    expect(state.drawn).toEqual({});
  });

  it('that was cut off is made when the run is repeated, or by the next one, and is made once', async () => {
    for (const retry of ['the same command', 'another']) {
      const memory = memoryEventStore();
      const now = at('2018-10-06');
      const timelines = Array.from({ length: 1_000 }, (_, n) =>
        timeline([transition('START', '2018-10-07', phase())], { subscriptionId: `subscription-${n}` }),
      );
      const before = largeAccount(memory);
      await before.issue({ type: 'RecordAccount', account: account({ billCycleDayLocal: 6 }), now });
      for (const [n, one] of timelines.entries())
        await before.issue({ type: 'RecordBillingTimeline', timeline: one, now }, `timeline ${n}`);
      const due: AccountInvoicesCommand = { type: 'InvoiceDue', dueAt: at('2018-11-06'), now: at('2018-11-06') };
      const known = (await memory.read('accountInvoices-1')).length;
      // The first append is decided from nothing and refused; the second and third are parts.
      await expect(largeAccount(limitedStore(memory, 2)).issue(due, 'due')).rejects.toThrow('killed');
      expect((await memory.read('accountInvoices-1')).length).toBeGreaterThan(known);
      expect((await committedIn(memory)).invoices).toEqual([]);
      await largeAccount(memory).issue(due, retry === 'another' ? 'due again' : 'due');
      const { state, invoices } = await committedIn(memory);
      expect(invoices).toHaveLength(1);
      expect(valuesIn(state.invoices)[0]?.items).toHaveLength(2_000);
    }
  }, 120_000);
});
