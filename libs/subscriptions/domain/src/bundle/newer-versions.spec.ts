import { type Instant, decimal, plusMs } from '@billstream/kernel';
import * as fc from 'fast-check';
import type { Catalog, CatalogPhase, CatalogVersion } from '../catalog/catalog';
import { type BundleState, evolve, subscriptionOf } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider } from './bundle.decider';
import { account, at, cancel, catalogWith, change, phase, plan, spec, start } from './bundle.fixtures';
import { phaseStartedAt } from './plan-state';
import { timelineOf } from './timeline';

const [first] = catalogWith({ billingAlignment: [{ when: {}, result: 'SUBSCRIPTION' }] });

const priced = (one: CatalogPhase, price: string): CatalogPhase =>
  one.recurring === null ? one : { ...one, recurring: { ...one.recurring, prices: { USD: decimal(price) } } };

/** A version in which the plan `small` has another price, and existing subscriptions get it from a date on. */
const version = (
  effectiveDate: string,
  price: string,
  existing: string | null,
  more: Partial<CatalogVersion> = {},
) => ({
  ...first!,
  effectiveDate: at(effectiveDate),
  plans: first!.plans.map((one) =>
    one.name === 'small'
      ? {
          ...plan('small', 'Small', [phase('trial'), priced(phase('evergreen'), price)]),
          effectiveDateForExistingSubscriptions: existing === null ? null : at(existing),
        }
      : one,
  ),
  ...more,
});

const aligned = (catalog: Catalog): Catalog =>
  catalog.map((one) => ({ ...one, alignsExistingSubscriptions: true as const }));

const done = (commands: readonly BundleCommand[]): BundleState =>
  commands.reduce<BundleState>((state, command) => {
    const outcome = bundleDecider.decide(command, state);
    if ('rejected' in outcome) throw new Error(JSON.stringify(outcome.rejected));
    return outcome.events.reduce(evolve, state);
  }, null);

const timeline = (state: BundleState) => {
  const subscription = subscriptionOf(state, 's1');
  if (state === null || subscription === null) throw new Error('there is no subscription');
  return timelineOf(state, subscription).map(
    ({ kind, effectiveAt, phase: one }) => `${kind} ${effectiveAt.slice(0, 10)} ${one?.recurring?.price ?? '-'}`,
  );
};

const follow = (catalog: Catalog, now: Instant): BundleCommand => ({
  type: 'FollowCatalog',
  data: { account, catalog, now },
});
const begin = at('2024-01-10');
const old = version('2023-01-01', '20', null);

describe('newer versions of a plan', () => {
  it('known at the start are planned for, and carried into later phases', () => {
    const catalog = [old, version('2024-02-01', '30', '2024-04-01'), version('2024-05-01', '40', '2024-06-15')];
    expect(timeline(done([start([spec('s1', 'small')], begin, { catalog })]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 20',
      'CHANGE 2024-04-01 30',
      'CHANGE 2024-06-15 40',
    ]);
  });

  it('are told from what somebody changed', () => {
    const catalog = [old, version('2024-02-01', '30', '2024-04-01')];
    const state = done([start([spec('s1', 'small')], begin, { catalog })]);
    const subscription = subscriptionOf(state, 's1');
    const transitions = state === null || subscription === null ? [] : timelineOf(state, subscription);
    expect(transitions.map(({ kind, isNewVersion }) => [kind, isNewVersion])).toEqual([
      ['START', undefined],
      ['PHASE', undefined],
      ['CHANGE', true],
    ]);
  });

  it('leave existing subscriptions alone without a date for them', () => {
    const catalog = [old, version('2024-02-01', '30', null)];
    expect(timeline(done([start([spec('s1', 'small')], begin, { catalog })]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 20',
    ]);
  });

  it('change nothing inside a phase that charges nothing new, and are there when the next begins', () => {
    const catalog = [old, version('2024-01-20', '30', '2024-01-25')];
    expect(timeline(done([start([spec('s1', 'small')], begin, { catalog })]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 30',
    ]);
  });

  it('wait for the next bill date when the tenant aligns them, and follow a changed bill cycle day', () => {
    const catalog = aligned([old, version('2024-02-01', '30', '2024-04-01')]);
    const started = start([spec('s1', 'small')], begin, { catalog });
    expect(timeline(done([started]))).toContain('CHANGE 2024-04-09 30');
    const day: BundleCommand = {
      type: 'ChangeBillCycleDay',
      data: {
        subscriptionId: 's1',
        changeId: 'd1',
        from: null,
        billCycleDayLocal: 20,
        now: at('2024-03-01'),
      },
    };
    expect(timeline(done([started, day]))).toContain('CHANGE 2024-04-20 30');
  });

  it('of which two wait for the same bill date: the newest counts', () => {
    const catalog = aligned([
      old,
      version('2024-02-01', '30', '2024-04-10'),
      version('2024-03-01', '40', '2024-04-12'),
    ]);
    expect(timeline(done([start([spec('s1', 'small')], begin, { catalog })]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 20',
      'CHANGE 2024-05-09 40',
    ]);
  });

  it('uploaded after their date hold from when they are known, and rewrite nothing', () => {
    const started = start([spec('s1', 'small')], begin, { catalog: [old] });
    const known = [old, version('2024-02-01', '30', '2024-03-01')];
    expect(timeline(done([started, follow(known, at('2024-05-05'))]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 20',
      'CHANGE 2024-05-05 30',
    ]);
  });

  it('told twice, or told to a subscription that has ended, record nothing', () => {
    const known = [old, version('2024-02-01', '30', '2024-07-01')];
    const state = done([start([spec('s1', 'small')], begin, { catalog: [old] }), follow(known, at('2024-05-05'))]);
    expect(bundleDecider.decide(follow(known, at('2024-05-06')), state)).toEqual({ events: [] });
    const passed = done([
      start([spec('s1', 'small')], begin, { catalog: [old] }),
      cancel('s1', at('2024-03-01'), { policy: 'IMMEDIATE' }, { policy: 'IMMEDIATE' }),
    ]);
    const outcome = bundleDecider.decide(follow(known, at('2024-05-05')), passed);
    expect('events' in outcome && outcome.events.filter(({ type }) => type === 'NewerVersionsRecorded')).toEqual([]);
  });

  it('keep to the prices that were agreed', () => {
    const catalog = [old, version('2024-02-01', '30', '2024-04-01')];
    const priceOverrides = [
      { phaseName: 'small-evergreen', phaseType: null, fixedPrice: null, recurringPrice: decimal('15'), usages: [] },
    ];
    expect(timeline(done([start([spec('s1', 'small', { priceOverrides })], begin, { catalog })]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 15',
    ]);
  });

  it('give way to a change of plan, and are back when it is undone', () => {
    const catalog = [old, version('2024-02-01', '30', '2024-04-01')];
    const started = start([spec('s1', 'small')], begin, { catalog });
    const changed = change('s1', 'large', at('2024-02-20'), { requestedAt: at('2024-03-20'), catalog });
    expect(timeline(done([started, changed]))).not.toContain('CHANGE 2024-04-01 30');
    const undone = done([
      started,
      changed,
      { type: 'UndoPlanChange', data: { subscriptionId: 's1', now: at('2024-02-21') } },
    ]);
    expect(timeline(undone)).toContain('CHANGE 2024-04-01 30');
  });

  it('are no start of a phase to those who ask for one', () => {
    const catalog = [old, version('2024-02-01', '30', '2024-04-01')];
    const state = done([start([spec('s1', 'small')], begin, { catalog })]);
    const subscription = subscriptionOf(state, 's1');
    expect(phaseStartedAt(state!, subscription!, at('2024-05-01'))).toBe(at('2024-02-09'));
  });

  it('that fall out of a catalog before their date move nobody', () => {
    const catalog = [old, version('2024-02-01', '30', '2024-04-01'), version('2024-05-01', '40', '2024-06-15')];
    const started = start([spec('s1', 'small')], begin, { catalog });
    expect(timeline(done([started, follow([old], at('2024-05-05'))]))).toEqual([
      'START 2024-01-10 -',
      'PHASE 2024-02-09 20',
      'CHANGE 2024-04-01 30',
    ]);
  });

  it('keep every timeline in order, one transition an instant within a phase, whatever the dates', () => {
    const offsets = fc.record({ begins: fc.integer({ min: 1, max: 300 }), later: fc.nat(90), price: fc.nat(100) });
    fc.assert(
      fc.property(
        fc.array(offsets, { maxLength: 6 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 31 }),
        (all, aligns, day) => {
          const after = (days: number): string => plusMs(begin, days * 86_400_000);
          const dates = [...new Map(all.map((one) => [one.begins, one])).values()].sort((a, b) => a.begins - b.begins);
          const versions = dates.map(({ begins, later, price }) =>
            version(after(begins), String(price), after(begins + later)),
          );
          const catalog = aligns ? aligned([old, ...versions]) : [old, ...versions];
          const state = done([start([spec('s1', 'small', { billCycleDayLocal: day })], begin, { catalog })]);
          const times = timelineOf(state!, subscriptionOf(state, 's1')!).map(({ effectiveAt }) => effectiveAt);
          expect(times).toEqual([...new Set(times)].sort());
        },
      ),
    );
  });
});
