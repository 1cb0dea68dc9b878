import { derivedId, parseCurrency } from '@billstream/kernel';
import { account, at, cancel, catalogWith, change, spec, start } from './bundle.fixtures';
import { type Bundle, type BundleState, evolve, subscriptionOf } from './bundle';
import type { BundleCommand, ReceiveBundle } from './bundle.commands';
import { bundleDecider } from './bundle.decider';
import { planStateAt } from './plan-state';
import { timelineOf } from './timeline';
import { transferredId } from './transfer-bundle';

const run = (state: BundleState, ...commands: readonly BundleCommand[]): Bundle => {
  const after = commands.reduce<BundleState>((current, command) => {
    const outcome = bundleDecider.decide(command, current);
    if ('rejected' in outcome) throw new Error(`${command.type}: ${outcome.rejected.code}`);
    return outcome.events.reduce(evolve, current);
  }, state);
  if (after === null) throw new Error('no bundle');
  return after;
};

const transferId = derivedId('a transfer');
const now = at('2024-02-20');
const handOver = (billing: 'IMMEDIATE' | 'END_OF_TERM', effectiveAt = now): BundleCommand => ({
  type: 'HandOverBundle',
  data: { transferId, effectiveAt, billing, now },
});
const receive = (source: Bundle, more: Partial<ReceiveBundle> = {}): BundleCommand => ({
  type: 'ReceiveBundle',
  data: {
    bundleId: 'bundle-2',
    source,
    transferId,
    effectiveAt: now,
    account: { ...account, accountId: 'account-2' },
    repricedFrom: null,
    billCycleDay: 'USE_EXISTING',
    externalKeys: {},
    accountStates: [],
    now,
    ...more,
  },
});
const timeline = (bundle: Bundle, id: string): readonly string[] => {
  const subscription = subscriptionOf(bundle, id);
  if (subscription === null) throw new Error(`no ${id}`);
  return timelineOf(bundle, subscription).map(
    ({ kind, effectiveAt, phase }) => `${kind} ${effectiveAt.slice(0, 10)} ${phase?.phaseName ?? '-'}`,
  );
};

const begun = start([spec('s1', 'small'), spec('s2', 'laser')], at('2024-01-10'));
const chargedTo = (chargedThroughDate: string): BundleCommand => ({
  type: 'RecordChargedThrough',
  data: { now, subscriptions: [{ subscriptionId: 's1', chargedThroughDate: chargedThroughDate as never }] },
});

describe('handing a bundle over', () => {
  it('ends service at the transfer and billing where it was charged through, or at once', () => {
    const term = run(null, begun, chargedTo('2024-03-09'), handOver('END_OF_TERM'));
    expect(subscriptionOf(term, 's1')?.cancellation).toMatchObject({ entitlementAt: now, billingAt: at('2024-03-09') });
    const atOnce = run(null, begun, chargedTo('2024-03-09'), handOver('IMMEDIATE'));
    expect(subscriptionOf(atOnce, 's1')?.cancellation).toMatchObject({ entitlementAt: now, billingAt: now });
  });

  it('before it begins moves it whole', () => {
    const ahead = run(null, begun, handOver('IMMEDIATE', at('2024-01-01')));
    expect(subscriptionOf(ahead, 's1')?.cancellation).toMatchObject({
      entitlementAt: at('2024-01-10'),
      billingAt: at('2024-01-10'),
    });
    const received = run(null, receive(ahead, { effectiveAt: at('2024-01-01') }));
    expect(timeline(received, transferredId(transferId, 's1'))[0]).toBe('START 2024-01-10 small-trial');
  });

  it('is refused where nothing lives and where changes are blocked', () => {
    const refusal = (state: Bundle, command: BundleCommand): string => {
      const outcome = bundleDecider.decide(command, state);
      return 'rejected' in outcome ? outcome.rejected.code : 'accepted';
    };
    const ended = run(null, begun, cancel('s1', at('2024-01-20'), { policy: 'IMMEDIATE' }, { policy: 'IMMEDIATE' }));
    expect(refusal(ended, handOver('IMMEDIATE'))).toBe('nothing-to-transfer');
    const state = {
      blockingId: 'b1',
      type: 'ACCOUNT' as const,
      blockedId: account.accountId,
      service: 'fraud',
      stateName: 'SUSPECT',
      blockChange: true,
      blockEntitlement: false,
      blockBilling: false,
      effectiveAt: at('2024-02-01'),
    };
    const blocked = run(null, begun, { type: 'SetBlockingState', data: { state, now } });
    expect(refusal(blocked, handOver('IMMEDIATE'))).toBe('change-blocked');
  });
});

describe('receiving a bundle', () => {
  it('goes on with each subscription where it was, without a second trial', () => {
    const received = run(null, receive(run(null, begun, handOver('END_OF_TERM'))));
    expect(received).toMatchObject({ accountId: 'account-2', externalKey: 'key-1' });
    expect(received.subscriptions.map(({ sourceType }) => sourceType)).toEqual(['TRANSFERRED', 'TRANSFERRED']);
    expect(timeline(received, transferredId(transferId, 's1'))).toEqual(['START 2024-02-20 small-evergreen']);
    expect(subscriptionOf(received, transferredId(transferId, 's1'))?.firstBillableAt).toBe(now);
  });

  it('keeps what is planned: phases to come, a pending change, the quantity', () => {
    const early = at('2024-01-20');
    const source = run(
      null,
      begun,
      {
        type: 'ChangeQuantity',
        data: { subscriptionId: 's1', changeId: 'q1', effectiveAt: early, quantity: 4, account, now: early },
      },
      change('s1', 'large', early, { requestedAt: at('2024-03-01') }),
      { type: 'HandOverBundle', data: { transferId, effectiveAt: early, billing: 'IMMEDIATE', now: early } },
    );
    const received = run(null, receive(source, { effectiveAt: early, now: early }));
    const id = transferredId(transferId, 's1');
    expect(timeline(received, id)).toEqual([
      'START 2024-01-20 small-trial',
      'PHASE 2024-02-09 small-evergreen',
      'CHANGE 2024-03-01 large-evergreen',
    ]);
    const moved = subscriptionOf(received, id);
    expect(moved && planStateAt(received, moved, early).quantity).toBe(4);
  });

  it('takes prices in the new currency, a day of its own only when told to, and happens once', () => {
    const euro = { ...account, accountId: 'account-2', currency: parseCurrency('EUR') };
    const source = run(null, begun, handOver('IMMEDIATE'));
    const command = receive(source, { account: euro, repricedFrom: catalogWith(), billCycleDay: 'ALIGN_WITH_EFF_DT' });
    const received = run(null, command);
    const moved = subscriptionOf(received, transferredId(transferId, 's1'));
    expect(moved?.dayChanges.map(({ billCycleDayLocal }) => billCycleDayLocal)).toEqual([20]);
    expect(bundleDecider.decide(command, received)).toEqual({ events: [] });
  });
});
