import type { Instant } from '@billstream/kernel';
import { specificationOf } from '@billstream/event-sourcing/testing';
import { type UnitEvent, defaultRule, meteredAccount, subscriptionUsage, unit, unitIdOf, unitSchema } from './index';

const at = (day: number): Instant => `2024-05-0${day}T00:00:00.000Z` as Instant;
const identity = { unitId: unitIdOf('t', 'host'), name: 'host' };
const rules = [defaultRule('AVG')];
const defined: UnitEvent = {
  type: 'UnitDefined',
  data: { ...identity, countingMethod: 'AVG', version: 1, effectiveAt: at(1), rules },
};
const removed: UnitEvent = { type: 'UnitRemoved', data: { ...identity, version: 2, effectiveAt: at(2) } };
const { given } = specificationOf(unit);

describe('a unit', () => {
  it('is defined once', () => {
    const command = { type: 'DefineUnit', ...identity, countingMethod: 'AVG', rules, at: at(1) } as const;
    given().when(command).then(defined);
    given(defined).when(command).thenRejected({ code: 'unit-exists', unitId: identity.unitId });
  });
  it('gets new rules as a new version, and none for rules it has', () => {
    const filled = [{ ...defaultRule('AVG'), putEmptyPeriod: true }];
    given(defined)
      .when({ type: 'ReplaceRules', rules: filled, at: at(2) })
      .then({ type: 'RulesReplaced', data: { ...identity, version: 2, effectiveAt: at(2), rules: filled } });
    given(defined)
      .when({ type: 'ReplaceRules', rules, at: at(2) })
      .thenNothing();
  });
  it('refuses invalid rules when they change as when it is defined', () => {
    const wrong = [{ ...defaultRule('AVG'), periodSplitting: null }];
    const faults = [
      { pointer: '/rules/0/periodSplitting', code: 'required', message: 'AVG and PEAK need an aggregation period' },
    ];
    given(defined)
      .when({ type: 'ReplaceRules', rules: wrong, at: at(2) })
      .thenRejected({ code: 'rules-invalid', faults });
    given()
      .when({ type: 'DefineUnit', ...identity, countingMethod: 'AVG', rules: wrong, at: at(1) })
      .thenRejected({ code: 'rules-invalid', faults });
  });
  it('that was removed may be defined again, and no version is used twice', () => {
    given(defined)
      .when({ type: 'RemoveUnit', at: at(2) })
      .then(removed);
    given(defined, removed)
      .when({ type: 'RemoveUnit', at: at(3) })
      .thenRejected({ code: 'unit-not-found' });
    const again = { ...identity, countingMethod: 'PEAK', rules: [defaultRule('PEAK')] } as const;
    given(defined, removed)
      .when({ type: 'DefineUnit', ...again, at: at(3) })
      .then({ type: 'UnitDefined', data: { ...again, version: 3, effectiveAt: at(3) } });
  });
  it('that nobody defined cannot be changed', () =>
    given()
      .when({ type: 'ReplaceRules', rules, at: at(1) })
      .thenRejected({ code: 'unit-not-found' }));
  it('is stored as it is', () => {
    for (const event of [defined, removed]) {
      const { type, data } = unitSchema.encode(event);
      expect(unitSchema.decode({ type, data: JSON.parse(JSON.stringify(data)) as object })).toEqual(event);
    }
  });
});

describe('what is known of an account', () => {
  const account = specificationOf(meteredAccount);
  const recorded = { type: 'AccountRecorded', data: { accountId: 'a', user: 'u', timeZone: 'UTC' } } as const;
  const interval = {
    subscriptionId: 's',
    planName: 'p',
    category: 'BASE',
    fromAt: at(1),
    toAt: null,
    units: ['host'],
    capacityUnits: [],
  } as const;
  const plans = {
    type: 'PlansRecorded',
    data: { accountId: 'a', subscriptionId: 's', intervals: [interval] },
  } as const;
  it('is recorded when it changes', () => {
    account
      .given()
      .when({ type: 'RecordAccount', ...recorded.data })
      .then(recorded);
    account
      .given(recorded)
      .when({ type: 'RecordAccount', ...recorded.data })
      .thenNothing();
    account
      .given(recorded)
      .when({ type: 'RecordPlans', ...plans.data })
      .then(plans);
    account
      .given(recorded, plans)
      .when({ type: 'RecordPlans', ...plans.data })
      .thenNothing();
    account
      .given(plans)
      .when({ type: 'RecordPlans', ...plans.data, intervals: [] })
      .then({ type: 'PlansRecorded', data: { ...plans.data, intervals: [] } });
  });
});

describe('usage reported for a subscription', () => {
  const reported = specificationOf(subscriptionUsage);
  const report = (n: number) => ({ subscriptionId: 's', trackingId: `t${n}`, records: [] });
  const told = Array.from({ length: 600 }, (_, n) => ({ type: 'UsageReported' as const, data: report(n) }));
  it('uses a tracking id once, however many came since', () => {
    reported
      .given(...told)
      .when(report(600))
      .thenEvents();
    for (const n of [0, 255, 256, 599])
      reported
        .given(...told)
        .when(report(n))
        .thenRejected({ code: 'tracking-id-used', trackingId: `t${n}` });
  });
});
