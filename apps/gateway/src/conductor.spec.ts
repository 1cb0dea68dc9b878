import { type Instant, epochMs, instantOfMs } from '@billstream/kernel';
import { conductor, within } from './conductor';
import type { HeldBack, InnerApi } from './inner-api';

const start = epochMs('2026-01-01T00:00:00.000Z' as Instant);
const at = (day: number): Instant => instantOfMs(start + day * 86_400_000);

/** A tenant with work due on given days; doing it takes a poll, and may make more work. Wall time stands still. */
const world = (days: readonly number[], more: Readonly<Record<number, number>> = {}) => {
  const due = new Set(days.map((day) => at(day)));
  const done: string[] = [];
  const moves: Instant[] = [];
  let distance = 0;
  let held: HeldBack | undefined;
  let events = 0;
  const now = (): Instant => instantOfMs(start + distance);
  const isHeld = (instant: Instant): boolean => held !== undefined && instant > held.after && instant <= held.until;
  const api: InnerApi = {
    authenticate: () => Promise.reject(new Error('nobody logs in here')),
    clock: () => Promise.resolve({ distanceMs: distance, heldUntil: held?.until ?? null }),
    moveClock: (_tenant, distanceMs, heldBack) => {
      distance = distanceMs;
      held = heldBack;
      moves.push(now());
      events += 1;
      return Promise.resolve();
    },
    fence: () => Promise.resolve(String(events)),
    settled: () => {
      const next = [...due].find((instant) => instant <= now() && !isHeld(instant));
      if (next === undefined) return Promise.resolve(true);
      due.delete(next);
      done.push(`${next.slice(0, 10)} at ${now().slice(0, 10)}`);
      events += 1;
      const day = more[(epochMs(next) - start) / 86_400_000];
      if (day !== undefined) due.add(at(day));
      return Promise.resolve(false);
    },
    quiet: (_tenant, fence) => Promise.resolve(Number(fence) === events),
    failing: () => Promise.resolve([]),
    nextDue: (_tenant, until) => Promise.resolve([...due].sort().find((instant) => instant <= until) ?? null),
  };
  return { api, done, moves };
};

describe('moving a test clock', () => {
  it('does what fell due on the way at its end, in the order of the dates, also what that brings', async () => {
    const { api, done, moves } = world([30, 20, 5, 40], { 5: 10 });
    await conductor(api, () => start).move('t', at(30));
    expect(done).toEqual([
      '2026-01-06 at 2026-01-31',
      '2026-01-11 at 2026-01-31',
      '2026-01-21 at 2026-01-31',
      '2026-01-31 at 2026-01-31',
    ]);
    expect(new Set(moves)).toEqual(new Set([at(30)]));
  });
  it('does what is overdue without going back to it', async () => {
    const { api, done, moves } = world([-3]);
    await conductor(api, () => start).move('t', at(1));
    expect(done).toEqual(['2025-12-29 at 2026-01-01']);
    expect(moves).toEqual([at(1)]);
  });
  it('is brought to its end by whoever waits, when its conductor died on the way', async () => {
    const { api, done } = world([5, 20]);
    await api.moveClock('t', 30 * 86_400_000, { after: at(4), until: at(30) });
    expect(await conductor(api, () => start).settle('t', { until: start + 1_000 })).toBe(true);
    expect(done).toEqual(['2026-01-06 at 2026-01-31', '2026-01-21 at 2026-01-31']);
  });
  it('jumps back, and home to real time', async () => {
    const { api, moves } = world([]);
    const clocks = conductor(api, () => start);
    await clocks.move('t', at(9));
    await clocks.move('t', at(2));
    await clocks.move('t', null);
    expect(moves).toEqual([at(9), at(2), at(0)]);
  });
  it('is waited for by whoever asks whether all is done', async () => {
    const { api, done } = world([1, 2]);
    const clocks = conductor(api, () => start);
    const moving = clocks.move('t', at(3));
    expect(await clocks.settle('t', { until: start + 1 })).toBe(true);
    expect(done).toHaveLength(2);
    await moving;
  });
});

describe('waiting for rest', () => {
  it('ends at the deadline', async () => {
    const { api } = world([]);
    const never = { ...api, settled: () => Promise.resolve(false) };
    let time = start;
    expect(await conductor(never, () => (time += 10)).settle('t', { until: start + 100 })).toBe(false);
  });
  it('ends after so many rounds where others keep the log busy', async () => {
    const { api } = world([]);
    expect(
      await conductor({ ...api, quiet: () => Promise.resolve(false) }, () => start).settleNow('t', {
        until: start + 1,
        roundsMax: 3,
      }),
    ).toBe(false);
  });
  it('gives up on what is late without ending it', async () => {
    expect(await within(0.01, new Promise(() => undefined))).toBe('late');
    expect(await within(5, Promise.resolve('done'))).toBe('done');
  });
});
