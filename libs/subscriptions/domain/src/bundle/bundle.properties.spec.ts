import { epochMs, plusMs } from '@billstream/kernel';
import * as fc from 'fast-check';
import { type BundleState, evolve } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider } from './bundle.decider';
import { at, cancel, change, spec, start } from './bundle.fixtures';
import { timelineOf } from './timeline';

const dayMs = 86_400_000;
const begin = at('2024-01-10');
const plans = ['small', 'large', 'small-term', 'scope', 'laser', 'alone'] as const;
const ids = ['s1', 's2', 's3'] as const;

const commandOn = (now: ReturnType<typeof at>) =>
  fc.oneof(
    fc
      .record({ id: fc.constantFrom(...ids), plan: fc.constantFrom(...plans) })
      .map(({ id, plan }): BundleCommand => start([spec(`${id}-${now}`, plan)], now)),
    fc
      .record({
        id: fc.constantFrom(...ids),
        plan: fc.constantFrom(...plans),
        ahead: fc.option(fc.nat(90)),
        policy: fc.constantFrom(null, 'IMMEDIATE' as const, 'END_OF_TERM' as const),
      })
      .map(({ id, plan, ahead, policy }): BundleCommand =>
        change(id, plan, now, ahead === null ? { policy } : { requestedAt: plusMs(now, ahead * dayMs) }),
      ),
    fc
      .record({ id: fc.constantFrom(...ids), ahead: fc.nat(90) })
      .map(({ id, ahead }): BundleCommand =>
        cancel(id, now, { at: plusMs(now, ahead * dayMs) }, { at: plusMs(now, ahead * dayMs) }),
      ),
    fc
      .constantFrom(...ids)
      .map((subscriptionId): BundleCommand => ({ type: 'UndoCancellation', data: { subscriptionId, now } })),
    fc
      .constantFrom(...ids)
      .map((subscriptionId): BundleCommand => ({ type: 'UndoPlanChange', data: { subscriptionId, now } })),
    fc.record({ blocks: fc.boolean(), ahead: fc.nat(60) }).map(({ blocks, ahead }): BundleCommand => ({
      type: 'SetBlockingState',
      data: {
        now,
        state: {
          blockingId: `block-${now}`,
          type: 'SUBSCRIPTION_BUNDLE',
          blockedId: 'bundle-1',
          service: 'test',
          stateName: blocks ? 'off' : 'on',
          blockChange: false,
          blockEntitlement: blocks,
          blockBilling: blocks,
          effectiveAt: plusMs(now, ahead * dayMs),
        },
      },
    })),
    fc.constant<BundleCommand>({ type: 'ReachTransitions', data: { now } }),
  );

const histories = fc
  .array(fc.nat(40), { maxLength: 12 })
  .chain((gaps) => {
    let now = begin;
    return fc.tuple(...gaps.map((days) => commandOn((now = plusMs(now, days * dayMs)))));
  })
  .map((later): readonly BundleCommand[] => [
    start([spec('s1', 'small'), spec('s2', 'scope'), spec('s3', 'laser')], begin),
    ...later,
  ]);

const play = (commands: readonly BundleCommand[]): BundleState =>
  commands.reduce<BundleState>((state, command) => {
    const outcome = bundleDecider.decide(command, state);
    return 'rejected' in outcome ? state : outcome.events.reduce(evolve, state);
  }, null);

test('every timeline is sorted, has one name per transition, and charges nothing after its end', () => {
  fc.assert(
    fc.property(histories, (commands) => {
      const bundle = play(commands);
      for (const subscription of bundle?.subscriptions ?? []) {
        const timeline = timelineOf(bundle!, subscription);
        const times = timeline.map(({ effectiveAt }) => epochMs(effectiveAt));
        expect(times).toEqual(times.toSorted((a, b) => a - b));
        expect(new Set(timeline.map(({ transitionId }) => transitionId)).size).toBe(timeline.length);
        const end = timeline.findIndex(({ kind }) => kind === 'CANCEL' || kind === 'EXPIRED');
        expect(end === -1 || end === timeline.length - 1).toBe(true);
        for (const { kind, phase } of timeline)
          expect(phase === null).toBe(['CANCEL', 'EXPIRED', 'BILLING_DISABLED'].includes(kind));
      }
    }),
    { numRuns: 60 },
  );
});

test('the last published timeline of a subscription is its timeline', () => {
  fc.assert(
    fc.property(histories, (commands) => {
      const published = new Map<string, unknown>();
      let state: BundleState = null;
      for (const command of commands) {
        const outcome = bundleDecider.decide(command, state);
        if ('rejected' in outcome) continue;
        for (const event of outcome.events)
          if (event.type === 'BillingTimelineChanged') published.set(event.data.subscriptionId, event.data.transitions);
        state = outcome.events.reduce(evolve, state);
      }
      const bundle = state;
      for (const one of bundle?.subscriptions ?? [])
        expect(published.get(one.subscriptionId)).toEqual(timelineOf(bundle!, one));
    }),
    { numRuns: 40 },
  );
});

test('a state survives JSON, so that a read model can keep it', () => {
  fc.assert(
    fc.property(histories, (commands) => {
      const bundle = play(commands);
      expect(JSON.parse(JSON.stringify(bundle))).toEqual(bundle);
    }),
    { numRuns: 30 },
  );
});
