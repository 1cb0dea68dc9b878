import { at, cancel, change, spec, start } from './bundle.fixtures';
import { type Bundle, type BundleState, evolve, subscriptionOf } from './bundle';
import type { BundleCommand } from './bundle.commands';
import { bundleDecider } from './bundle.decider';
import { entitlementEnd } from './lifetime';

const decided = (state: BundleState, command: BundleCommand) => bundleDecider.decide(command, state);
const refusal = (state: BundleState, command: BundleCommand): string => {
  const outcome = decided(state, command);
  return 'rejected' in outcome ? outcome.rejected.code : 'accepted';
};
const run = (...commands: readonly BundleCommand[]): Bundle => {
  const after = commands.reduce<BundleState>((state, command) => {
    const outcome = decided(state, command);
    if ('rejected' in outcome) throw new Error(`${command.type}: ${outcome.rejected.code}`);
    return outcome.events.reduce(evolve, state);
  }, null);
  if (after === null) throw new Error('no bundle');
  return after;
};
const undo = (day: string): BundleCommand => ({
  type: 'UndoCancellation',
  data: { subscriptionId: 's1', now: at(day) },
});

const begun = start([spec('s1', 'small')], at('2024-01-10'));
const dates = [{ at: at('2024-03-20') }, { at: at('2024-05-01') }] as const;

describe('a cancellation', () => {
  it('that is asked for again changes nothing', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), ...dates));
    expect(decided(state, cancel('s1', at('2024-03-06'), ...dates))).toEqual({ events: [] });
  });

  it('asked for in the second of the start ends it there', () => {
    const inSecond = start([spec('s1', 'small')], at('2024-01-10T07:00:00.700Z'));
    const early = { at: at('2024-01-10T07:00:00Z') };
    const state = run(inSecond, cancel('s1', at('2024-01-10T07:00:01Z'), early, early));
    expect(subscriptionOf(state, 's1')?.cancellation).toMatchObject({
      entitlementAt: at('2024-01-10T07:00:00.700Z'),
      billingAt: at('2024-01-10T07:00:00.700Z'),
    });
    expect(refusal(run(inSecond), change('s1', 'large', at('2024-01-10T07:00:01Z'), { requestedAt: early.at }))).toBe(
      'accepted',
    );
  });

  it('keeps the earlier end of service when billing is to end earlier', () => {
    const state = run(
      begun,
      cancel('s1', at('2024-03-05'), ...dates),
      cancel('s1', at('2024-03-06'), { at: at('2024-04-20') }, { at: at('2024-04-25') }),
    );
    expect(subscriptionOf(state, 's1')?.cancellation).toMatchObject({
      entitlementAt: at('2024-03-20'),
      billingAt: at('2024-04-25'),
    });
  });

  it('is not repeated once service has ended, whenever billing does', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), ...dates));
    const again = cancel('s1', at('2024-03-21'), { policy: 'IMMEDIATE' }, { policy: 'IMMEDIATE' });
    expect(refusal(state, again)).toBe('cancel-bad-state');
  });

  it('is undone after service has ended, until billing has', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), ...dates));
    expect(refusal(state, undo('2024-04-30'))).toBe('accepted');
    expect(refusal(state, undo('2024-05-01'))).toBe('billing-already-cancelled');
    expect(refusal(run(begun), undo('2024-03-06'))).toBe('no-cancellation-pending');
  });

  it('by a transfer is not undone', () => {
    const handOver: BundleCommand = {
      type: 'HandOverBundle',
      data: { transferId: 't', effectiveAt: at('2024-03-05'), billing: 'END_OF_TERM', now: at('2024-03-05') },
    };
    const charged: BundleCommand = {
      type: 'RecordChargedThrough',
      data: {
        now: at('2024-03-05'),
        subscriptions: [{ subscriptionId: 's1', chargedThroughDate: '2024-04-01' as never }],
      },
    };
    expect(refusal(run(begun, charged, handOver), undo('2024-03-06'))).toBe('no-cancellation-pending');
  });

  it('leaves the place of the base plan taken until billing has ended', () => {
    const state = run(begun, cancel('s1', at('2024-03-05'), ...dates));
    const another = (day: string) => decided(state, start([spec('s2', 'small')], at(day)));
    expect(another('2024-04-30')).toMatchObject({ rejected: { code: 'base-exists' } });
    expect(another('2024-05-01')).not.toHaveProperty('rejected');
  });

  it('leaves the key free with the end of service; a bundle that gave it up is undone under its other name', () => {
    const { externalKey } = run(begun);
    const giveUp: BundleCommand = {
      type: 'GiveUpKey',
      data: { now: at('2024-03-21'), externalKey, renamedTo: 'cncl-1' },
    };
    const renamed = run(begun, cancel('s1', at('2024-03-05'), ...dates), giveUp, undo('2024-03-22'));
    expect(renamed.externalKey).toBe('cncl-1');
  });
});

describe('a fixed term', () => {
  const term = start([spec('s1', 'small-term')], at('2024-01-10'));
  const end = { at: at('2024-04-10') };
  const past = { at: at('2024-04-11') };

  it('is cancelled until its end, not after', () => {
    expect(refusal(run(term), cancel('s1', at('2024-02-20'), past, past))).toBe('cancel-bad-state');
    expect(refusal(run(term), cancel('s1', at('2024-02-20'), end, end))).toBe('accepted');
  });

  it('is left for another plan until its end, not after', () => {
    const left = (requestedAt: string) => change('s1', 'large', at('2024-02-20'), { requestedAt: at(requestedAt) });
    expect(refusal(run(term), left('2024-04-11'))).toBe('change-pending-expiry');
    const changed = run(term, left('2024-03-01'));
    const subscription = subscriptionOf(changed, 's1');
    expect(subscription === null ? undefined : entitlementEnd(changed, subscription)).toBeNull();
  });
});
