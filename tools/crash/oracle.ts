/**
 * What must have come of the day, computed from the script alone with whole numbers: no code of the system is used.
 * Prices are those of the default catalog; rules of counting are those of the metering guide.
 */
import { dateOf, dayMs, hourMs, monthStart } from './calendar';
import type { PlanName, ScriptedAccount, ScriptedRecord, ScriptedRules } from './script';

/** Prices in cents, a host-hour in thousandths of a dollar. */
const prices: Readonly<
  Record<PlanName, { readonly monthly: number; readonly hostHourMills: number; readonly analyticsBlock: number }>
> = {
  'standard-monthly': { monthly: 2_000, hostHourMills: 10, analyticsBlock: 100 },
  'standard-pro': { monthly: 5_000, hostHourMills: 17, analyticsBlock: 200 },
};
const analyticsBlockCents = 200;

/** Numerator and denominator: means of three samples have no last digit. */
type Ratio = readonly [bigint, bigint];

const plus = ([a, b]: Ratio, [c, d]: Ratio): Ratio => [a * d + c * b, b * d];
const ceil = ([a, b]: Ratio): bigint => (a <= 0n ? 0n : (a + b - 1n) / b);
const noneOf: Ratio = [0n, 1n];

const groupedBy = (records: readonly ScriptedRecord[], widthMs: number): readonly (readonly ScriptedRecord[])[] => {
  const groups = new Map<number, ScriptedRecord[]>();
  for (const record of records) {
    const start = Math.floor(record.atMs / widthMs);
    groups.set(start, [...(groups.get(start) ?? []), record]);
  }
  return [...groups.values()];
};

const sumOf = (records: readonly ScriptedRecord[]): bigint =>
  records.reduce((sum, { thousandths }) => sum + BigInt(thousandths), 0n);

/** Sum over hours of the mean less the free amount, in thousandths. */
const hostUsage = (records: readonly ScriptedRecord[], freeAnHour: bigint): Ratio =>
  groupedBy(records, hourMs)
    .map((hour): Ratio => {
      const count = BigInt(hour.length);
      const rest = sumOf(hour) - freeAnHour * count;
      return rest > 0n ? [rest, count] : noneOf;
    })
    .reduce(plus, noneOf);

/** Sum over days of the day's sum less the free amount, in thousandths. */
const analyticsUsage = (records: readonly ScriptedRecord[], freeADay: bigint): bigint =>
  groupedBy(records, dayMs).reduce((total, day) => {
    const rest = sumOf(day) - freeADay;
    return total + (rest > 0n ? rest : 0n);
  }, 0n);

/** The same record sent twice is one. */
export const distinct = (records: readonly ScriptedRecord[]): readonly ScriptedRecord[] => [
  ...new Map(records.map((record) => [record.id, record])).values(),
];

export type ExpectedItem = {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  readonly cents: number;
};
export type ExpectedInvoice = { readonly date: string; readonly items: readonly ExpectedItem[] };

/** Host-hours are billed in started units, analytics in started blocks; a fraction of a cent is rounded half up. */
const usageItems = (
  { plan }: ScriptedAccount,
  records: readonly ScriptedRecord[],
  rules: ScriptedRules,
): readonly { what: string; cents: number }[] => {
  const isPro = plan === 'standard-pro';
  const of = (unit: string) => records.filter((record) => record.unit === unit);
  const [total, parts] = hostUsage(of('host'), isPro ? BigInt(rules.host.freeAnHour) : 0n);
  const hostHours = ceil([total, parts * 1000n]);
  const hostCents = (hostHours * BigInt(prices[plan].hostHourMills) + 5n) / 10n;
  const analytics = analyticsUsage(of('analytics'), isPro ? BigInt(rules.analytics.freeADay) : 0n);
  const blocks = ceil([analytics, 1000n * BigInt(prices[plan].analyticsBlock)]);
  return [
    { what: `${plan}-host`, cents: Number(hostCents) },
    { what: `${plan}-analytics`, cents: Number(blocks) * analyticsBlockCents },
  ];
};

/** On the first day of each paid month: the month ahead, and the usage of the month behind. Items of zero are left out. */
export const expectedInvoices = (
  account: ScriptedAccount,
  {
    months,
    rules,
    usageOf,
  }: { readonly months: number; readonly rules: ScriptedRules; usageOf(month: number): readonly ScriptedRecord[] },
): readonly ExpectedInvoice[] =>
  Array.from({ length: months + 1 }, (_, month) => {
    const date = dateOf(monthStart(month));
    const recurring = {
      what: account.plan,
      from: date,
      to: dateOf(monthStart(month + 1)),
      cents: prices[account.plan].monthly,
    };
    const behind = month === 0 ? [] : usageItems(account, distinct(usageOf(month - 1)), rules);
    const period = { from: dateOf(monthStart(month - 1)), to: date };
    return {
      date,
      items: [recurring, ...behind.map((item) => ({ ...item, ...period }))].filter(({ cents }) => cents !== 0),
    };
  });

export type ExpectedLimit = { readonly unit: string; readonly currentThousandths: number; readonly limited: boolean };

/**
 * After a day's usage: the newest host sample, the sum of the day's analytics. An instant of the same day counts for the
 * limit even if it is still to come; an earlier day's does not.
 */
export const expectedLimits = (
  account: ScriptedAccount,
  {
    rules,
    dayStart,
    records,
  }: { readonly rules: ScriptedRules; readonly dayStart: number; readonly records: readonly ScriptedRecord[] },
): readonly ExpectedLimit[] => {
  if (account.plan !== 'standard-pro') return [];
  const once = distinct(records);
  const newest = once.filter(({ unit }) => unit === 'host').sort((a, b) => b.atMs - a.atMs)[0]?.thousandths ?? 0;
  const today = once.filter(({ unit, atMs }) => unit === 'analytics' && atMs >= dayStart && atMs < dayStart + dayMs);
  const sum = Number(sumOf(today));
  return [
    { unit: 'host', currentThousandths: newest, limited: newest > rules.host.limit },
    { unit: 'analytics', currentThousandths: sum, limited: sum > rules.analytics.limitADay },
  ];
};
