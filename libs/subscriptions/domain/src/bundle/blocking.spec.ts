import { type Instant, parseInstant } from '@billstream/kernel';
import { blockingAt } from './blocking';
import type { BlockingState, Bundle } from './bundle';

const at = (text: string): Instant => {
  const instant = parseInstant(text);
  if (instant === null) throw new RangeError(text);
  return instant;
};
const state = (stateName: string, when: string, facts: Partial<BlockingState> = {}): BlockingState => ({
  blockingId: stateName,
  type: 'ACCOUNT',
  blockedId: 'account',
  service: 'overdue-service',
  stateName,
  blockChange: stateName !== 'CLEAR',
  blockEntitlement: false,
  blockBilling: false,
  effectiveAt: at(when),
  ...facts,
});
const bundle = (...blockingStates: readonly BlockingState[]): Bundle => ({
  bundleId: 'bundle',
  accountId: 'account',
  externalKey: 'bundle',
  time: { timeZone: 'UTC', referenceTime: at('2012-05-01T00:00:00Z') },
  subscriptions: [],
  blockingStates,
});
const namesAt = (when: string, ...states: readonly BlockingState[]) =>
  blockingAt(bundle(...states), null, at(when)).map(({ stateName }) => stateName);

describe('a blocking state', () => {
  it('that was planned is in force from its instant on', () => {
    const planned = state('LATE', '2012-07-20T00:03:44Z');
    expect(namesAt('2012-07-20T00:03:42Z', planned)).toEqual([]);
    expect(namesAt('2012-07-20T00:03:44Z', planned)).toEqual(['LATE']);
  });

  it('that is a fact stays so for a clock that was put back', () => {
    const late = state('LATE', '2012-07-20T00:03:42Z', { isFact: true });
    const clear = state('CLEAR', '2012-07-20T00:03:44Z', { isFact: true });
    expect(namesAt('2012-07-20T00:03:42Z', late)).toEqual(['LATE']);
    expect(namesAt('2012-07-20T00:03:42Z', late, clear)).toEqual(['CLEAR']);
  });
});
