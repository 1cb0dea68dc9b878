import { type Instant, instantOfMs } from '@billstream/kernel';
import type { LimitTransition } from '@billstream/metering-contracts';
import {
  type LimitNewsEvent,
  type Rule,
  limitNewsSchema,
  meteredAccountSchema,
  unitIdOf,
  unitSchema,
  unitStream,
  usageLimitSchema,
} from '@billstream/metering-domain';
import type { Database } from '@billstream/postgres';
import fc from 'fast-check';
import { limitHistory } from './index';
import { userSeries } from './keys';
import {
  type Told,
  applied,
  contents,
  defined,
  limitedTo,
  logOf,
  record,
  startMs,
  tenantId,
  usage,
  withTables,
} from './testing/metering-log';

withTables();

const minutes = (minute: number): number => startMs + minute * 60_000;
const rules = (version: number, replaced: readonly Rule[], minute: number, from = minute): Told => {
  const data = { unitId: unitIdOf(tenantId, 'calls'), name: 'calls', version };
  const effectiveAt = instantOfMs(minutes(from));
  const event = unitSchema.encode({ type: 'RulesReplaced', data: { ...data, effectiveAt, rules: replaced } });
  return { stream: unitStream(data.unitId), ...event, atMs: minutes(minute) };
};
const account: Told = {
  stream: 'meteredAccount-acc',
  ...meteredAccountSchema.encode({
    type: 'AccountRecorded',
    data: { accountId: 'acc', user: 'a', timeZone: 'Asia/Seoul' },
  }),
};
const plan = (subscriptionId: string, from: number, to: number | null, minute: number): Told => {
  const at = (m: number): Instant => instantOfMs(minutes(m));
  const category = 'BASE' as const;
  const interval = { subscriptionId, planName: subscriptionId, category, units: [], capacityUnits: [] };
  const intervals = [{ ...interval, fromAt: at(from), toAt: to === null ? null : at(to) }];
  return {
    stream: 'meteredAccount-acc',
    ...meteredAccountSchema.encode({ type: 'PlansRecorded', data: { accountId: 'acc', subscriptionId, intervals } }),
    atMs: minutes(minute),
  };
};
const ofPlan = (basePlan: string, limit: number): Rule => ({ ...limitedTo(limit), applyPlan: true, basePlan });
const force = (user: string, state: 'LIMITED' | 'RELEASED' | null, until: number | null, minute: number): Told => {
  const ends = until === null ? null : instantOfMs(minutes(until));
  const override = state === null ? null : { state, until: ends, reason: 'because' };
  const event = usageLimitSchema.encode({ type: 'OverrideSet', data: { unit: 'calls', user, override } });
  return { stream: `usageLimit-${user}`, ...event, atMs: minutes(minute) };
};
const news = (event: LimitNewsEvent, minute: number): Told => ({
  stream: `limitNews-${userSeries(tenantId, event.data.user, 'calls')}`,
  ...limitNewsSchema.encode(event),
  atMs: minutes(minute),
});
const timePassed = (user: string, minute: number): Told =>
  news({ type: 'TimePassed', data: { user, unit: 'calls', dueAt: instantOfMs(minutes(minute)) } }, minute);

const historyOf = async (database: Database, user: string): Promise<readonly string[]> => {
  const search = { user, unit: 'calls', limit: 100, offset: 0 };
  const { entries } = await limitHistory(database, tenantId, search);
  return entries.map(({ at, cause, to, current }) => `${at.slice(11, 16)} ${cause} ${to} ${current}`);
};

describe('the history of limits', () => {
  it('has the place in the log of the record or act behind each entry, and who acted and why', async () => {
    const events = logOf([
      defined('calls', [limitedTo(100)]),
      usage(0, [record('a', 1, 'x'), record('a', 100, 'y'), record('a', 100, 'y')], minutes(5)),
      force('a', 'RELEASED', null, 6),
    ]);
    const { entries, total } = await limitHistory(await applied(events), tenantId, {
      user: null,
      unit: null,
      limit: 10,
      offset: 0,
    });
    expect([total, entries]).toMatchObject([
      2,
      [
        {
          from: 'RELEASED',
          to: 'LIMITED',
          cause: 'USAGE',
          current: '101',
          limit: '100',
          ruleVersion: 1,
          behind: { stream: `usage-${tenantId}-0`, revision: '0', index: 1 },
          actor: null,
          position: 7n,
        },
        { from: 'LIMITED', to: 'RELEASED', cause: 'OVERRIDDEN', actor: 'spec', reason: 'because', resetAt: null },
      ],
    ]);
  });
  it('goes on when rules change, at once and in any cut into pages', async () => {
    const events = logOf([
      defined('calls', [limitedTo(100)]),
      usage(0, [record('a', 60, 'x')], minutes(5)),
      rules(2, [limitedTo(50)], 6),
      rules(3, [limitedTo(200)], 7),
      rules(4, [], 8),
    ]);
    for (const pages of [[5], [1], [2]])
      expect(await historyOf(await applied(events, pages), 'a')).toEqual([
        '10:06 RULES_CHANGED LIMITED 60',
        '10:07 RULES_CHANGED RELEASED 60',
      ]);
  });
  it('goes on when rules that were written ahead come into force', async () => {
    const events = logOf([
      defined('calls', [limitedTo(100)]),
      rules(2, [limitedTo(50)], 1, 20),
      usage(0, [record('a', 60, 'x')], minutes(5)),
      timePassed('a', 20),
    ]);
    for (const pages of [[4], [1]])
      expect(await historyOf(await applied(events, pages), 'a')).toEqual(['10:20 RULES_CHANGED LIMITED 60']);
  });
  it('goes on when a plan that was foreseen begins, and with the counter of that plan', async () => {
    const events = logOf([
      account,
      plan('basic', 0, 30, 0),
      plan('pro', 30, null, 0),
      defined('calls', [ofPlan('basic', 10), ofPlan('pro', 1000)]),
      usage(0, [record('a', 11, 'x')], minutes(5)),
      timePassed('a', 30),
    ]);
    for (const pages of [[6], [1]]) {
      const database = await applied(events, pages);
      expect(await historyOf(database, 'a')).toEqual(['10:05 USAGE LIMITED 11', '10:30 PLANS_CHANGED RELEASED 0']);
    }
  });
  it('is due to be told until it was, and then when time will change it', async () => {
    const told = [defined('calls', [limitedTo(100)]), usage(0, [record('a', 101, 'x')], minutes(5))];
    const due = async (more: readonly Told[]) =>
      (await applied(logOf([...told, ...more]))).query(`select kind, due_at as "dueAt" from due_work`);
    expect(await due([])).toEqual([{ kind: 'tell-limit', dueAt: instantOfMs(minutes(5)) }]);
    const [data] = (
      await limitHistory(await applied(logOf(told)), tenantId, { user: 'a', unit: null, limit: 1, offset: 0 })
    ).entries;
    const reached = news({ type: 'LimitReached', data: { ...data!, position: undefined } as LimitTransition }, 5);
    expect(await due([reached])).toEqual([{ kind: 'tell-limit', dueAt: instantOfMs(minutes(60)) }]);
  });
});

describe('where a page ends says nothing to the history', () => {
  const sameInPages = async (told: readonly Told[]): Promise<void> => {
    const events = logOf(told);
    expect(await contents(await applied(events, [1]))).toEqual(await contents(await applied(events)));
  };
  it('of what has no limit, when a page is about it for another reason', () =>
    sameInPages([
      defined('calls', []),
      force('a', 'LIMITED', 10, 0),
      usage(0, [record('a', 1, null, minutes(20))], minutes(20)),
      force('b', 'LIMITED', null, 21),
    ]));
  it('of whom there was something to say about for a while', () =>
    sameInPages([
      defined('calls', [limitedTo(8)]),
      rules(2, [limitedTo(9)], 1, 30),
      usage(0, [record('a', 1, null, minutes(10))], minutes(10)),
      usage(0, [record('a', 1, null, minutes(40))], minutes(40)),
    ]));
});

it('whatever rules, plans, hands and time do to limits, any cut into pages builds the same history', async () => {
  const minute = fc.integer({ min: 0, max: 150 });
  const user = fc.constantFrom('a', 'b');
  const limits = fc.constantFrom<readonly Rule[]>(
    [limitedTo(10)],
    [limitedTo(30)],
    [ofPlan('basic', 5), limitedTo(20)],
    [ofPlan('pro', 15)],
    [],
  );
  const anyEvent = fc.oneof(
    { weight: 6, arbitrary: fc.record({ what: fc.constant('usage' as const), user, minute, amount: fc.nat(12) }) },
    fc.record({ what: fc.constant('rules' as const), limits, minute, ahead: fc.constantFrom(0, 0, 30) }),
    fc.record({
      what: fc.constant('plan' as const),
      name: fc.constantFrom('basic', 'pro'),
      minute,
      length: fc.nat(60),
    }),
    fc.record({
      what: fc.constant('force' as const),
      user,
      state: fc.constantFrom('LIMITED' as const, 'RELEASED' as const, null),
      minute,
      length: fc.option(fc.nat(40)),
    }),
    fc.record({ what: fc.constant('time' as const), user, minute }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyEvent, { minLength: 4, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1 }),
      async (happened, pages) => {
        const told = happened.map((event, index): Told => {
          switch (event.what) {
            case 'usage':
              return usage(0, [record(event.user, event.amount, null, minutes(event.minute))], minutes(event.minute));
            case 'rules':
              return rules(index + 2, event.limits, event.minute, event.minute + event.ahead);
            case 'plan':
              return plan(event.name, event.minute, event.minute + event.length + 1, event.minute);
            case 'force':
              return force(
                event.user,
                event.state,
                event.length === null ? null : event.minute + event.length,
                event.minute,
              );
            case 'time':
              return timePassed(event.user, event.minute);
          }
        });
        const events = logOf([account, defined('calls', [limitedTo(8)]), ...told]);
        const [paged, whole] = [await applied(events, pages), await applied(events)];
        expect(await contents(paged)).toEqual(await contents(whole));
        for (const name of ['a', 'b']) {
          const { entries } = await limitHistory(whole, tenantId, { user: name, unit: null, limit: 100, offset: 0 });
          entries.forEach(({ from, ordinal }, index) => {
            expect([ordinal, from]).toEqual([index, index === 0 ? 'RELEASED' : entries[index - 1]!.to]);
          });
        }
      },
    ),
    { numRuns: 25 },
  );
}, 120_000);
