import type { Decimal, Instant } from '@billstream/kernel';
import { untouched } from '@billstream/metering-domain';
import { type LimitCheck, type LimitCounters, type LimitQuestion, userSeries } from '@billstream/metering-read-models';
import { limitChecks } from './limit-checks';

const noon = '2026-03-01T12:00:00.000Z' as Instant;
const evening = '2026-03-01T18:00:00.000Z' as Instant;
const question = (user = 'jane', tenantId = 'tenant'): LimitQuestion => ({ tenantId, user, unit: 'calls', at: noon });
const seriesOf = ({ tenantId, user, unit }: LimitQuestion): string => userSeries(tenantId, user, unit);

const counted = (current: string): LimitCounters => ({
  counters: { '': { ...untouched, current: current as Decimal } },
  override: null,
});
const checkOf = (current: string, rulesUntil: Instant | null = null): LimitCheck => ({
  unit: { unitId: 'u', name: 'calls', countingMethod: 'SUM', version: 1, rules: [] },
  rulesUntil,
  intervals: [],
  ...counted(current),
});

/** Tables that hold one amount for everybody, and say how often they were asked. */
const tables = (parts: { readonly isTold?: () => boolean; readonly sizeMax?: number } = {}) => {
  const state = { asked: 0, current: '1', rulesUntil: null as Instant | null, slow: Promise.resolve() };
  const checks = limitChecks({
    load: async () => {
      state.asked += 1;
      const found = checkOf(state.current, state.rulesUntil);
      await state.slow;
      return found;
    },
    isTold: () => true,
    ...parts,
  });
  const currentOf = async (asked = question()): Promise<string | undefined> =>
    (await checks.check(asked))?.counters['']?.current;
  const move = (current: string, asked = question()): void =>
    checks.moved({ limits: new Map([[seriesOf(asked), JSON.stringify(counted(current))]]), tenantIds: [] });
  return { state, checks, currentOf, move };
};

describe('limit checks', () => {
  it('ask the tables once for a user and unit, and follow what is told from then on', async () => {
    const { state, currentOf, move } = tables();
    expect(await currentOf()).toBe('1');
    move('5');
    expect(await currentOf()).toBe('5');
    move('7', question('joe'));
    expect(await currentOf()).toBe('5');
    expect(state.asked).toBe(1);
  });

  it('do not keep what was read while something was told of it', async () => {
    const { state, currentOf, move } = tables();
    let answer = (): void => undefined;
    state.slow = new Promise((resolve) => (answer = resolve));
    const early = currentOf();
    state.current = '2';
    move('2');
    answer();
    expect(await early).toBe('1');
    expect(await currentOf()).toBe('2');
    expect(state.asked).toBe(2);
  });

  it.each(['tenant', 'everybody'])('ask again after whatever decides limits has changed for the %s', async (whose) => {
    const { state, checks, currentOf } = tables();
    const change = (): void =>
      whose === 'tenant' ? checks.moved({ limits: new Map(), tenantIds: ['tenant'] }) : checks.forget();
    await currentOf();
    state.current = '2';
    change();
    expect(await currentOf()).toBe('2');
    let answer = (): void => undefined;
    state.slow = new Promise((resolve) => (answer = resolve));
    change();
    const early = currentOf();
    state.current = '3';
    change();
    answer();
    expect(await early).toBe('2');
    expect(await currentOf()).toBe('3');
  });

  it('keep what they know of one tenant when rules or plans of another change', async () => {
    const { state, checks, currentOf } = tables();
    await currentOf();
    checks.moved({ limits: new Map(), tenantIds: ['other'] });
    await currentOf();
    expect(state.asked).toBe(1);
  });

  it('ask again when other rules come into force, and when a clock goes back', async () => {
    const { state, currentOf } = tables();
    state.rulesUntil = evening;
    await currentOf();
    await currentOf({ ...question(), at: '2026-03-01T17:59:59.999Z' as Instant });
    expect(state.asked).toBe(1);
    await currentOf({ ...question(), at: evening });
    expect(state.asked).toBe(2);
    await currentOf({ ...question(), at: noon });
    expect(state.asked).toBe(3);
  });

  it('ask each time where nothing is told', async () => {
    let isTold = false;
    const { state, currentOf } = tables({ isTold: () => isTold });
    await currentOf();
    await currentOf();
    expect(state.asked).toBe(2);
    isTold = true;
    await currentOf();
    await currentOf();
    expect(state.asked).toBe(3);
  });

  it('forget whom nobody has asked about for longest, however much is told of them', async () => {
    const { state, currentOf, move } = tables({ sizeMax: 2 });
    await currentOf(question('a'));
    await currentOf(question('b'));
    await currentOf(question('a'));
    move('9', question('b'));
    await currentOf(question('c'));
    expect(state.asked).toBe(3);
    await currentOf(question('a'));
    expect(state.asked).toBe(3);
    await currentOf(question('b'));
    expect(state.asked).toBe(4);
  });
});
