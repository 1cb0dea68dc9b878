/** What the run will do, drawn from the seed before anything is started: accounts, rules, usage. Amounts are thousandths. */
import { dayMs, hourMs, monthStart, usageDays, workingHour } from './calendar';
import type { Random } from './random';

export type PlanName = 'standard-monthly' | 'standard-pro';
export type UnitName = 'host' | 'analytics';

export type ScriptedAccount = {
  readonly index: number;
  readonly externalKey: string;
  /** Everybody begins with standard-monthly; the plan held from then on. */
  readonly plan: PlanName;
  /** Sends its requests for a subscription and an account twice, as a client does that lost the first answer. */
  readonly isImpatient: boolean;
};

export type ScriptedRecord = {
  readonly id: string;
  readonly unit: UnitName;
  readonly user: string;
  readonly thousandths: number;
  readonly atMs: number;
};

/** What one request sends. Records of an anonymous batch have no ids on the wire; the request's key stands for them. */
export type Batch = { readonly key: string; readonly records: readonly ScriptedRecord[]; readonly areNamed: boolean };

/** Rules for users of standard-pro, in thousandths; the others have the default rule: nothing free, no limit. */
export type ScriptedRules = {
  readonly host: { readonly limit: number; readonly freeAnHour: number };
  readonly analytics: { readonly limitADay: number; readonly freeADay: number };
};

export type Script = {
  readonly accounts: readonly ScriptedAccount[];
  readonly rules: ScriptedRules;
  /** All of an account's batches of a usage day of a month, in the order in which they are sent. */
  usage(account: ScriptedAccount, month: number, dayIndex: number): readonly Batch[];
};

type Sending = {
  readonly account: ScriptedAccount;
  readonly dayStart: number;
  readonly name: string;
  readonly random: Random;
};

const hostRecords = ({ account, dayStart, name, random }: Sending): readonly ScriptedRecord[] => {
  const first = random.int(0, 12);
  return Array.from({ length: random.int(4, 10) }, (_, hour) =>
    Array.from({ length: random.int(1, 4) }, (__, i): ScriptedRecord => ({
      id: `${name}-host-${String(hour)}-${String(i)}`,
      unit: 'host',
      user: account.externalKey,
      thousandths: random.int(0, 45_000),
      // Each sample at an instant of its own: which of them is the newest must not be a matter of luck.
      atMs: dayStart + (first + hour) * hourMs + i * 13 * 60_000 + random.int(0, 60_000),
    })),
  ).flat();
};

const analyticsRecords = ({ account, dayStart, name, random }: Sending): readonly ScriptedRecord[] =>
  Array.from({ length: random.int(3, 9) }, (_, i): ScriptedRecord => ({
    id: `${name}-analytics-${String(i)}`,
    unit: 'analytics',
    user: account.externalKey,
    thousandths: random.int(1_000, 320_000),
    // Every fourth comes late: it belongs to the day before, is billed there, and does not count for today's limit.
    atMs: dayStart - (i % 4 === 3 ? dayMs : 0) + random.int(0, 23 * hourMs),
  }));

const batchesOf = (sending: Sending): readonly Batch[] => {
  const { random, name } = sending;
  const all = random.shuffled([...hostRecords(sending), ...analyticsRecords(sending)]);
  const cut = random.int(1, all.length - 1);
  const [first, second] = [all.slice(0, cut), all.slice(cut)];
  const again = all.filter(() => random.chance(0.15));
  const named = [first, random.shuffled([...second, ...again])].map((records, i) => ({
    key: `${name}-${String(i)}`,
    records,
    areNamed: true,
  }));
  const anonymous = analyticsRecords({ ...sending, name: `${name}-unnamed`, random: random.fork('unnamed') }).slice(
    0,
    2,
  );
  const unnamed = { key: `${name}-unnamed`, records: anonymous, areNamed: false };
  // A batch that is sent once more as a whole, under the same key.
  return random.chance(0.3) ? [...named, unnamed, unnamed] : [...named, unnamed];
};

export const scriptOf = (random: Random, run: { readonly name: string; readonly accounts: number }): Script => {
  const drawing = random.fork('accounts');
  const accounts = Array.from({ length: run.accounts }, (_, index): ScriptedAccount => ({
    index,
    externalKey: `${run.name}-${String(index).padStart(4, '0')}@example.com`,
    plan: index % 4 === 3 ? 'standard-monthly' : 'standard-pro',
    isImpatient: index % 5 === 0 || drawing.chance(0.1),
  }));
  const rules = random.fork('rules');
  return {
    accounts,
    rules: {
      host: { limit: rules.int(20, 30) * 1000, freeAnHour: rules.int(1, 5) * 1000 },
      analytics: { limitADay: rules.int(600, 1_000) * 1000, freeADay: rules.int(20, 120) * 1000 },
    },
    usage: (account, month, dayIndex) => {
      const name = `${String(account.index)}-${String(month)}-${String(dayIndex)}`;
      const dayStart = monthStart(month) + (usageDays[dayIndex] ?? 0) * dayMs;
      return batchesOf({ account, dayStart, name, random: random.fork(`usage ${name}`) });
    },
  };
};

/** The instant to which the clock is set before a usage day's records are sent. */
export const usageDayAt = (month: number, dayIndex: number): number =>
  monthStart(month) + (usageDays[dayIndex] ?? 0) * dayMs + workingHour;
