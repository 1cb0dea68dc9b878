import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel, Sql } from '@billstream/postgres';
import { backfillsDdl, backfillsTables } from './backfills.ddl';
import { applyBackfills, isBackfill } from './backfills.projection';
import { applyClosings, isClosing } from './closings.projection';
import { applyCorrectedLimits } from './corrected-limits';
import { applyCorrections, isCorrection } from './corrections.projection';
import { changedFacts, markLateByFacts } from './facts-dated-back.projection';
import { isFact } from './facts.projection';
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
    for (const { kind, run } of runsOf(events)) await appliers[kind](tx, run);
  },
};

type Kind = 'facts' | 'corrections' | 'backfills' | 'closings' | 'usage';

const appliers: Readonly<Record<Kind, (tx: Sql, events: readonly RecordedEvent[]) => Promise<void>>> = {
  facts: async (tx, events) => {
    const changes = await changedFacts(tx, events);
    await applyFactsAndLimits(tx, events);
    await markLateByFacts(tx, changes);
  },
  corrections: async (tx, events) => {
    // One after the other: what a limit makes of one must not know of the next, in whatever pages they come.
    for (const event of events) await applyCorrectedLimits(tx, await applyCorrections(tx, [event]));
    await recordStreams(tx, events);
  },
  backfills: async (tx, events) => {
    await applyBackfills(tx, events);
    await recordStreams(tx, events);
  },
  closings: applyClosings,
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
