import { commandHandler, memoryEventStore } from '@billstream/event-sourcing';
import { decimal, instantOfMs } from '@billstream/kernel';
import { closingRequestsMax, usageClosing, usageClosingSchema, usageClosingStream } from './usage-closing';

const closed = (trackingIds: readonly string[]) => ({
  ...{ unit: 'calls', usageName: 'calls', fromAt: instantOfMs(0), toAt: instantOfMs(1), quantity: decimal(7) },
  ...{ metered: decimal(7), free: decimal(0), records: trackingIds.length, syntheticBuckets: 0, rule: null },
  ...{ countedTo: '0', trackingIds },
});
const close = (...usages: readonly ReturnType<typeof closed>[]) => {
  const request = { requestId: 'r', accountId: 'a', subscriptionId: 's', usages };
  const decision = usageClosing.decide({ type: 'UsageClosed', data: request }, usageClosing.initial);
  if ('rejected' in decision) throw new Error('refused');
  return decision.events.flatMap((event) => (event.type === 'UsageClosed' ? [event] : []));
};
const reports = (count: number, of = '') =>
  Array.from({ length: count }, (_, n) => `${of}report ${String(n)}`.padEnd(128, '한'));

describe('an answer to invoicing', () => {
  it('names the reports behind its quantities', () => {
    expect(close(closed(['one', 'two']))).toMatchObject([{ data: { usages: [{ trackingIds: ['one', 'two'] }] } }]);
  });

  it('fits into an event, however many reports there were: the first are named, and all are counted', () => {
    const [event] = close(closed(reports(10_000)), closed(reports(10_000, 'another ')));
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(600_000);
    const [first, second] = event?.data.usages ?? [];
    expect(first?.trackingIds?.length).toBeGreaterThan(1_000);
    expect(first?.trackingIds).toEqual(reports(10_000).slice(0, first?.trackingIds?.length));
    expect([first, second].map((one) => one?.quantity)).toEqual([decimal(7), decimal(7)]);
    expect(second?.records).toBe(10_000);
  });
});

it('of a subscription’s requests the newest are kept by name, and an older one that comes again closes nothing anew', async () => {
  const store = memoryEventStore();
  const handle = commandHandler({ store, decider: usageClosing, schema: usageClosingSchema });
  const ask = (n: number) =>
    handle(
      usageClosingStream('s'),
      { type: 'UsageClosed', data: { requestId: `r${n}`, accountId: 'a', subscriptionId: 's', usages: [] } },
      {
        ...{ commandId: `close r${n}`, tenantId: 't', actor: { createdBy: 'spec' } },
        ...{ at: instantOfMs(n), correlationId: 'c' },
      },
    );
  for (let n = 0; n < closingRequestsMax + 100; n += 1) await ask(n);
  expect((await handle.stateOf(usageClosingStream('s'))).requests).toHaveLength(closingRequestsMax);
  expect(await ask(3)).toMatchObject({ outcome: 'accepted', repeated: true });
  expect(await store.read(usageClosingStream('s'))).toHaveLength(closingRequestsMax + 100);
});
