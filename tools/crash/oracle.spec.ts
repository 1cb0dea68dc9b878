import { dayMs, hourMs, monthStart } from './calendar';
import { expectedInvoices, expectedLimits } from './oracle';
import { randomOf } from './random';
import { type ScriptedAccount, type ScriptedRecord, type ScriptedRules, scriptOf } from './script';
import { differenceOf } from './statements';

const account = (plan: ScriptedAccount['plan']): ScriptedAccount => ({
  index: 0,
  externalKey: 'a@example.com',
  plan,
  isImpatient: false,
});
const rules: ScriptedRules = {
  host: { limit: 20_000, freeAnHour: 1_000 },
  analytics: { limitADay: 300_000, freeADay: 50_000 },
};
const start = monthStart(0) + dayMs;
const record = (id: string, unit: ScriptedRecord['unit'], thousandths: number, atMs: number): ScriptedRecord => ({
  id,
  unit,
  user: 'a@example.com',
  thousandths,
  atMs,
});

/** Hours 10 and 20.5 (mean of 20 and 21), one record twice; two days of analytics, 300 and 40. */
const records = [
  record('h1', 'host', 10_000, start),
  record('h2', 'host', 20_000, start + hourMs),
  record('h3', 'host', 21_000, start + hourMs + 60_000),
  record('h3', 'host', 21_000, start + hourMs + 60_000),
  record('a1', 'analytics', 300_000, start),
  record('a2', 'analytics', 40_000, start + dayMs),
];

describe('the oracle of the crash test', () => {
  it('bills the worked example of a pro account', () => {
    const [first, second] = expectedInvoices(account('standard-pro'), { months: 1, rules, usageOf: () => records });
    expect(first).toEqual({
      date: '2030-02-04',
      items: [{ what: 'standard-pro', from: '2030-02-04', to: '2030-03-04', cents: 5_000 }],
    });
    // Host 9 + 19.5 = 28.5, so 29 units at 0.017 = 0.493; analytics 250 + 0, so 2 blocks of 200 at 2 dollars.
    expect(second?.items).toEqual([
      { what: 'standard-pro', from: '2030-03-04', to: '2030-04-04', cents: 5_000 },
      { what: 'standard-pro-host', from: '2030-02-04', to: '2030-03-04', cents: 49 },
      { what: 'standard-pro-analytics', from: '2030-02-04', to: '2030-03-04', cents: 400 },
    ]);
  });

  it('bills the same usage without anything free on the other plan', () => {
    const [, second] = expectedInvoices(account('standard-monthly'), { months: 1, rules, usageOf: () => records });
    // Host 30.5, so 31 units at 0.01; analytics 340, so 4 blocks of 100.
    expect(second?.items.map(({ cents }) => cents)).toEqual([2_000, 31, 800]);
  });

  it('limits by the newest sample and by the sum of the day', () => {
    const onDay = { rules, dayStart: start, records };
    expect(expectedLimits(account('standard-pro'), onDay)).toEqual([
      { unit: 'host', currentThousandths: 21_000, limited: true },
      { unit: 'analytics', currentThousandths: 300_000, limited: false },
    ]);
  });
});

describe('a seed', () => {
  it('gives the same script each time, and another seed another one', () => {
    const usage = (seed: string): string => {
      const script = scriptOf(randomOf(seed), { name: 'x', accounts: 3 });
      return JSON.stringify([script.rules, script.accounts, script.accounts.map((one) => script.usage(one, 0, 1))]);
    };
    expect(usage('1')).toBe(usage('1'));
    expect(usage('1')).not.toBe(usage('2'));
  });
});

describe('a difference', () => {
  it('counts how often a statement is made', () => {
    expect(differenceOf('a', ['x', 'x', 'y'], ['x', 'y', 'y', 'z'])).toEqual({
      account: 'a',
      missing: ['x'],
      unexpected: ['y', 'z'],
    });
    expect(differenceOf('a', ['x', 'y'], ['y', 'x'])).toBeNull();
  });
});
