import { type Instant, decimal } from '@billstream/kernel';
import {
  type CountingMethod,
  type LimitEntry,
  type LimitFacts,
  type LimitMove,
  type LimitStanding,
  type LimitState,
  type Rule,
  defaultRule,
  followLimit,
  released,
  untouched,
} from './index';

const at = (time: string): Instant => `2024-05-01T${time}:00.000Z` as Instant;
const hundred = decimal(100);
const ruleOf = (method: CountingMethod, more: Partial<Rule> = {}): Rule => ({
  ...defaultRule(method),
  limitAmount: hundred,
  ...(method === 'SUM' ? { limitRefreshInterval: 'HOUR' as const } : {}),
  ...more,
});

type Setting = {
  readonly method?: CountingMethod;
  /** The rule that holds at an instant, and whose counter. */
  readonly ruleAt?: (now: Instant) => { readonly rule: Rule | null; readonly subscriptionId: string | null };
  readonly nextChange?: Instant | null;
};
type Told = readonly [now: string, move: LimitMove];

/** A limit followed through moves: its standing, counters and history. */
const followed = (moves: readonly Told[], { method = 'SUM', ruleAt, nextChange = null }: Setting = {}) => {
  const counters = new Map<string, LimitState>();
  const history: LimitEntry[] = [];
  let standing: LimitStanding = released;
  for (const [time, move] of moves) {
    const facts: LimitFacts = {
      now: at(time),
      judgedBy: (now) => {
        const { rule, subscriptionId } = ruleAt?.(now) ?? { rule: ruleOf(method), subscriptionId: null };
        return { subscriptionId, terms: rule === null ? null : { method, rule, timeZone: 'UTC' } };
      },
      counterOf: (id) => counters.get(id ?? '') ?? untouched,
      nextChange,
    };
    const result = followLimit(standing, move, facts);
    standing = result.standing;
    if (result.counter) counters.set(result.counter.subscriptionId ?? '', result.counter.state);
    history.push(...result.entries);
  }
  return {
    standing,
    counters,
    history,
    said: history.map(({ at: when, cause, to }) => `${when.slice(11, 16)} ${cause} ${to}`),
  };
};
const use = (time: string, amount: number, seen = time): Told => [
  seen,
  { kind: 'sample', sample: { at: at(time), amount: decimal(amount) } },
];
const look = (time: string): Told => [time, { kind: 'look', cause: 'PLANS_CHANGED' }];
const force = (time: string, state: 'LIMITED' | 'RELEASED', until: string | null): Told => [
  time,
  { kind: 'override', override: { state, until: until === null ? null : at(until), reason: 'by hand' } },
];
const told = (time: string, ordinal: number): Told => [time, { kind: 'told', ordinal }];
const uses = [use('10:05', 60), use('10:20', 40), use('10:40', 1)];

describe('the history of a limit', () => {
  it('says nothing of users below it', () => {
    expect(followed(uses.slice(0, 2)).standing).toBe(released);
  });
  it('has the record that exceeded it, and what was judged by', () => {
    const { standing, history } = followed(uses);
    expect(history).toEqual([
      {
        ordinal: 0,
        from: 'RELEASED',
        to: 'LIMITED',
        cause: 'USAGE',
        subscriptionId: null,
        current: '101',
        limit: '100',
        at: at('10:40'),
        resetAt: at('11:00'),
      },
    ]);
    expect(standing).toMatchObject({ status: 'LIMITED', changed: 0, told: -1 });
  });
  it('is due to be told at once, and then to be looked at when the window ends', () => {
    expect(followed(uses).standing.dueAt).toBe(at('10:40'));
    expect(followed([...uses, told('10:40', 0)]).standing).toMatchObject({ told: 0, dueAt: at('11:00') });
  });
  it('has the end of the window at its own time, whether somebody looked then or a record came later', () => {
    const looked = followed([...uses, told('10:40', 0), look('11:00')]);
    expect(looked.said).toEqual(['10:40 USAGE LIMITED', '11:00 WINDOW_ENDED RELEASED']);
    expect(followed([...uses, told('10:40', 0), look('11:00'), told('11:00', 1)]).standing.dueAt).toBeNull();
    const late = followed([...uses, use('12:30', 200)]);
    expect(late.said).toEqual(['10:40 USAGE LIMITED', '11:00 WINDOW_ENDED RELEASED', '12:30 USAGE LIMITED']);
  });
  it('of a window from the first use ends with that window', () => {
    const ruleAt = () => ({ rule: ruleOf('SUM', { windowAnchor: 'FIRST_USE' }), subscriptionId: null });
    expect(followed([...uses, look('11:00')], { ruleAt }).standing.status).toBe('LIMITED');
    expect(followed([...uses, look('11:30')], { ruleAt }).said.at(-1)).toBe('11:05 WINDOW_ENDED RELEASED');
  });
  it('of a gauge follows the newest sample', () => {
    const gauge = [use('10:00', 80), use('10:10', 120), use('10:20', 100), use('10:30', 99)];
    expect(followed(gauge, { method: 'AVG' }).said).toEqual(['10:10 USAGE LIMITED', '10:20 USAGE RELEASED']);
    const late = followed([use('10:30', 120), use('10:10', 50, '10:31')], { method: 'AVG' });
    expect([late.said, late.counters.get('')?.passedOver]).toEqual([['10:30 USAGE LIMITED'], 1]);
  });
});

describe('a state set by hand', () => {
  it('is in the history, with usage changing nothing until it ends', () => {
    const released = followed([...uses, force('10:45', 'RELEASED', '10:55'), use('10:50', 5), look('10:55')]);
    expect(released.said).toEqual(['10:40 USAGE LIMITED', '10:45 OVERRIDDEN RELEASED', '10:55 OVERRIDE_ENDED LIMITED']);
    expect(released.history.at(-1)).toMatchObject({ current: '106', resetAt: at('11:00') });
  });
  it('leaves an entry where it changes nothing, which is not due to be told', () => {
    const { said, standing } = followed([force('10:00', 'RELEASED', null)]);
    expect([said, standing.dueAt]).toEqual([['10:00 OVERRIDDEN RELEASED'], null]);
  });
  it('ends before the window that it covered does', () => {
    const both = followed([...uses, force('10:45', 'RELEASED', '10:50'), look('11:30')]);
    expect(both.said.slice(2)).toEqual(['10:50 OVERRIDE_ENDED LIMITED', '11:00 WINDOW_ENDED RELEASED']);
  });
  it('limits without any rule, until somebody lets usage decide again', () => {
    const ruleAt = () => ({ rule: null, subscriptionId: null });
    const limited = [force('10:00', 'LIMITED', null)];
    expect(followed(limited, { ruleAt }).standing.status).toBe('LIMITED');
    const undone: Told = ['10:05', { kind: 'override', override: null }];
    expect(followed([...limited, undone], { ruleAt }).said.at(-1)).toBe('10:05 OVERRIDDEN RELEASED');
  });
  it('as a counter goes on from there', () => {
    const set: Told = ['10:45', { kind: 'counter', amount: decimal(3) }];
    expect(followed([...uses, set]).said).toEqual(['10:40 USAGE LIMITED', '10:45 COUNTER_SET RELEASED']);
  });
});

describe('other plans', () => {
  const ruleAt = (now: Instant) =>
    now < at('10:30')
      ? { rule: ruleOf('SUM'), subscriptionId: 'a' }
      : { rule: ruleOf('SUM', { limitAmount: decimal(10) }), subscriptionId: 'b' };
  it('have a counter of their own', () => {
    const { said } = followed([use('10:05', 101), use('10:31', 9), use('10:32', 2)], { ruleAt });
    expect(said).toEqual(['10:05 USAGE LIMITED', '10:31 PLANS_CHANGED RELEASED', '10:32 USAGE LIMITED']);
  });
  it('are due to be looked at when they begin', () => {
    const planned = followed([use('10:05', 50)], { ruleAt, nextChange: at('10:30') });
    expect([planned.said, planned.standing.dueAt]).toEqual([[], at('10:30')]);
  });
});
