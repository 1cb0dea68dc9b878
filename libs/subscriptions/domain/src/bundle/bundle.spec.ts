import { parseLocalDate } from '@billstream/kernel';
import { account, at, cancel, catalogWith, change, spec, start } from './bundle.fixtures';
import { type BundleEvent, type BundleState, evolve, subscriptionOf } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider, nextPlanned } from './bundle.decider';
import { planStateAt } from './plan-state';
import { timelineOf } from './timeline';

const run = (...commands: readonly BundleCommand[]): BundleState =>
  commands.reduce<BundleState>((state, command) => {
    const outcome = bundleDecider.decide(command, state);
    if ('rejected' in outcome) throw new Error(`${command.type}: ${outcome.rejected.code}`);
    return outcome.events.reduce(evolve, state);
  }, null);

const refusal = (state: BundleState, command: BundleCommand): string => {
  const outcome = bundleDecider.decide(command, state);
  return 'rejected' in outcome ? outcome.rejected.code : 'accepted';
};

const eventsOf = (state: BundleState, command: BundleCommand): readonly BundleEvent[] => {
  const outcome = bundleDecider.decide(command, state);
  return 'rejected' in outcome ? [] : outcome.events;
};

const timeline = (state: BundleState, id: string): readonly string[] => {
  const subscription = subscriptionOf(state, id);
  if (state === null || subscription === null) throw new Error(`no ${id}`);
  return timelineOf(state, subscription).map(
    ({ kind, effectiveAt, phase }) => `${kind} ${effectiveAt.slice(0, 10)} ${phase?.phaseName ?? '-'}`,
  );
};

const status = (state: BundleState, id: string, day: string): string => {
  const subscription = subscriptionOf(state, id);
  if (state === null || subscription === null) throw new Error(`no ${id}`);
  const { status: word, phase } = planStateAt(state, subscription, at(day));
  return `${word} ${phase.phaseName}`;
};

const chargedThrough = (subscriptionId: string, day: string, now: string): BundleCommand => {
  const chargedThroughDate = parseLocalDate(day);
  if (chargedThroughDate === null) throw new RangeError(day);
  return {
    type: 'RecordChargedThrough',
    data: { now: at(now), subscriptions: [{ subscriptionId, chargedThroughDate }] },
  };
};

const begun = start([spec('s1', 'small')], at('2024-01-10'));

describe('starting', () => {
  it('runs through the trial into the evergreen phase', () => {
    expect(timeline(run(begun), 's1')).toEqual(['START 2024-01-10 small-trial', 'PHASE 2024-02-09 small-evergreen']);
  });

  it('puts the whole timeline beside the start, and notes what was reached at once', () => {
    expect(eventsOf(null, begun).map(({ type }) => type)).toEqual([
      'BundleCreated',
      'SubscriptionStarted',
      'BillingTimelineChanged',
      'TransitionReached',
    ]);
  });

  it('names the first billable instant after the free phases', () => {
    expect(subscriptionOf(run(begun), 's1')?.firstBillableAt).toBe(at('2024-02-09'));
  });

  it('begins in the phase asked for', () => {
    expect(timeline(run(start([spec('s1', 'small', { startIn: 'EVERGREEN' })], at('2024-01-10'))), 's1')).toEqual([
      'START 2024-01-10 small-evergreen',
    ]);
  });

  it('is pending before a future start', () => {
    const state = run(
      start([spec('s1', 'small')], at('2024-01-10'), { entitlementAt: at('2024-02-01'), billingAt: at('2024-02-01') }),
    );
    expect(status(state, 's1', '2024-01-20')).toBe('PENDING small-trial');
    expect(status(state, 's1', '2024-02-01')).toBe('ACTIVE small-trial');
  });

  it('expires at the end of a fixed term', () => {
    const state = run(start([spec('s1', 'small-term')], at('2024-01-31')));
    expect(timeline(state, 's1')).toEqual(['START 2024-01-31 small-term-fixedterm', 'EXPIRED 2024-04-30 -']);
    expect(status(state, 's1', '2024-04-30')).toBe('EXPIRED small-term-fixedterm');
  });

  it.each([
    ['an unknown plan', spec('s1', 'none'), 'plan-unknown'],
    ['a phase the plan does not have', spec('s1', 'small', { startIn: 'DISCOUNT' }), 'phase-not-in-plan'],
    ['an add-on without a base', spec('s1', 'laser'), 'base-missing'],
    [
      'an unknown price list',
      spec('s1', '', { plan: { productName: 'Small', billingPeriod: 'MONTHLY', priceList: 'other' } }),
      'price-list-unknown',
    ],
    [
      'a period with no plan',
      spec('s1', '', { plan: { productName: 'Small', billingPeriod: 'ANNUAL', priceList: 'DEFAULT' } }),
      'no-plan-matches',
    ],
    [
      'a period with several plans',
      spec('s1', '', { plan: { productName: 'Small', billingPeriod: 'MONTHLY', priceList: 'DEFAULT' } }),
      'several-plans-match',
    ],
  ])('refuses %s', (_, one, code) => {
    expect(refusal(null, start([one], at('2024-01-10')))).toBe(code);
  });

  it('refuses a price that the account cannot pay in', () => {
    const { data } = begun;
    expect(
      refusal(null, { type: 'StartSubscriptions', data: { ...data, account: { ...data.account, currency: null } } }),
    ).toBe('no-price-in-currency');
  });
});

describe('a bundle', () => {
  it('takes a base with its add-ons, phases counted from the base by START_OF_BUNDLE', () => {
    const state = run(begun, start([spec('s2', 'scope')], at('2024-01-20')));
    expect(timeline(state, 's2')).toEqual(['START 2024-01-20 scope-trial', 'PHASE 2024-02-09 scope-evergreen']);
  });

  it('counts phases from the add-on itself by START_OF_SUBSCRIPTION', () => {
    const catalog = catalogWith({
      createAlignment: [{ when: { productCategory: 'ADD_ON' }, result: 'START_OF_SUBSCRIPTION' }],
    });
    const state = run(begun, start([spec('s2', 'scope')], at('2024-01-20'), { catalog }));
    expect(timeline(state, 's2')).toEqual(['START 2024-01-20 scope-trial', 'PHASE 2024-02-19 scope-evergreen']);
  });

  it.each([
    ['a second base', [spec('s1', 'small'), spec('s2', 'large')], 'base-exists'],
    ['a standalone beside a base', [spec('s1', 'small'), spec('s2', 'alone')], 'categories-mixed'],
    ['an add-on that the base holds already', [spec('s1', 'large'), spec('s2', 'scope')], 'add-on-included'],
  ])('refuses %s', (_, specs, code) => {
    expect(refusal(null, start(specs, at('2024-01-10')))).toBe(code);
  });

  it('takes the add-ons along when the base is cancelled, and gives them back when that is undone', () => {
    const both = run(
      start([spec('s1', 'small'), spec('s2', 'laser')], at('2024-01-10')),
      cancel('s1', at('2024-03-01'), { at: at('2024-04-01') }, { at: at('2024-04-01') }),
    );
    expect(timeline(both, 's2')).toEqual(['START 2024-01-10 laser-evergreen', 'CANCEL 2024-04-01 -']);
    const undone = eventsOf(both, { type: 'UndoCancellation', data: { subscriptionId: 's1', now: at('2024-03-02') } });
    expect(timeline(undone.reduce(evolve, both), 's2')).toEqual(['START 2024-01-10 laser-evergreen']);
    expect(undone.map(({ type }) => type)).toEqual([
      'CancellationUndone',
      'BillingTimelineChanged',
      'BillingTimelineChanged',
    ]);
  });

  it('ends an add-on that the new base plan includes, and keeps one that it offers', () => {
    const state = run(
      start([spec('s1', 'small'), spec('s2', 'scope'), spec('s3', 'laser')], at('2024-01-10')),
      change('s1', 'large', at('2024-03-01')),
    );
    expect(timeline(state, 's2').at(-1)).toBe('CANCEL 2024-03-01 -');
    expect(timeline(state, 's3')).toEqual(['START 2024-01-10 laser-evergreen']);
  });

  it('expires add-ons with the base', () => {
    const state = run(start([spec('s1', 'small-term'), spec('s2', 'laser')], at('2024-01-10')));
    expect(status(state, 's2', '2024-04-10')).toBe('EXPIRED laser-evergreen');
  });
});

describe('changing the plan', () => {
  it('takes effect at once under IMMEDIATE and does not grant a used trial again', () => {
    const state = run(begun, change('s1', 'large', at('2024-03-05')));
    expect(timeline(state, 's1')).toEqual([
      'START 2024-01-10 small-trial',
      'PHASE 2024-02-09 small-evergreen',
      'CHANGE 2024-03-05 large-evergreen',
    ]);
  });

  it('stays in the trial when it happens in the trial', () => {
    expect(timeline(run(begun, change('s1', 'large', at('2024-01-20'))), 's1')).toEqual([
      'START 2024-01-10 small-trial',
      'CHANGE 2024-01-20 large-trial',
      'PHASE 2024-02-09 large-evergreen',
    ]);
  });

  it('grants a new trial when phases count from the change', () => {
    const catalog = catalogWith({ changeAlignment: [{ when: {}, result: 'CHANGE_OF_PLAN' }] });
    expect(timeline(run(begun, change('s1', 'large', at('2024-03-05'), { catalog })), 's1').slice(2)).toEqual([
      'CHANGE 2024-03-05 large-trial',
      'PHASE 2024-04-04 large-evergreen',
    ]);
  });

  it('waits for the charged-through date under END_OF_TERM, and takes the place of what was pending', () => {
    const charged = run(
      begun,
      chargedThrough('s1', '2024-04-01', '2024-03-01'),
      change('s1', 'large', at('2024-03-05'), { policy: 'END_OF_TERM' }),
    );
    expect(timeline(charged, 's1').at(-1)).toBe('CHANGE 2024-04-01 large-evergreen');
    expect(status(charged, 's1', '2024-03-31')).toBe('ACTIVE small-evergreen');
    const again = eventsOf(charged, change('s1', 'large', at('2024-03-06'))).reduce(evolve, charged);
    expect(timeline(again, 's1').slice(2)).toEqual(['CHANGE 2024-03-06 large-evergreen']);
  });

  it('is now under END_OF_TERM when nothing is charged ahead', () => {
    const state = run(
      begun,
      chargedThrough('s1', '2024-03-01', '2024-03-01'),
      change('s1', 'large', at('2024-03-05'), { policy: 'END_OF_TERM' }),
    );
    expect(timeline(state, 's1').at(-1)).toBe('CHANGE 2024-03-05 large-evergreen');
  });

  it('can be undone while it is pending, and not after', () => {
    const state = run(begun, change('s1', 'large', at('2024-03-05'), { requestedAt: at('2024-03-10') }));
    const undone = eventsOf(state, {
      type: 'UndoPlanChange',
      data: { subscriptionId: 's1', now: at('2024-03-06') },
    }).reduce(evolve, state);
    expect(timeline(undone, 's1')).toHaveLength(2);
    expect(refusal(undone, { type: 'UndoPlanChange', data: { subscriptionId: 's1', now: at('2024-03-06') } })).toBe(
      'no-change-pending',
    );
  });

  it('refuses what the rules forbid, another category, and a date before the start', () => {
    const state = run(begun);
    const illegal = catalogWith({
      changePolicy: [
        { when: { toProduct: 'Large' }, result: 'ILLEGAL' },
        { when: {}, result: 'IMMEDIATE' },
      ],
    });
    expect(refusal(state, change('s1', 'large', at('2024-03-05'), { catalog: illegal }))).toBe('change-illegal');
    expect(refusal(state, change('s1', 'alone', at('2024-03-05')))).toBe('change-of-category');
    expect(refusal(state, change('s1', 'large', at('2024-03-05'), { requestedAt: at('2024-01-09') }))).toBe(
      'change-not-active',
    );
    expect(refusal(state, change('s9', 'large', at('2024-03-05')))).toBe('subscription-unknown');
  });

  it('asked for before the last transition takes effect with it', () => {
    const state = run(begun, change('s1', 'large', at('2024-03-05'), { requestedAt: at('2024-01-20') }));
    expect(timeline(state, 's1')).toContain('CHANGE 2024-02-09 large-evergreen');
  });

  it('is refused while a cancellation is pending', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), { at: at('2024-04-01') }, { at: at('2024-04-01') }));
    expect(refusal(state, change('s1', 'large', at('2024-03-06')))).toBe('change-pending-cancellation');
  });
});

describe('cancelling', () => {
  it('ends service now and billing at the charged-through date by the catalog', () => {
    const state = run(
      begun,
      chargedThrough('s1', '2024-04-01', '2024-03-01'),
      cancel('s1', at('2024-03-05'), { policy: 'IMMEDIATE' }),
    );
    expect(status(state, 's1', '2024-03-05')).toBe('CANCELLED small-evergreen');
    expect(timeline(state, 's1').at(-1)).toBe('CANCEL 2024-04-01 -');
  });

  it('keeps the subscription active until a planned end', () => {
    const state = run(
      begun,
      chargedThrough('s1', '2024-04-01', '2024-03-01'),
      cancel('s1', at('2024-03-05'), { policy: 'END_OF_TERM' }),
    );
    expect(status(state, 's1', '2024-03-31')).toBe('ACTIVE small-evergreen');
    expect(status(state, 's1', '2024-04-01')).toBe('CANCELLED small-evergreen');
  });

  it('steps back from the charged-through date under START_OF_TERM', () => {
    const state = run(
      begun,
      chargedThrough('s1', '2024-04-01', '2024-03-01'),
      cancel('s1', at('2024-03-05'), { policy: 'IMMEDIATE' }, { policy: 'START_OF_TERM' }),
    );
    expect(timeline(state, 's1').at(-1)).toBe('CANCEL 2024-03-01 -');
  });

  it('gives way to an earlier one, and refuses a later one', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), { at: at('2024-05-01') }, { at: at('2024-05-01') }));
    expect(refusal(state, cancel('s1', at('2024-03-06'), { at: at('2024-06-01') }, { at: at('2024-06-01') }))).toBe(
      'cancel-bad-state',
    );
    expect(refusal(state, cancel('s1', at('2024-03-06'), { policy: 'IMMEDIATE' }, { policy: 'IMMEDIATE' }))).toBe(
      'accepted',
    );
  });

  it('of what has not begun needs a date from the start on', () => {
    const state = run(
      start([spec('s1', 'small')], at('2024-01-10'), { entitlementAt: at('2024-02-01'), billingAt: at('2024-02-01') }),
    );
    expect(refusal(state, cancel('s1', at('2024-01-10'), { at: at('2024-01-11') }, { at: at('2024-01-11') }))).toBe(
      'requested-date-invalid',
    );
    expect(refusal(state, cancel('s1', at('2024-01-10'), { at: at('2024-02-01') }, { at: at('2024-02-01') }))).toBe(
      'accepted',
    );
  });
});

describe('blocking', () => {
  const pause = (stateName: string, day: string, blocks: boolean): BundleCommand => ({
    type: 'SetBlockingState',
    data: {
      now: at(day),
      state: {
        blockingId: `block-${day}`,
        type: 'SUBSCRIPTION_BUNDLE',
        blockedId: 'bundle-1',
        service: 'entitlement-service',
        stateName,
        blockChange: blocks,
        blockEntitlement: blocks,
        blockBilling: blocks,
        effectiveAt: at(day),
      },
    },
  });

  it('stops charging from the pause on and goes on with the phase of the time of the resume', () => {
    const state = run(begun, pause('ENT_BLOCKED', '2024-02-01', true), pause('ENT_CLEAR', '2024-03-10', false));
    expect(timeline(state, 's1')).toEqual([
      'START 2024-01-10 small-trial',
      'BILLING_DISABLED 2024-02-01 -',
      'BILLING_ENABLED 2024-03-10 small-evergreen',
    ]);
    expect(status(state, 's1', '2024-03-01')).toBe('BLOCKED small-evergreen');
  });

  it('refuses changes and add-ons, but not the cancellation', () => {
    const state = run(begun, pause('ENT_BLOCKED', '2024-02-01', true));
    expect(refusal(state, change('s1', 'large', at('2024-02-02')))).toBe('change-blocked');
    expect(refusal(state, start([spec('s2', 'laser')], at('2024-02-02')))).toBe('change-blocked');
    expect(refusal(state, cancel('s1', at('2024-02-02'), { policy: 'IMMEDIATE' }))).toBe('accepted');
  });
});

describe('days and quantities', () => {
  it('are transitions of their own inside a phase', () => {
    const state = run(
      begun,
      {
        type: 'ChangeBillCycleDay',
        data: {
          subscriptionId: 's1',
          changeId: 'd1',
          from: parseLocalDate('2024-03-01'),
          billCycleDayLocal: 15,
          now: at('2024-02-20'),
        },
      },
      {
        type: 'ChangeQuantity',
        data: {
          subscriptionId: 's1',
          changeId: 'q1',
          effectiveAt: at('2024-03-05'),
          quantity: 3,
          account,
          now: at('2024-02-20'),
        },
      },
    );
    expect(timeline(state, 's1').slice(2)).toEqual([
      'QUANTITY_CHANGE 2024-03-05 small-evergreen',
      'BCD_CHANGE 2024-03-15 small-evergreen',
    ]);
  });
});

describe('due work', () => {
  it('notes a planned phase once its time has come, and looks ahead to the next one', () => {
    const state = run(begun);
    expect(state && nextPlanned(state)?.dueAt).toBe(at('2024-02-09'));
    const events = eventsOf(state, { type: 'ReachTransitions', data: { now: at('2024-02-09') } });
    expect(events.map(({ type }) => type)).toEqual(['TransitionReached']);
    const reached = events.reduce(evolve, state);
    expect(reached && nextPlanned(reached)).toBeNull();
  });
});
