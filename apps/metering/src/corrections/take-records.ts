import type { RequestContext } from '@billstream/http';
import { isReduction } from '@billstream/metering-domain';
import type { IngestAnswer } from '../ingest/ingest';
import type { Metering } from '../metering';
import { reduceUsage } from './reduce-usage';

export type RecordsRequest = {
  readonly context: RequestContext;
  readonly batch: readonly unknown[];
  readonly requestKey: string | null;
};

/** Takes a batch of usage, and after it what its reductions take back: they may name records of the same batch. */
export const takeRecords = async (
  metering: Metering,
  { context, batch, requestKey }: RecordsRequest,
): Promise<IngestAnswer> => {
  const { tenantId } = context;
  const reductions = batch.flatMap((raw, index) => (isReduction(raw) ? [{ raw, index }] : []));
  if (reductions.length === 0) return metering.ingest({ tenantId, batch, requestKey });
  const places = batch.flatMap((raw, index) => (isReduction(raw) ? [] : [index]));
  const taken = await metering.ingest({ tenantId, batch: places.map((index) => batch[index]), requestKey });
  const reduced = await reduceUsage(metering, { context, records: reductions, requestKey });
  const isNamed = ({ raw }: { readonly raw: unknown }): boolean =>
    requestKey !== null || ((raw as { readonly id?: unknown }).id ?? null) !== null;
  return {
    accepted: taken.accepted + reduced.accepted,
    duplicates: taken.duplicates + reduced.duplicates,
    rejected: [
      ...taken.rejected.map((one) => ({ ...one, index: places[one.index] ?? one.index })),
      ...reduced.rejected,
    ].toSorted((a, b) => a.index - b.index),
    deduplicated: taken.deduplicated && reductions.every(isNamed),
  };
};
