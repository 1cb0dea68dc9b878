import type { Instant } from '@billstream/kernel';
import fc from 'fast-check';
import {
  type PlanInterval,
  type Rule,
  type UnitVersion,
  defaultRule,
  heldAt,
  stretchesFor,
  stretchesOf,
} from './index';

const at = (time: string): Instant => `2024-05-${time}:00.000Z` as Instant;
const sum = defaultRule('SUM');
const forPlan = (basePlan: string, more: Partial<Rule> = {}): Rule => ({ ...sum, applyPlan: true, basePlan, ...more });
const version = (n: number, effectiveAt: Instant, rules: readonly Rule[] | null): UnitVersion => ({
  version: n,
  effectiveAt,
  countingMethod: 'SUM',
  rules,
});
const holds = (
  subscriptionId: string,
  planName: string,
  fromAt: Instant,
  toAt: Instant | null = null,
): PlanInterval => ({
  subscriptionId,
  planName,
  category: 'BASE',
  fromAt,
  toAt,
  units: ['calls'],
  capacityUnits: [],
});
const day = { fromAt: at('10T00:00'), toAt: at('11T00:00'), timeZone: 'UTC' };
const first = version(1, at('01T00:00'), [sum]);
const shape = (stretches: ReturnType<typeof stretchesOf>) =>
  stretches.map(
    ({ fromAt, toAt, version: n, subscriptionId }) =>
      `${fromAt.slice(11, 16)}-${toAt.slice(11, 16)} v${String(n)} ${subscriptionId ?? '-'}`,
  );

describe('the stretches of a range', () => {
  it('are one when nothing changes', () =>
    expect(shape(stretchesOf({ versions: [first], intervals: [] }, day))).toEqual(['00:00-00:00 v1 -']));
  it('are cut where new rules come into force: at the next full hour', () => {
    const versions = [first, version(2, at('10T09:20'), [{ ...sum, freeAmount: '5' as never, freePeriod: 'DAY' }])];
    expect(shape(stretchesOf({ versions, intervals: [] }, day))).toEqual(['00:00-10:00 v1 -', '10:00-00:00 v2 -']);
    expect(shape(stretchesOf({ versions, intervals: [] }, { ...day, timeZone: 'Asia/Kolkata' }))).toEqual([
      '00:00-09:30 v1 -',
      '09:30-00:00 v2 -',
    ]);
  });
  it('are not cut by rules that say the same for this user', () => {
    const versions = [first, version(2, at('10T09:00'), [forPlan('other'), sum])];
    expect(shape(stretchesOf({ versions, intervals: [] }, day))).toEqual(['00:00-00:00 v2 -']);
  });
  it('are cut at the very instant of a plan change', () => {
    const versions = [version(1, at('01T00:00'), [forPlan('pro'), sum])];
    const intervals = [holds('s', 'standard', at('01T00:00'), at('10T09:20')), holds('s', 'pro', at('10T09:20'))];
    expect(shape(stretchesOf({ versions, intervals }, day))).toEqual(['00:00-09:20 v1 -', '09:20-00:00 v1 s']);
  });
  it('count by the first rules what came before them, and by later ones what came while there were none', () => {
    const late = version(1, at('10T18:00'), [sum]);
    expect(shape(stretchesOf({ versions: [late], intervals: [] }, day))).toEqual(['00:00-00:00 v1 -']);
    const gap = [
      first,
      version(2, at('10T06:00'), null),
      version(3, at('10T12:00'), [forPlan('pro'), { ...sum, rounding: 'CEIL' }]),
    ];
    expect(shape(stretchesOf({ versions: gap, intervals: [] }, day))).toEqual(['00:00-06:00 v1 -', '06:00-00:00 v3 -']);
    const [, gone] = stretchesOf({ versions: gap.slice(0, 2), intervals: [] }, day);
    expect(gone).toMatchObject({ fromAt: at('10T06:00'), rule: null });
    expect(stretchesOf({ versions: [], intervals: [] }, day)).toMatchObject([{ rule: null, version: null }]);
  });
  it('cover the range without gap or overlap', () => {
    const instant = fc
      .integer({ min: 0, max: 2 * 96 })
      .map((quarter) => new Date(Date.UTC(2024, 4, 9, 12, quarter * 15)).toISOString() as Instant);
    const interval = fc.tuple(
      fc.constantFrom('s1', 's2'),
      fc.constantFrom('pro', 'standard'),
      instant,
      fc.option(instant),
    );
    fc.assert(
      fc.property(fc.array(instant, { maxLength: 4 }), fc.array(interval, { maxLength: 5 }), (effective, held) => {
        const versions = effective
          .sort()
          .map((from, index) =>
            version(index + 1, from, index % 3 === 2 ? null : [forPlan('pro', { maxGapHours: index }), sum]),
          );
        const stretches = stretchesOf(
          { versions, intervals: held.map(([id, plan, from, to]) => holds(id, plan, from, to)) },
          day,
        );
        expect([stretches[0]?.fromAt, stretches.at(-1)?.toAt]).toEqual([day.fromAt, day.toAt]);
        stretches.slice(1).forEach(({ fromAt }, index) => expect(stretches[index]?.toAt).toBe(fromAt));
      }),
    );
  });
});

describe('the usage of a subscription', () => {
  const asked = { subscriptionId: 's2', planName: 'standard', unit: 'calls', range: day };
  const older = holds('s1', 'standard', at('01T00:00'));
  const own = holds('s2', 'standard', at('05T00:00'));
  const facts = (...intervals: readonly PlanInterval[]) => ({ versions: [first], intervals });
  it('is what its user uses', () => expect(shape(stretchesFor(asked, facts(own)))).toEqual(['00:00-00:00 v1 -']));
  it('is nothing while an older one prices the same unit', () => {
    expect(shape(stretchesFor(asked, facts(own, older)))).toEqual([]);
    expect(shape(stretchesFor({ ...asked, subscriptionId: 's1' }, facts(own, older)))).toEqual(['00:00-00:00 v1 -']);
    expect(shape(stretchesFor(asked, facts(own, { ...older, toAt: at('10T08:00') })))).toEqual(['08:00-00:00 v1 -']);
    expect(shape(stretchesFor(asked, facts(own, { ...older, units: ['else'] })))).toEqual(['00:00-00:00 v1 -']);
  });
  it('is not that of an add-on whose rule claims it', () => {
    const versions = [version(1, at('01T00:00'), [forPlan('standard', { addonPlan: 'extra' }), sum])];
    const addon: PlanInterval = { ...holds('s3', 'extra', at('10T12:00')), category: 'ADD_ON' };
    expect(shape(stretchesFor(asked, { versions, intervals: [own, addon] }))).toEqual(['00:00-12:00 v1 -']);
    expect(
      shape(
        stretchesFor(
          { ...asked, subscriptionId: 's3', planName: 'extra', range: { ...day, fromAt: at('10T12:00') } },
          { versions, intervals: [own, addon] },
        ),
      ),
    ).toEqual(['12:00-00:00 v1 s3']);
  });
  it('begins where the invoice says, also before the subscription was heard of', () => {
    expect(shape(stretchesFor(asked, facts()))).toEqual(['00:00-00:00 v1 -']);
    expect(shape(stretchesFor(asked, facts(holds('s2', 'standard', at('10T10:01')))))).toEqual(['00:00-00:00 v1 -']);
  });
});

it('what is held is ordered by who began first', () => {
  const intervals = [
    holds('b', 'p', at('03T00:00')),
    holds('a', 'q', at('02T00:00'), at('04T00:00')),
    holds('a', 'p', at('04T00:00')),
  ];
  expect(heldAt(intervals, at('05T00:00')).map(({ subscriptionId, planName }) => [subscriptionId, planName])).toEqual([
    ['a', 'p'],
    ['b', 'p'],
  ]);
});
