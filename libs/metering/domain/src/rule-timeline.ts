import type { Instant } from '@billstream/kernel';
import type { PlanInterval } from './metered-account';
import { type CountingMethod, type HeldPlan, type Rule, chooseRule } from './rule';
import { nextHour } from './zone-hour';

/** A unit's rules as they stood from an instant on; null: it had been removed. */
export type UnitVersion = {
  readonly version: number;
  readonly effectiveAt: Instant;
  readonly countingMethod: CountingMethod;
  readonly rules: readonly Rule[] | null;
};

/** A stretch of time in which one rule counts a user's usage of a unit, for one subscription or for none. Half-open. */
export type Stretch = {
  readonly fromAt: Instant;
  readonly toAt: Instant;
  readonly version: number | null;
  readonly method: CountingMethod | null;
  readonly rule: Rule | null;
  readonly subscriptionId: string | null;
};

/** A stretch of time in which usage belongs to a subscription. Half-open. */
export type OwnedStretch = Pick<Stretch, 'fromAt' | 'toAt'> & { readonly subscriptionId: string };

export type Range = { readonly fromAt: Instant; readonly toAt: Instant; readonly timeZone: string };

/** The version whose rules decide limits at an instant: the newest that is in force; before the first, the first. */
export const versionInForce = <V extends Pick<UnitVersion, 'effectiveAt'>>(
  versions: readonly V[],
  at: Instant,
): V | undefined => versions.findLast(({ effectiveAt }) => effectiveAt <= at) ?? versions[0];

type Facts = { readonly versions: readonly UnitVersion[]; readonly intervals: readonly PlanInterval[] };

type Held = HeldPlan & { readonly units: readonly string[] };

/** What a user holds at an instant, the subscription that began first in front. */
export const heldAt = (intervals: readonly PlanInterval[], at: Instant): readonly Held[] => {
  const begun = new Map<string, Instant>();
  for (const { subscriptionId, fromAt } of intervals) {
    const before = begun.get(subscriptionId);
    if (before === undefined || fromAt < before) begun.set(subscriptionId, fromAt);
  }
  const order = (held: Held): string => `${begun.get(held.subscriptionId) ?? ''} ${held.subscriptionId}`;
  return intervals
    .filter(({ fromAt, toAt }) => fromAt <= at && (toAt === null || at < toAt))
    .map(({ subscriptionId, planName, category, units }) => ({ subscriptionId, planName, category, units }))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
};

/**
 * The stretches of a range, each with the rule that counts it: cut at the exact instants of plan changes (M14) and where
 * a rule version comes into force, which is at the start of an hour (M13). Usage from before a unit was defined counts by
 * its first version (M12).
 */
export const stretchesOf = (facts: Facts, range: Range): readonly Stretch[] =>
  piecesOf(facts, range).reduce<readonly Stretch[]>(joined, []);

/** A version with the start of the hour from which on it counts. */
export type StartedVersion = UnitVersion & { readonly from: Instant };

/** From when on each version counts, in the hours of a zone: the same for all its users, and dear to work out for each. */
export const startedVersions = (versions: readonly UnitVersion[], timeZone: string): readonly StartedVersion[] =>
  versions.map((version) => ({ ...version, from: nextHour(version.effectiveAt, timeZone) }));

const piecesOf = ({ versions, intervals }: Facts, range: Range): readonly Stretch[] =>
  startedPieces({ versions: startedVersions(versions, range.timeZone), intervals }, range);

type StartedFacts = Omit<Facts, 'versions'> & { readonly versions: readonly StartedVersion[] };

const startedPieces = (
  { versions: inForce, intervals }: StartedFacts,
  range: Omit<Range, 'timeZone'>,
): readonly Stretch[] => {
  const cuts = [
    ...inForce.map(({ from }) => from),
    ...intervals.flatMap(({ fromAt, toAt }) => (toAt === null ? [fromAt] : [fromAt, toAt])),
  ];
  const inside = [...new Set(cuts)].filter((at) => at > range.fromAt && at < range.toAt).sort();
  const starts = [range.fromAt, ...inside];
  return starts.map((fromAt, index): Stretch => {
    const version = versionAt(inForce, fromAt);
    const chosen = version?.rules
      ? chooseRule(version.rules, heldAt(intervals, fromAt))
      : { rule: null, subscriptionId: null };
    return {
      fromAt,
      toAt: starts[index + 1] ?? range.toAt,
      version: version?.version ?? null,
      method: version?.countingMethod ?? null,
      ...chosen,
    };
  });
};

const versionAt = (versions: readonly StartedVersion[], at: Instant): StartedVersion | null => {
  const started = versions.reduce((last, { from }, index) => (from <= at ? index : last), -1);
  // What was sent while the unit did not exist counts by the rules it was given later, so no usage is lost by order.
  return (
    versions
      .slice(Math.max(0, started))
      .find(({ rules }, index, rest) => rules !== null || index === rest.length - 1) ?? null
  );
};

/** A new version that leaves this user's rule as it was does not cut a day in two: its free amount would count twice. */
const joined = (stretches: readonly Stretch[], next: Stretch): readonly Stretch[] => {
  const last = stretches.at(-1);
  const isSame =
    last?.toAt === next.fromAt &&
    last.subscriptionId === next.subscriptionId &&
    last.method === next.method &&
    JSON.stringify(last.rule) === JSON.stringify(next.rule);
  return isSame ? [...stretches.slice(0, -1), { ...next, fromAt: last.fromAt }] : [...stretches, next];
};

/** What an invoice asks: the usage of one unit that belongs to a subscription while it is on a plan. */
export type AskedUsage = {
  readonly subscriptionId: string;
  readonly planName: string;
  readonly unit: string;
  readonly range: Range;
};

/**
 * The stretches of the asked range whose usage belongs to the subscription. A rule with a plan says whose it is; usage
 * under the default rule belongs to the subscription that began first of those whose plan prices the unit, so that no
 * record is billed twice. The asking side knows its plan and its period best: the subscription counts as on that plan
 * throughout.
 */
export const stretchesFor = (
  { subscriptionId, planName, unit, range }: AskedUsage,
  { versions, intervals }: Facts,
): readonly Stretch[] => {
  const own = intervals.filter((interval) => interval.subscriptionId === subscriptionId);
  const begun = own.map(({ fromAt }) => fromAt).sort()[0];
  const asked: PlanInterval = {
    subscriptionId,
    planName,
    category: own.at(-1)?.category ?? 'BASE',
    fromAt: begun !== undefined && begun < range.fromAt ? begun : range.fromAt,
    toAt: range.toAt,
    units: [unit],
    capacityUnits: [],
  };
  const all = [...intervals.filter((interval) => interval.subscriptionId !== subscriptionId), asked];
  return piecesOf({ versions, intervals: all }, range)
    .filter((piece) => ownerOf(piece, all, unit) === subscriptionId)
    .reduce<readonly Stretch[]>(joined, []);
};

/**
 * The stretches of a range in which a user's usage of a unit belongs to a subscription, as it would be billed; usage in
 * between belongs to none.
 */
export const ownedStretches = (
  facts: StartedFacts,
  { unit, range }: { readonly unit: string; readonly range: Omit<Range, 'timeZone'> },
): readonly OwnedStretch[] =>
  startedPieces(facts, range).reduce<readonly OwnedStretch[]>((owned, piece) => {
    const subscriptionId = ownerOf(piece, facts.intervals, unit);
    const last = owned.at(-1);
    if (subscriptionId === null) return owned;
    return last?.toAt === piece.fromAt && last.subscriptionId === subscriptionId
      ? [...owned.slice(0, -1), { ...last, toAt: piece.toAt }]
      : [...owned, { fromAt: piece.fromAt, toAt: piece.toAt, subscriptionId }];
  }, []);

const ownerOf = (
  { fromAt, subscriptionId }: Stretch,
  intervals: readonly PlanInterval[],
  unit: string,
): string | null =>
  subscriptionId ?? heldAt(intervals, fromAt).find(({ units }) => units.includes(unit))?.subscriptionId ?? null;
