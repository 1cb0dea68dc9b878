import { type Decimal, type Instant, decimal } from '@billstream/kernel';
import {
  type CountingMethod,
  type LimitState,
  type Rule,
  afterReset,
  afterSample,
  chooseRule,
  defaultRule,
  faultsOf,
  untouched,
  verdict,
} from './index';

const at = (time: string): Instant => `2024-05-01T${time}:00.000Z` as Instant;
const hundred: Decimal = decimal(100);
const terms = (method: CountingMethod, more: Partial<Rule> = {}) => ({
  method,
  timeZone: 'UTC',
  rule: {
    ...defaultRule(method),
    limitAmount: hundred,
    ...(method === 'SUM' ? { limitRefreshInterval: 'HOUR' as const } : {}),
    ...more,
  },
});
const follow = (
  method: CountingMethod,
  samples: readonly (readonly [string, number, string?])[],
  more: Partial<Rule> = {},
): LimitState =>
  samples.reduce(
    (state, [time, amount, seen]) =>
      afterSample(state, { at: at(time), amount: decimal(amount) }, at(seen ?? time), terms(method, more)),
    untouched,
  );
const stateAt = (state: LimitState, time: string) => {
  const { limited, exhausted, current } = verdict(state, at(time), hundred);
  return limited ? `LIMITED ${current}` : exhausted ? `exhausted ${current}` : `ok ${current}`;
};

describe('the limit of a SUM unit', () => {
  const uses = [
    ['10:05', 60],
    ['10:20', 40],
    ['10:40', 1],
  ] as const;
  it('is exceeded above, not at, the limit, and released when the clock hour ends', () => {
    expect([1, 2, 3].map((n) => stateAt(follow('SUM', uses.slice(0, n)), uses[n - 1]![0]))).toEqual([
      'ok 60',
      'exhausted 100',
      'LIMITED 101',
    ]);
    expect(stateAt(follow('SUM', uses), '11:00')).toBe('ok 0');
  });
  it('from the first use holds until that window ends', () => {
    const state = follow('SUM', uses, { windowAnchor: 'FIRST_USE' });
    expect(stateAt(state, '11:00')).toBe('LIMITED 101');
    expect(stateAt(state, '11:05')).toBe('ok 0');
  });
  it('is not touched by a record of another window', () => {
    const late = follow('SUM', [
      ['11:10', 10],
      ['10:50', 500, '11:20'],
    ]);
    expect(stateAt(late, '11:20')).toBe('ok 10');
  });
});

describe('the limit of a gauge', () => {
  it('follows the newest sample', () => {
    const samples = [
      ['10:00', 80],
      ['10:10', 120],
      ['10:20', 100],
      ['10:30', 99],
    ] as const;
    expect([1, 2, 3, 4].map((n) => stateAt(follow('AVG', samples.slice(0, n)), '10:40'))).toEqual([
      'ok 80',
      'LIMITED 120',
      'exhausted 100',
      'ok 99',
    ]);
  });
  it('ignores a sample older than the newest', () => {
    expect(
      stateAt(
        follow('PEAK', [
          ['10:30', 120],
          ['10:10', 50],
        ]),
        '10:40',
      ),
    ).toBe('LIMITED 120');
  });
});

describe('a counter set by hand', () => {
  it('goes on from there in the open window, which it opens if there is none', () => {
    const reset = afterReset(follow('SUM', [['10:05', 101]]), decimal(3), at('10:30'), terms('SUM'));
    expect(stateAt(reset, '10:40')).toBe('ok 3');
    expect(
      stateAt(afterSample(reset, { at: at('10:45'), amount: decimal(98) }, at('10:45'), terms('SUM')), '10:45'),
    ).toBe('LIMITED 101');
    expect(stateAt(afterReset(untouched, decimal(200), at('10:30'), terms('SUM')), '11:00')).toBe('ok 0');
  });
  it('is nothing to a gauge', () => {
    const gauge = follow('AVG', [['10:05', 101]]);
    expect(afterReset(gauge, decimal(3), at('10:30'), terms('AVG'))).toBe(gauge);
  });
});

describe('an override', () => {
  const limited = follow('SUM', [['10:05', 101]]);
  const released: LimitState = { ...limited, override: { state: 'RELEASED', until: at('10:30'), reason: 'goodwill' } };
  it('wins while it holds, whatever is used', () => {
    const more = afterSample(released, { at: at('10:20'), amount: decimal(5) }, at('10:20'), terms('SUM'));
    expect(verdict(more, at('10:20'), hundred)).toMatchObject({ limited: false, current: '106', remaining: '-1' });
  });
  it('ends when its time is over', () => expect(verdict(released, at('10:30'), hundred).limited).toBe(true));
});

describe('rules', () => {
  it('name every fault at once', () => {
    const paying = { ...defaultRule('AVG'), applyPlan: true, freeAmount: hundred, freePeriod: 'DAY' as const };
    expect(
      faultsOf([defaultRule('AVG'), defaultRule('AVG'), paying], 'AVG').map(
        ({ pointer, code }) => `${pointer} ${code}`,
      ),
    ).toEqual([
      '/rules/1/applyPlan default-rule-exists',
      '/rules/2/basePlan required',
      '/rules/2/freePeriod differs-from-aggregation-period',
    ]);
    expect(faultsOf([{ ...defaultRule('SUM'), limitAmount: hundred }], 'SUM')).toMatchObject([
      { pointer: '/rules/0/limitRefreshInterval' },
    ]);
    expect(
      faultsOf([defaultRule('SUM'), { ...defaultRule('SUM'), applyPlan: true, basePlan: 'standard-monthly' }], 'SUM'),
    ).toEqual([]);
  });
  it('are chosen by what the user holds, an add-on rule for the add-on, all subscriptions looked at', () => {
    const pro = { ...defaultRule('SUM'), applyPlan: true, basePlan: 'pro' };
    const addon = { ...pro, addonPlan: 'extra' };
    const held = [
      { subscriptionId: 's0', planName: 'other', category: 'BASE' },
      { subscriptionId: 's1', planName: 'pro', category: 'BASE' },
      { subscriptionId: 's2', planName: 'extra', category: 'ADD_ON' },
    ] as const;
    const rules = [addon, pro, defaultRule('SUM')];
    expect(chooseRule(rules, held)).toEqual({ rule: addon, subscriptionId: 's2' });
    expect(chooseRule(rules, held.slice(0, 2))).toEqual({ rule: pro, subscriptionId: 's1' });
    expect(chooseRule(rules, [])).toEqual({ rule: defaultRule('SUM'), subscriptionId: null });
    expect(chooseRule([pro], [])).toEqual({ rule: null, subscriptionId: null });
  });
});
