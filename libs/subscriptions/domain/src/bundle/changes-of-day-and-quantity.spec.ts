import { epochMs, instantOfMs, parseLocalDate } from '@billstream/kernel';
import { account, at, spec, start } from './bundle.fixtures';
import { type BundleEvent, type BundleState, evolve, subscriptionOf } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider } from './bundle.decider';
import { bundleSchema } from './bundle.schema';

const run = (...commands: readonly BundleCommand[]): BundleState =>
  commands.reduce<BundleState>((state, command) => {
    const outcome = bundleDecider.decide(command, state);
    if ('rejected' in outcome) throw new Error(`${command.type}: ${outcome.rejected.code}`);
    return outcome.events.reduce(evolve, state);
  }, null);

const begun = start([spec('s1', 'small')], at('2024-01-10'));
const dayFrom = (billCycleDayLocal: number, now: string, from: string | null = null): BundleCommand => ({
  type: 'ChangeBillCycleDay',
  data: {
    subscriptionId: 's1',
    changeId: 'd1',
    from: from === null ? null : parseLocalDate(from),
    billCycleDayLocal,
    now: at(now),
  },
});

describe('a bill cycle day', () => {
  it.each([
    [15, '2024-02-10', null, '2024-02-15T00:00:00.000Z'],
    [5, '2024-02-10', null, '2024-03-05T00:00:00.000Z'],
    [31, '2024-02-10', null, '2024-02-29T00:00:00.000Z'],
    [15, '2024-02-10', '2024-02-20', '2024-03-15T00:00:00.000Z'],
    [20, '2024-02-10', '2024-02-20', '2024-02-20T00:00:00.000Z'],
    [10, '2024-02-10T07:30:00Z', null, '2024-02-10T07:30:00.000Z'],
    [5, '2024-01-02', null, '2024-02-05T00:00:00.000Z'],
    [2, '2024-01-02', null, '2024-02-02T00:00:00.000Z'],
    [15, '2024-01-02', '2023-11-20', '2024-01-15T00:00:00.000Z'],
  ])('%i asked for on %s from %s on counts from %s', (day, now, from, effectiveAt) => {
    const state = run(begun, dayFrom(day, now, from));
    expect(subscriptionOf(state, 's1')?.dayChanges).toEqual([{ changeId: 'd1', effectiveAt, billCycleDayLocal: day }]);
  });
  it.each([
    [15, null, '2024-01-15T00:00:00.000Z'],
    [3, null, '2024-02-03T00:00:00.000Z'],
    [31, '2023-11-30', '2024-01-31T00:00:00.000Z'],
  ])('%i asked for in November from %s on counts from %s, when billing has begun', (day, from, effectiveAt) => {
    const state = run(begun, dayFrom(day, '2023-11-03', from));
    expect(subscriptionOf(state, 's1')?.dayChanges).toMatchObject([{ effectiveAt }]);
  });
});

describe('a quantity', () => {
  it('is refused when no invoice could state what it costs', () => {
    const now = at('2024-02-10');
    const command: BundleCommand = {
      type: 'ChangeQuantity',
      data: { subscriptionId: 's1', changeId: 'q1', effectiveAt: now, quantity: 1_000_000_000_000, account, now },
    };
    expect(bundleDecider.decide(command, run(begun))).toMatchObject({ rejected: { code: 'amount-too-large' } });
  });
});

describe('five hundred quantities of a subscription', () => {
  const told = (): Extract<BundleEvent, { readonly type: 'BillingTimelineChanged' }> => {
    const changeAt = (change: number) => ({
      ...{ subscriptionId: 's1', changeId: `q${change}`, quantity: 1 + (change % 2) },
      effectiveAt: instantOfMs(epochMs(at('2024-01-11')) + change * 86_400_000),
    });
    const changes = Array.from({ length: 499 }, (_, n): BundleEvent => ({
      type: 'QuantityChanged',
      data: changeAt(n),
    }));
    const last = changeAt(499);
    const command = { type: 'ChangeQuantity' as const, data: { ...last, account, now: last.effectiveAt } };
    const outcome = bundleDecider.decide(command, changes.reduce(evolve, run(begun)));
    const events = 'rejected' in outcome ? [] : outcome.events;
    const timeline = events.find((event) => event.type === 'BillingTimelineChanged');
    if (timeline === undefined) throw new Error('no timeline was told');
    return timeline;
  };

  it('are told by events far below what a store takes at once, and read back as they were told', () => {
    const timeline = told();
    const stored = bundleSchema.encode(timeline);
    const text = JSON.stringify(stored.data);
    expect(timeline.data.transitions).toHaveLength(501);
    expect(text.length).toBeLessThan(120_000);
    const again = bundleSchema.decode({ type: stored.type, data: JSON.parse(text) as object });
    expect(JSON.stringify(again)).toBe(JSON.stringify(timeline));
  });
});

describe('timelines that change together', () => {
  it('are marked as followed, all but the last', () => {
    const outcome = bundleDecider.decide(start([spec('s1', 'small'), spec('s2', 'laser')], at('2024-01-10')), null);
    const events = 'rejected' in outcome ? [] : outcome.events;
    const marks = events.flatMap((event) => (event.type === 'BillingTimelineChanged' ? [event.data.isFollowed] : []));
    expect(marks).toEqual([true, undefined]);
  });
});
