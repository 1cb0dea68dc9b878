import { type RebuildProgress, type Rebuilt, compareReadModel, rebuildReadModel } from '@billstream/postgres';
import type { Connections } from './connections';
import { contexts } from './contexts';
import { duration, print, progressBar } from './output';

export type Target = { readonly context: string; readonly model: string };

/** `invoicing/balances`, `invoicing` (all of it), or everything when nothing is named. */
export const targetsOf = (name: string | undefined): readonly Target[] => {
  const all = contexts.flatMap((context) =>
    context.readModels.map((model) => ({ context: context.name, model: model.name })),
  );
  if (name === undefined) return all;
  const [context, model] = name.split('/');
  const found = all.filter((target) => target.context === context && (model === undefined || target.model === model));
  if (found.length === 0)
    throw new Error(
      `no read model ${name}; there are ${all.map((target) => `${target.context}/${target.model}`).join(', ')}`,
    );
  return found;
};

const stepOf = ({ events, eventsPerSecond, etaSeconds, position, head, at }: RebuildProgress) => ({
  share: head <= 0n ? 1 : Number(position) / Number(head),
  text: `${events} events, ${Math.round(eventsPerSecond)}/s${etaSeconds === null ? '' : `, ${duration(etaSeconds)} left`}${at === null ? '' : `, at ${at.slice(0, 10)}`}`,
});

/**
 * Builds each read model again beside the live one, compares, and (unless only comparing) swaps. The number of rows that
 * differed, over all tables; an interrupted run says so and goes on where it was next time.
 */
export const rebuild = async (
  { store, databaseOf }: Connections,
  targets: readonly Target[],
  {
    purpose,
    fresh,
    signal,
  }: { readonly purpose: 'swap' | 'compare'; readonly fresh: boolean; readonly signal: AbortSignal },
): Promise<number> => {
  let differences = 0;
  for (const { context, model } of targets) {
    const readModel = contexts.find(({ name }) => name === context)?.readModels.find(({ name }) => name === model);
    if (!readModel) throw new Error(`no read model ${context}/${model}`);
    const bar = progressBar(`${context}/${model}`.padEnd(32));
    const started = performance.now();
    const onProgress = (progress: RebuildProgress): void => bar.show(stepOf(progress));
    const parts = { store, database: databaseOf(context), readModel, signal, fresh, onProgress };
    const rebuilt = await (purpose === 'swap' ? rebuildReadModel(parts) : compareReadModel(parts));
    if (rebuilt.outcome === 'stopped') {
      print(`${context}/${model}: stopped; the same command goes on from here`);
      return differences;
    }
    const seconds = (performance.now() - started) / 1000;
    bar.end({
      share: 1,
      text: `${rebuilt.events} events in ${duration(seconds)}, ${Math.round(rebuilt.events / Math.max(seconds, 0.001))}/s`,
    });
    differences += reportTables(rebuilt);
  }
  print(`${differences} differences`);
  return differences;
};

const reportTables = ({ tables }: Rebuilt): number => {
  let differing = 0;
  for (const { table, isEqual, rows, differingKeys } of tables) {
    if (isEqual) continue;
    differing += Math.max(1, differingKeys.length);
    print(`  ${table}: ${rows.live} rows live, ${rows.rebuilt} rebuilt; these differ (at most twenty named):`);
    for (const key of differingKeys) print(`    ${key}`);
  }
  return differing;
};
