import type { RecordedEvent } from '@billstream/event-sourcing';
import type { ReadModel } from '@billstream/postgres';
import { isFact } from './facts.projection';
import { applyFactsAndLimits } from './limits-after-facts.projection';
import { meteringDdl, meteringTables } from './metering.ddl';
import { applyUsage } from './usage.projection';

/** Units, who holds which plan, every distinct usage record, and where users stand with their limits. */
export const meteringReadModel: ReadModel = {
  name: 'metering',
  tables: meteringTables,
  ddl: meteringDdl,
  prefixes: [
    'meterUnit-',
    'meteredAccount-',
    'logFormat-',
    'usage-',
    'usageLimit-',
    'limitNews-',
    'subscriptionUsage-',
  ],
  // A limit is judged by the rules and plans that stood before the record in the log, so the two kinds take turns.
  apply: async (tx, events) => {
    for (const run of runsOf(events)) {
      const [first] = run;
      if (first && isFact(first)) await applyFactsAndLimits(tx, run);
      else await applyUsage(tx, run);
    }
  },
};

/** The events in their order, cut wherever facts and usage take turns. */
const runsOf = (events: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] => {
  const runs: RecordedEvent[][] = [];
  for (const event of events) {
    const last = runs.at(-1);
    const [first] = last ?? [];
    if (last && first && isFact(first) === isFact(event)) last.push(event);
    else runs.push([event]);
  }
  return runs;
};
