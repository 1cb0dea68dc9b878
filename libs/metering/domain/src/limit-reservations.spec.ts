import { type Decimal, type Instant, add, compare, instantOfMs, zero } from '@billstream/kernel';
import fc from 'fast-check';
import {
  type CountedUsage,
  type LimitReservationsCommand,
  type LimitReservationsState,
  limitReservations,
} from './limit-reservations';

const at = (second: number): Instant => instantOfMs(1_700_000_000_000 + second * 1_000);
const usage = (current: number, more: Partial<CountedUsage> = {}): CountedUsage => ({
  ...{ current: String(current) as Decimal, limit: '10' as Decimal, override: null, counted: [], countedTo: '0' },
  ...more,
});
const reserve = (id: string, amount: number, second = 0, counts = usage(0)): LimitReservationsCommand => ({
  ...{ type: 'Reserve', reservationId: id, user: 'u', unit: 'calls', amount: String(amount) as Decimal },
  ...{ at: at(second), expiresAt: at(second + 60), usage: counts },
});
const commit = (id: string, second = 0, amount: number | null = null): LimitReservationsCommand => ({
  ...{ type: 'Commit', reservationId: id, user: 'u', unit: 'calls', at: at(second) },
  amount: amount === null ? null : (String(amount) as Decimal),
});
const release = (id: string, second = 0): LimitReservationsCommand => ({
  type: 'Release',
  reservationId: id,
  at: at(second),
});

/** The codes of what was refused, 'ok' for the rest, and the state after all. */
const given = (...commands: readonly LimitReservationsCommand[]) => {
  let state: LimitReservationsState = limitReservations.initial;
  const said = commands.map((command) => {
    const decided = limitReservations.decide(command, state);
    if ('rejected' in decided) return decided.rejected.code;
    state = decided.events.reduce(limitReservations.evolve, state);
    return 'ok';
  });
  return { said, state };
};

describe('reservations of a user and unit', () => {
  it('stay within the limit together with what is used, to the last digit', () => {
    expect(given(reserve('a', 6), reserve('b', 4), reserve('c', 0.000000001)).said).toEqual([
      'ok',
      'ok',
      'limit-exceeded',
    ]);
    expect(given(reserve('a', 6, 0, usage(4))).said).toEqual(['ok']);
    expect(given(reserve('a', 6, 0, usage(4.5))).said).toEqual(['limit-exceeded']);
  });
  it('are free again once they are released, or over at the very instant they expire', () => {
    expect(given(reserve('a', 10), release('a'), reserve('b', 10)).said).toEqual(['ok', 'ok', 'ok']);
    expect(given(reserve('a', 10), reserve('b', 10, 59), reserve('c', 10, 60), commit('a', 60)).said).toEqual([
      'ok',
      'limit-exceeded',
      'ok',
      'reservation-not-open',
    ]);
  });
  it('do not come back by a clock that is behind: what expired for one has expired for all', () => {
    expect(given(reserve('a', 10), reserve('b', 10, 60), commit('a', 59), release('a', 59)).said).toEqual([
      'ok',
      'ok',
      'reservation-not-open',
      'reservation-not-open',
    ]);
  });
  it('count on when they are committed, until their usage is counted, and then only as that', () => {
    const counted = usage(10, { counted: ['a'], countedTo: '5' });
    expect(given(reserve('a', 10), commit('a'), reserve('b', 1, 500)).said[2]).toBe('limit-exceeded');
    expect(given(reserve('a', 10), commit('a'), reserve('b', 1, 500, counted)).said[2]).toBe('limit-exceeded');
    const { said, state } = given(reserve('a', 10), commit('a'), reserve('b', 10, 500, { ...counted, current: zero }));
    expect(said).toEqual(['ok', 'ok', 'ok']);
    expect(state.committed).toEqual({});
  });
  it('commit a part and give back the rest, never more than was reserved', () => {
    expect(
      given(reserve('a', 10), commit('a', 0, 11), commit('a', 0, 4), reserve('b', 6), reserve('c', 1)).said,
    ).toEqual(['ok', 'amount-above-reservation', 'ok', 'ok', 'limit-exceeded']);
  });
  it('are not decided by an older count than one that was decided by before', () => {
    const newer = usage(10, { counted: ['a'], countedTo: '5', limit: '20' as Decimal });
    expect(given(reserve('a', 10), commit('a'), reserve('b', 1, 1, newer), reserve('c', 5)).said).toEqual([
      'ok',
      'ok',
      'ok',
      'count-outdated',
    ]);
  });
  it('follow a state that was set by hand, and know no limit where there is none', () => {
    const set = (state: 'LIMITED' | 'RELEASED') => usage(0, { override: { state, until: null, reason: '' } });
    expect(given(reserve('a', 1, 0, set('LIMITED'))).said).toEqual(['limit-exceeded']);
    expect(given(reserve('a', 1, 0, { ...set('LIMITED'), limit: null })).said).toEqual(['limit-exceeded']);
    expect(given(reserve('a', 1_000, 0, set('RELEASED'))).said).toEqual(['ok']);
    expect(given(reserve('a', 1_000, 0, usage(0, { limit: null }))).said).toEqual(['ok']);
  });
  it('never overshoot, in whatever order callers with counts of different age come', () => {
    const limit = '30' as Decimal;
    const step = fc.record({
      kind: fc.constantFrom('reserve', 'reserve', 'commit', 'commit', 'release', 'count', 'count', 'look'),
      which: fc.nat(30),
      amount: fc.integer({ min: 1, max: 7 }),
      wait: fc.nat(8),
      caller: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 120 }), (steps) => {
        let state = limitReservations.initial;
        const made: string[] = [];
        const usageLog: { id: string; amount: Decimal }[] = [];
        let countedTo = 0;
        const look = (): CountedUsage => {
          const seen = usageLog.slice(0, countedTo);
          const current = seen.reduce((sum, { amount }) => add(sum, amount), zero);
          return usage(0, { limit, current, counted: seen.map(({ id }) => id), countedTo: String(countedTo) });
        };
        const views = [look(), look(), look()];
        let elapsed = 0;
        for (const { kind, which, amount, wait, caller } of steps) {
          // Three clocks, twenty seconds apart.
          const second = (elapsed += wait) + 20 * caller;
          if (kind === 'count') countedTo = Math.min(usageLog.length, countedTo + 1);
          if (kind === 'look') views[caller] = look();
          const id = kind === 'reserve' ? `r${made.length}` : (made.at(-1 - (which % 3)) ?? 'none');
          if (kind === 'count' || kind === 'look') continue;
          const command =
            kind === 'reserve'
              ? reserve(id, amount, second, views[caller])
              : kind === 'commit'
                ? commit(id, second)
                : release(id, second);
          const decided = limitReservations.decide(command, state);
          if ('rejected' in decided) continue;
          state = decided.events.reduce(limitReservations.evolve, state);
          for (const event of decided.events) {
            if (event.type === 'ReservationMade') made.push(id);
            if (event.type === 'ReservationCommitted') usageLog.push({ id, amount: event.data.amount });
          }
          const used = usageLog.reduce((sum, one) => add(sum, one.amount), zero);
          expect(compare(used, limit)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 250 },
    );
  });
});
