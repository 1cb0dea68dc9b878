import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel, Sql } from '@billstream/postgres';
import { backfillsDdl, backfillsTables } from './backfills.ddl';
import { applyBackfills, isBackfill } from './backfills.projection';
import { applyClosings, isClosing } from './closings.projection';
import { applyCorrectedLimits } from './corrected-limits';
import { applyCorrections, isCorrection } from './corrections.projection';
import { changedFacts, markLateByFacts } from './facts-dated-back.projection';
import { isFact } from './facts.projection';
import { movedLimitsOf } from './moved-limits';
import type { LimitRecord } from './limit-tables';
import { applyFactsAndLimits } from './limits-after-facts.projection';
import { meteringDdl, meteringTables } from './metering.ddl';
import { usageChangesDdl, usageChangesTables } from './usage-changes.ddl';
import { applyUsage, recordStreams } from './usage.projection';

/** Units, who holds which plan, every distinct usage record, and where users stand with their limits. */
export const meteringReadModel: ReadModel = {
  name: 'metering',
  tables: [...meteringTables, ...usageChangesTables, ...backfillsTables],
  ddl: meteringDdl + usageChangesDdl + backfillsDdl,
  prefixes: [
    'meterUnit-',
    'meteredTenant-',
    'meteredAccount-',
    'logFormat-',
    'usage-',
    'usageLimit-',
    'limitNews-',
    'usageCorrection-',
    'usageBackfill-',
    'usageBackfillPart-',
    'backfilledUsage-',
    'usageClosing-',
    'subscriptionUsage-',
  ],
  // A limit is judged by the rules and plans that stood before the record in the log, so the kinds take turns.
  apply: async (tx, events) => {
    const moved = new Map<string, LimitRecord>();
    const changed = new Set<string>();
    for (const { kind, run } of runsOf(events)) {
      const limits = await appliers[kind](tx, run);
      if (limits === undefined) for (const { metadata } of run) changed.add(metadata.tenantId);
      else for (const limit of limits) moved.set(limit.series, limit);
    }
    return movedLimitsOf([...moved.values()], changed);
  },
};

type Kind = 'facts' | 'corrections' | 'backfills' | 'closings' | 'usage';

/** Gives the limits that were moved; nothing where whatever decides a limit may have changed. */
type Apply = (tx: Sql, events: readonly RecordedEvent[]) => Promise<readonly LimitRecord[] | undefined>;

const appliers: Readonly<Record<Kind, Apply>> = {
  facts: async (tx, events) => {
    const changes = await changedFacts(tx, events);
    await applyFactsAndLimits(tx, events);
    await markLateByFacts(tx, changes);
    return undefined;
  },
  corrections: async (tx, events) => {
    // One after the other: what a limit makes of one must not know of the next, in whatever pages they come.
    for (const event of events) await applyCorrectedLimits(tx, await applyCorrections(tx, [event]));
    await recordStreams(tx, events);
    return undefined;
  },
  backfills: async (tx, events) => {
    await applyBackfills(tx, events);
    await recordStreams(tx, events);
    return undefined;
  },
  closings: async (tx, events) => {
    await applyClosings(tx, events);
    return [];
  },
  usage: applyUsage,
};

const kindOf = (event: RecordedEvent): Kind => {
  if (isFact(event)) return 'facts';
  if (isCorrection(event)) return 'corrections';
  if (isBackfill(event)) return 'backfills';
  return isClosing(event) ? 'closings' : 'usage';
};

/** The events in their order, cut wherever one kind follows another. */
const runsOf = (
  events: readonly RecordedEvent[],
): readonly { readonly kind: Kind; readonly run: readonly RecordedEvent[] }[] => {
  const runs: { kind: Kind; run: RecordedEvent[] }[] = [];
  for (const event of events) {
    const kind = kindOf(event);
    const last = runs.at(-1);
    if (last?.kind === kind) last.run.push(event);
    else runs.push({ kind, run: [event] });
  }
  return runs;
};
