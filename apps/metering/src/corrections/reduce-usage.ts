import type { RequestContext } from '@billstream/http';
import { derivedId, digest, newId } from '@billstream/kernel';
import {
  type ReducibleRecord,
  type RejectedRecord,
  type UsageCorrection,
  type UsageReduction,
  parseReduction,
  reductionOf,
} from '@billstream/metering-domain';
import { countingMethods, nameKey, recordsNamed, usedCorrectionIds } from '@billstream/metering-read-models';
import { sourceOfRecords } from '../ingest/ingest';
import type { Metering } from '../metering';
import { type CorrectionsAnswer, type DecidedCorrections, recordCorrections } from './record-corrections';

/** Records of a request that are reductions, each with its place in it. */
export type ReductionsRequest = {
  readonly context: RequestContext;
  readonly records: readonly { readonly raw: unknown; readonly index: number }[];
  readonly requestKey: string | null;
};

const defaultReason = 'taken back by a record with a negative amount';

/**
 * Records what records with negative amounts take back, as corrections of the records they name. How much is left of a
 * record follows from all corrections before, so nothing is recorded beside another correction: then it is decided anew.
 */
export const reduceUsage = async (metering: Metering, request: ReductionsRequest): Promise<CorrectionsAnswer> => {
  const { context, records } = request;
  const defaults = { source: sourceOfRecords, now: metering.runtime.clock.now(context.tenantId) };
  const parsed = records.map(({ raw, index }) => parseReduction(raw, index, defaults));
  const rejected = parsed.filter((one): one is RejectedRecord => 'code' in one);
  const raws = new Map(records.map(({ raw, index }) => [index, raw]));
  const named = parsed.flatMap((one): readonly Named[] =>
    'code' in one ? [] : [{ ...one, correctionId: nameOf(one, raws.get(one.index), request.requestKey) }],
  );
  if (named.length === 0) return { accepted: 0, duplicates: 0, rejected };
  const answer = await recordCorrections(metering, {
    context,
    commandOf: (_, correctionId) => derivedId(context.commandId, 'reductions', correctionId),
    decide: () => decide(metering, context, named),
  });
  return { ...answer, rejected: [...rejected, ...answer.rejected] };
};

type Named = UsageReduction & { readonly correctionId: string };

const nameOf = ({ index, source, id }: UsageReduction, raw: unknown, requestKey: string | null): string => {
  if (id !== null) return `record ${source.length} ${source} ${id}`;
  return requestKey === null ? newId() : `request ${requestKey} ${index} ${digest(JSON.stringify(raw))}`;
};

const decide = async (
  { runtime: { database } }: Metering,
  { tenantId, actor }: RequestContext,
  named: readonly Named[],
): Promise<DecidedCorrections> => {
  const own = named.flatMap(({ source, id }) => (id === null ? [] : [{ source, id }]));
  const corrected = named.map(({ source, corrects }) => ({ source, id: corrects }));
  const [found, known, methods] = await Promise.all([
    recordsNamed(database, tenantId, [...own, ...corrected]),
    usedCorrectionIds(
      database,
      tenantId,
      named.map(({ correctionId }) => correctionId),
    ),
    countingMethods(database, tenantId, [...new Set(named.map(({ unit }) => unit))]),
  ]);
  const records = new Map<string, ReducibleRecord>(found);
  const names = new Set(known);
  const fresh: UsageCorrection[] = [];
  const rejected: RejectedRecord[] = [];
  const used: string[] = [];
  for (const one of named) {
    const { correctionId, source, id } = one;
    if (names.has(correctionId) || (id !== null && records.has(nameKey({ source, id })))) {
      used.push(correctionId);
      continue;
    }
    const key = nameKey({ source, id: one.corrects });
    const record = records.get(key) ?? null;
    const reason = actor.reason ?? defaultReason;
    const correction = reductionOf(one, record, { method: methods.get(one.unit) ?? null, correctionId, reason });
    if ('code' in correction) {
      rejected.push(correction);
      continue;
    }
    names.add(correctionId);
    fresh.push(correction);
    if (record !== null && correction.replacement !== null)
      records.set(key, { ...record, amount: correction.replacement.amount });
  }
  return { fresh, used, rejected };
};
