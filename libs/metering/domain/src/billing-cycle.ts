import {
  type Instant,
  type LocalDate,
  dayOfMonth,
  daysBetween,
  plusDays,
  plusMonths,
  startOfDay,
  withDayOfMonth,
  zonedDateOf,
} from '@billstream/kernel';

/** How often a subscription is billed, as metering was told: what `SUBSCRIPTION_CYCLE` in a rule goes by (M15). */
export type BillingCycle = {
  readonly unit: 'MONTHS' | 'DAYS';
  readonly number: number;
  /** Bill cycle day of the subscription itself; null: that of `alignedAt`, or of the account. */
  readonly billCycleDay: number | null;
  /** The instant whose local day is the bill cycle day; null: the account's day counts. */
  readonly alignedAt: Instant | null;
};

export type CycleFacts = {
  readonly cycle: BillingCycle;
  /** When the subscription began; cycles of several months or days are counted from there. */
  readonly startedAt: Instant;
  /** 0: the account has none yet. */
  readonly accountCycleDay: number;
  readonly timeZone: string;
};

/** Who has no subscription is on calendar months. */
export const calendarMonths = (timeZone: string): CycleFacts => ({
  cycle: { unit: 'MONTHS', number: 1, billCycleDay: 1, alignedAt: null },
  startedAt: '2000-01-01T00:00:00.000Z' as Instant,
  accountCycleDay: 0,
  timeZone,
});

/** The cycle around an instant, half-open. Boundaries are counted from the first, so a short month moves none for ever. */
export const cycleAround = (at: Instant, facts: CycleFacts): { readonly from: Instant; readonly to: Instant } => {
  const { cycle, timeZone, startedAt } = facts;
  const date = zonedDateOf(at, timeZone);
  const start = zonedDateOf(startedAt, timeZone);
  const boundary = cycle.unit === 'DAYS' ? daysFrom(start, cycle.number) : monthsFrom(start, facts);
  const length = cycle.number * (cycle.unit === 'DAYS' ? 1 : 30.436875);
  let n = Math.floor(daysBetween(start, date) / length);
  while (boundary(n) > date) n -= 1;
  while (boundary(n + 1) <= date) n += 1;
  return { from: startOfDay(boundary(n), timeZone), to: startOfDay(boundary(n + 1), timeZone) };
};

const daysFrom =
  (start: LocalDate, days: number) =>
  (n: number): LocalDate =>
    plusDays(start, n * days);

const monthsFrom = (start: LocalDate, { cycle, accountCycleDay, timeZone }: CycleFacts) => {
  const aligned = cycle.alignedAt === null ? accountCycleDay : dayOfMonth(zonedDateOf(cycle.alignedAt, timeZone));
  const day = cycle.billCycleDay ?? (aligned > 0 ? aligned : dayOfMonth(start));
  return (n: number): LocalDate => withDayOfMonth(plusMonths(withDayOfMonth(start, 1), n * cycle.number), day);
};
