import { type Instant, epochMs, wallTime } from '@billstream/kernel';
import {
  type CountingMethod,
  type HeldPlan,
  type LimitOverride,
  type LimitState,
  type LimitVerdict,
  type Rule,
  anonymousUser,
  atNow,
  chooseRule,
  heldAt,
  untouched,
  usageStream,
  verdict,
} from '@billstream/metering-domain';
import { countedStreams, unitsInForce, userByName, userLimits } from '@billstream/metering-read-models';
import type { ServiceRuntime } from '@billstream/service-runtime';

/** How old an answer is. Usage that was taken after it was read is not in it, and usage before it is. */
export type Freshness = {
  /** Log position of the last batch counted of the streams that this user's usage is in; null: none was. */
  readonly position: string | null;
  /** For how long the oldest batch that is taken and not counted has been waiting, in milliseconds; 0: all is counted. */
  readonly ageMs: number;
};

/** Where a user stands with a unit now, and by which rule. */
export type UnitStanding = {
  readonly unit: string;
  readonly method: CountingMethod;
  readonly rule: Rule | null;
  readonly ruleVersion: number;
  /** Whose counter decides; null under the default rule. */
  readonly subscriptionId: string | null;
  readonly verdict: LimitVerdict;
  readonly override: LimitOverride | null;
  readonly changedAt: Instant | null;
  /** Counters by subscription, as they are now: of plans held before, too. */
  readonly counters: readonly { readonly subscriptionId: string | null; readonly state: LimitState }[];
};

export type UserStanding = {
  readonly at: Instant;
  readonly freshness: Freshness;
  readonly held: readonly HeldPlan[];
  readonly units: readonly UnitStanding[];
};

export type StandingQuestion = {
  readonly tenantId: string;
  readonly user: string;
  /** A page of units: those after a name. */
  readonly after: string | null;
  readonly limit: number;
};

/** Where a user stands with the units of a tenant, by name. */
export const userStanding = async (
  runtime: ServiceRuntime,
  { tenantId, user, after, limit }: StandingQuestion,
): Promise<UserStanding> => {
  const { database, clock } = runtime;
  const at = clock.now(tenantId);
  // Asked first: what is read after it is at least as fresh.
  const freshness = await freshnessOf(runtime, tenantId, user);
  const [units, { intervals }] = await Promise.all([
    unitsInForce(database, tenantId, { at, after, limit }),
    userByName(database, tenantId, user),
  ]);
  const held = heldAt(intervals, at);
  const limits = await userLimits(database, { tenantId, user, units: units.map(({ name }) => name) });
  return {
    at,
    freshness,
    held,
    units: units.map(({ name, countingMethod, version, rules }): UnitStanding => {
      const { counters, override, changedAt } = limits.get(name) ?? { counters: noCounters, ...neverSet };
      const { rule, subscriptionId } = chooseRule(rules, held);
      const amount = user === anonymousUser ? null : (rule?.limitAmount ?? null);
      const state = { ...(counters.get(subscriptionId ?? '') ?? untouched), override };
      return {
        ...{ unit: name, method: countingMethod, rule, ruleVersion: version, subscriptionId, changedAt },
        verdict: verdict(state, at, amount),
        override: atNow(state, at).override,
        counters: [...counters].map(([id, counter]) => ({
          subscriptionId: id === '' ? null : id,
          state: atNow(counter, at),
        })),
      };
    }),
  };
};

const noCounters: ReadonlyMap<string, LimitState> = new Map();
const neverSet = { override: null, changedAt: null };

/** What has been counted of a user's stream, and since when the first batch after it has been there. */
const freshnessOf = async ({ store, database }: ServiceRuntime, tenantId: string, user: string): Promise<Freshness> => {
  const stream = usageStream(tenantId, user);
  const counted = (await countedStreams(database, [stream])).get(stream);
  const [waiting] = await store.read(stream, (counted?.revision ?? -1n) + 1n, 1);
  const sinceMs = waiting === undefined ? null : epochMs(waiting.metadata.recordedAt);
  return {
    position: counted === undefined ? null : String(counted.position),
    ageMs: sinceMs === null ? 0 : Math.max(epochMs(wallTime()) - sinceMs, 0),
  };
};
