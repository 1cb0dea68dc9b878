import { type Decimal, add, larger, plusMs, startOfDay, zero, zonedDateOf } from '@billstream/kernel';
import type { ClosedUsage } from '@billstream/metering-contracts';
import {
  type AskedUsage,
  type CountedStretch,
  type UsageBasis,
  type PlanInterval,
  type Quarter,
  type Range,
  type Stretch,
  type UnitVersion,
  count,
  stretchesFor,
  countedStreamsOf,
  subscriptionUsageStream,
} from '@billstream/metering-domain';
import {
  type QuartersAsked,
  type ReportedSpan,
  type ReportedTotal,
  type UnitName,
  type UserName,
  type UserView,
  countedStreams,
  reportedInSpan,
  usageQuartersAsOf,
  usersByName,
  versionsByUnit,
} from '@billstream/metering-read-models';
import { type Database, askTogether } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';

/** What counting waits for: a tenant's usage, and what was reported for a subscription; null: no one's. */
type Waited = { readonly tenantId: string; readonly subscriptionId: string | null };

export type UsageRequest = {
  readonly tenantId: string;
  readonly user: string;
  readonly subscriptionId: string;
  readonly planName: string;
  readonly timeZone: string;
  readonly periods: readonly {
    readonly unit: string;
    readonly usageName: string;
    readonly fromAt: Range['fromAt'];
    readonly toAt: Range['toAt'];
  }[];
};

/** What closing asks of the read model; thousands of periods close at once, so they ask together. */
export const closingQuestions = (database: Database) => ({
  quarters: askTogether<QuartersAsked, readonly Quarter[]>((asked) => usageQuartersAsOf(database, asked)),
  user: askTogether<UserName, UserView>((names) => usersByName(database, names)),
  versions: askTogether<UnitName, readonly UnitVersion[]>((names) => versionsByUnit(database, names)),
  reported: askTogether<ReportedSpan, ReportedTotal | null>((spans) => reportedInSpan(database, spans)),
});
export type ClosingQuestions = ReturnType<typeof closingQuestions>;

const attemptsMax = 15;
/** The read model is about to pass a request that has just been made, where the log is busy; else it does not move. */
const passedWithinMs = 30;

/** Up to where everything is known to be counted: `head` of the log, and the last counted event before it. */
type Counted = { readonly head: bigint; readonly countedTo: bigint };

/**
 * Waits until everything that was taken of a tenant's usage before a position of the log is in the read model, and gives
 * the position counted to. A bill is not made from less: where the wait is too long this throws, and the request is tried
 * again later. A read model that has passed the request itself has counted all before it, and the log need not be asked;
 * else one look answers all requests that were made before it.
 */
export const usageCounted = (runtime: ServiceRuntime) => {
  const last = new Map<string, Promise<Counted>>();
  const look = async (tenantId: string): Promise<Counted> => {
    const head = await runtime.store.head();
    return { head, countedTo: await streamsCounted(runtime, countedStreamsOf(tenantId), head) };
  };
  return async ({ tenantId, subscriptionId }: Waited, requestedAt: bigint): Promise<bigint> => {
    if (requestedAt > 0n && (await runtime.passed(requestedAt, passedWithinMs))) return requestedAt;
    const own = streamsCounted(runtime, subscriptionId === null ? [] : [subscriptionUsageStream(subscriptionId)]);
    const known = await last.get(tenantId)?.catch(() => null);
    if (known && requestedAt > 0n && known.head >= requestedAt) return latest([known.countedTo, await own]);
    const looking = look(tenantId);
    last.set(tenantId, looking);
    const [{ countedTo }, ownTo] = await Promise.all([looking, own]);
    return latest([countedTo, ownTo]);
  };
};

/**
 * What came after `head` is not waited for: under steady usage there is always some. The read model counts in log order, so
 * all before the position that is answered is counted, in whichever of the streams.
 */
const streamsCounted = async (runtime: ServiceRuntime, streams: readonly string[], head?: bigint): Promise<bigint> => {
  const { store, database } = runtime;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const counted = await countedStreams(database, streams);
    const rest = await Promise.all(
      streams.map((stream) => store.read(stream, (counted.get(stream)?.revision ?? -1n) + 1n, 1)),
    );
    const waiting = rest
      .flat()
      .map(({ position }) => position)
      .filter((position) => head === undefined || position <= head);
    if (waiting.length === 0) return latest([...counted.values()].map(({ position }) => position));
    await runtime.visible(latest(waiting));
  }
  throw new Error(`the usage of ${streams[0] ?? ''} is not counted yet`);
};

const latest = (positions: readonly bigint[]): bigint =>
  positions.reduce((last, position) => (position > last ? position : last), -1n);

/** A quantity, and what it was made of. */
export type CountedPeriod = { readonly usage: ClosedUsage; readonly basis: UsageBasis };

/** The quantities an invoice asks for, each counted by the rules of the plan it is for, from what counted at `countedTo`. */
export const closedUsages = async (
  questions: ClosingQuestions,
  request: UsageRequest,
  countedTo: bigint,
): Promise<readonly CountedPeriod[]> => {
  const { intervals } = await questions.user(request);
  const counted: CountedPeriod[] = [];
  for (const { unit, usageName, fromAt, toAt } of request.periods) {
    const { subscriptionId, planName, timeZone } = request;
    const asked = { subscriptionId, planName, unit, range: { fromAt, toAt, timeZone } };
    const [{ stretches, ...metered }, reported] = await Promise.all([
      meteredUsage(questions, request, { asked, intervals, countedTo }),
      reportedQuantity(questions, request, { asked, intervals, countedTo }),
    ]);
    const usage = {
      ...{ unit, usageName, fromAt, toAt },
      quantity: add(metered.quantity, reported.quantity),
      metered: add(metered.metered, reported.quantity),
      free: metered.free,
      records: metered.records + reported.records,
      syntheticBuckets: metered.syntheticBuckets,
      rule: metered.rule,
      trackingIds: reported.trackingIds,
      countedTo: String(countedTo),
    };
    counted.push({ usage, basis: { stretches, reported: reported.span } });
  }
  return counted;
};

type Asked = {
  readonly asked: AskedUsage;
  readonly intervals: readonly PlanInterval[];
  readonly countedTo: bigint;
};
type Metered = Pick<ClosedUsage, 'quantity' | 'metered' | 'free' | 'records' | 'syntheticBuckets' | 'rule'> & {
  readonly stretches: readonly CountedStretch[];
};

const nothing: Metered = {
  ...{ quantity: zero, metered: zero, free: zero, records: 0, syntheticBuckets: 0, rule: null },
  stretches: [],
};

const meteredUsage = async (
  questions: ClosingQuestions,
  { tenantId, user }: UsageRequest,
  { asked, intervals, countedTo }: Asked,
): Promise<Metered> => {
  const versions = await questions.versions({ tenantId, unit: asked.unit });
  const series = { tenantId, user, unit: asked.unit, timeZone: asked.range.timeZone, countedTo };
  let sum = nothing;
  for (const stretch of stretchesFor(asked, { versions, intervals }))
    sum = together(sum, await countStretch(questions, series, stretch));
  return sum;
};

type Series = Omit<QuartersAsked, 'fromAt' | 'toAt'> & { readonly timeZone: string };

const countStretch = async (
  { quarters: quartersOf }: ClosingQuestions,
  { timeZone, ...series }: Series,
  { rule, method, version, fromAt, toAt }: Stretch,
): Promise<Metered> => {
  if (rule === null || method === null || version === null) return nothing;
  const quarters = await quartersOf({ ...series, fromAt, toAt });
  const { total, usage, free, records, syntheticHours } = count(quarters, {
    ...{ method, rule },
    range: { fromAt, toAt, timeZone },
  });
  return {
    quantity: total,
    metered: usage,
    free,
    records,
    syntheticBuckets: syntheticHours,
    rule: { unit: series.unit, version, countingMethod: method },
    stretches: [{ fromAt, toAt, version, method, rule }],
  };
};

const together = (a: Metered, b: Metered): Metered => ({
  quantity: add(a.quantity, b.quantity),
  metered: add(a.metered, b.metered),
  free: add(a.free, b.free),
  records: a.records + b.records,
  syntheticBuckets: a.syntheticBuckets + b.syntheticBuckets,
  rule: b.rule ?? a.rule,
  stretches: [...a.stretches, ...b.stretches],
});

type Reported = {
  readonly quantity: Decimal;
  readonly records: number;
  readonly trackingIds: readonly string[];
  /** Where the reports lie; null: there are none. */
  readonly span: UsageBasis['reported'];
};

/** Usage reported for the subscription itself: added up where the plan prices a sum, its highest level where it prices one. */
const reportedQuantity = async (
  questions: ClosingQuestions,
  { tenantId }: UsageRequest,
  { asked, intervals, countedTo }: Asked,
): Promise<Reported> => {
  const { subscriptionId, unit, range } = asked;
  const own = intervals.filter((interval) => interval.subscriptionId === subscriptionId);
  const span = reportedRange(range, own);
  const total = await questions.reported({ tenantId, subscriptionId, unit, countedTo, ...span });
  if (total === null) return { quantity: zero, records: 0, trackingIds: [], span: null };
  const isLevel = own.some(
    ({ planName, capacityUnits }) => planName === asked.planName && capacityUnits.includes(unit),
  );
  return {
    quantity: isLevel ? larger(total.max, zero) : total.sum,
    records: total.count,
    trackingIds: total.trackingIds,
    span,
  };
};

/**
 * Whoever reports by the day reports a subscription's first day from its midnight on, and no earlier period could take it.
 * A point at the very end of the subscription belongs to its last period (Kill Bill 3.3).
 */
const reportedRange = (
  { fromAt, toAt, timeZone }: Range,
  own: readonly PlanInterval[],
): Pick<Range, 'fromAt' | 'toAt'> => {
  const isFirst = !own.some((interval) => interval.fromAt < fromAt);
  const isLast = own.at(-1)?.toAt === toAt;
  return {
    fromAt: isFirst ? startOfDay(zonedDateOf(fromAt, timeZone), timeZone) : fromAt,
    toAt: isLast ? plusMs(toAt, 1) : toAt,
  };
};
