/** One run: a system, the day on it, faults all the while, and the judgement. */
import { type Client, client } from '../day/client';
import { addPlanRule, uploadPayPalConfig } from '../day/day';
import { dateOf, dayMs, monthStart, openingAt, usageDays, workingHour } from './calendar';
import { type Chaos, startChaos } from './chaos';
import { endProviderFaults, planProviderFaults, takeEveryAmount } from './emulator-faults';
import { judge, type Played } from './judge';
import { expectedLimits } from './oracle';
import { type Player, goTo, inLanes, join, patiently, sendUsage, toUsageDay } from './player';
import { type Random, randomOf } from './random';
import type { CrashReport } from './report';
import { type Script, type ScriptedRules, scriptOf } from './script';
import { servicesUnderTest } from './services-system';
import { standaloneUnderTest } from './standalone-system';
import { type Difference, differenceOf, limitStatement } from './statements';
import type { SystemUnderTest } from './system';

export type CrashOptions = {
  readonly mode: 'services' | 'standalone';
  readonly accounts: number;
  readonly kills: number;
  readonly cuts: number;
  readonly seed: string;
  /** Switches off what recognises repeats: the run must then fail, or it proves nothing. */
  readonly isNegative: boolean;
  readonly databaseUrl: string | null;
  readonly rabbitMqUrl: string | null;
  /** Average pause between a recovery and the next kill. */
  readonly gapMs: number;
  /** Of a good run too; those of a run that fails unexpectedly are always kept. */
  readonly keepsLogs?: boolean;
  readonly say: (text: string) => void;
};

const lanes = 8;
const monthsMax = 12;
const moveMs = 900_000;
const quietDays = 10;

type Run = {
  readonly options: CrashOptions;
  readonly system: SystemUnderTest;
  readonly client: Client;
  readonly script: Script;
  readonly chaos: Chaos;
  readonly random: Random;
};

const number = (thousandths: number): number => thousandths / 1000;

const setRules = async (api: Client, { host, analytics }: ScriptedRules): Promise<void> => {
  const own = { applyPlan: true, basePlan: 'standard-pro' };
  await patiently('rules of host', 60_000, () =>
    addPlanRule(api, 'host', {
      ...own,
      periodSplitting: 'HOUR',
      limitAmount: number(host.limit),
      freeAmount: number(host.freeAnHour),
      freePeriod: 'HOUR',
    }),
  );
  await patiently('rules of analytics', 60_000, () =>
    addPlanRule(api, 'analytics', {
      ...own,
      limitAmount: number(analytics.limitADay),
      limitRefreshInterval: 'DAY',
      freeAmount: number(analytics.freeADay),
      freePeriod: 'DAY',
    }),
  );
};

type LimitJson = { readonly current: number; readonly limited: boolean };

/** Limits follow usage within seconds; what they say after that is held against them. */
const checkLimits = async (
  { client: api, script }: Run,
  players: readonly Player[],
  { month, dayIndex }: { month: number; dayIndex: number },
): Promise<readonly Difference[]> => {
  const dayStart = monthStart(month) + (usageDays[dayIndex] ?? 0) * dayMs;
  const differences = await inLanes(lanes, players, async ({ scripted, externalKey }) => {
    const records = script.usage(scripted, month, dayIndex).flatMap((batch) => batch.records);
    const expected = expectedLimits(scripted, { rules: script.rules, dayStart, records }).map((limit) =>
      limitStatement(dateOf(dayStart), limit),
    );
    for (const deadline = Date.now() + 20_000; ;) {
      const got = await Promise.all(
        (scripted.plan === 'standard-pro' ? ['host', 'analytics'] : []).map(async (unit) => {
          const { current, limited } = (
            await api.expect(200, 'GET', `/meter/limit/check/${unit}?user=${encodeURIComponent(externalKey)}`)
          ).json<LimitJson>();
          return limitStatement(dateOf(dayStart), { unit, currentThousandths: Math.round(current * 1000), limited });
        }),
      );
      const difference = differenceOf(externalKey, expected, got);
      if (difference === null || Date.now() > deadline) return difference;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  });
  return differences.flatMap((difference) => difference ?? []);
};

const playMonth = async (run: Run, players: readonly Player[], month: number): Promise<readonly Difference[]> => {
  const { client: api, script, options, system, random } = run;
  const differences: Difference[] = [];
  run.chaos.allow(month === 0 ? 0.75 : 1);
  for (const [dayIndex] of usageDays.entries()) {
    await toUsageDay(api, month, dayIndex);
    const sent = await sendUsage(api, script, { players, month, dayIndex, lanes });
    differences.push(...(await checkLimits(run, players, { month, dayIndex })));
    options.say(
      `${dateOf(monthStart(month) + (usageDays[dayIndex] ?? 0) * dayMs)}: ${String(sent)} usage records accepted`,
    );
  }
  await planProviderFaults(api, system.target.emulatorUrl, {
    charges: players.length,
    random: random.fork(`provider ${String(month)}`),
  });
  run.chaos.allow(1);
  await goTo(api, monthStart(month + 1) + workingHour, moveMs);
  options.say(`${dateOf(monthStart(month + 1))}: invoiced and paid`);
  return differences;
};

const playDay = async (run: Run): Promise<Played> => {
  const { client: api, script, options, system, chaos, random } = run;
  const complaints: string[] = [];
  chaos.allow(0.3);
  await goTo(api, openingAt, moveMs);
  await patiently('PayPal configuration', 60_000, () => uploadPayPalConfig(api));
  await takeEveryAmount(api, system.target.emulatorUrl);
  await setRules(api, script.rules);
  const players = await inLanes(lanes, script.accounts, (account) =>
    join(api, account, { emulatorUrl: system.target.emulatorUrl, complain: (text) => complaints.push(text) }),
  );
  options.say(`${String(players.length)} accounts subscribed`);
  await planProviderFaults(api, system.target.emulatorUrl, {
    charges: players.length,
    random: random.fork('provider'),
  });
  chaos.allow(0.5);
  await goTo(api, monthStart(0) + workingHour, moveMs);
  options.say(`${dateOf(monthStart(0))}: trials are over`);
  const limitDifferences: Difference[] = [];
  let months = 0;
  // One month is the day that was asked for; as many more as it takes until every fault has been met by work.
  for (; months === 0 || (!chaos.isOver() && months < monthsMax); months += 1)
    limitDifferences.push(...(await playMonth(run, players, months)));
  return { script, players, months, limitDifferences, complaints };
};

export const crashRun = async (options: CrashOptions): Promise<CrashReport> => {
  const { mode, seed, say } = options;
  const startedAt = performance.now();
  const random = randomOf(seed);
  say(
    `${mode}: seed ${seed}, ${String(options.accounts)} accounts, ${String(options.kills)} kills, ${String(options.cuts)} cuts${options.isNegative ? ', repeats are not recognised' : ''}`,
  );
  const { databaseUrl, rabbitMqUrl } = options;
  const system = await (mode === 'services' ? servicesUnderTest : standaloneUnderTest)({
    databaseUrl,
    rabbitMqUrl,
    repeatsAreRecognised: !options.isNegative,
  });
  let isGoodSoFar = false;
  say(`ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s; logs in ${system.logFolder}`);
  const api = client({ ...system.target, patienceMs: 90_000, timeoutMs: 15_000 });
  const script = scriptOf(random, { name: `crash-${seed}`, accounts: options.accounts });
  const chaos = startChaos({
    random: random.fork('chaos'),
    ...system,
    ...options,
    recovered: () => system.recovered(),
  });
  try {
    const run = { options, system, client: api, script, chaos, random };
    const broken = chaos.done.then(() => new Promise<never>(() => undefined));
    const played = await Promise.race([playDay(run), broken]);
    await chaos.stop();
    await system.recovered();
    await endProviderFaults(api, system.target.emulatorUrl);
    // Retries and questions that are still open fall due in these days.
    await goTo(api, monthStart(played.months) + quietDays * dayMs + workingHour, moveMs);
    say('judging');
    const judgement = await judge(system, api, played);
    isGoodSoFar = judgement.differences.length + judgement.complaints.length === 0;
    return {
      mode,
      seed,
      accounts: options.accounts,
      months: played.months,
      durationMs: performance.now() - startedAt,
      faults: chaos.tally(),
      slowestRecoveryMs: chaos.slowestRecoveryMs(),
      ...judgement,
    };
  } finally {
    await chaos.stop().catch(() => undefined);
    await system.stop({ keepLogs: options.keepsLogs === true || (!isGoodSoFar && !options.isNegative) });
  }
};
