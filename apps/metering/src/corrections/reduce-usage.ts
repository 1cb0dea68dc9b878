import { ProblemException, type RequestContext, commandContext } from '@billstream/http';
import { derivedId, digest, newId } from '@billstream/kernel';
import {
  type ReducibleRecord,
  type RejectedRecord,
  type UsageCorrection,
  type UsageReduction,
  parseReduction,
  reductionOf,
  usageCorrectionStream,
} from '@billstream/metering-domain';
import {
  countedStreams,
  countingMethods,
  nameKey,
  recordsNamed,
  usedCorrectionIds,
} from '@billstream/metering-read-models';
import { sourceOfRecords } from '../ingest/ingest';
import type { Metering } from '../metering';
import { inPieces } from '../pieces';
import type { CorrectionsAnswer } from './correct-usage';

/** Records of a request that are reductions, each with its place in it. */
export type ReductionsRequest = {
  readonly context: RequestContext;
  readonly records: readonly { readonly raw: unknown; readonly index: number }[];
  readonly requestKey: string | null;
};

const attemptsMax = 10;
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
  for (let attempt = 1; attempt <= attemptsMax && named.length > 0; attempt += 1) {
    const decided = await decide(metering, context, named);
    if (await recorded(metering, context, decided))
      return {
        accepted: decided.fresh.length,
        duplicates: decided.duplicates,
        rejected: [...rejected, ...decided.rejected],
      };
  }
  if (named.length === 0) return { accepted: 0, duplicates: 0, rejected };
  throw new ProblemException({
    status: 503,
    code: 'overloaded',
    detail: 'Too much is corrected at once; send it again',
  });
};

type Named = UsageReduction & { readonly correctionId: string };

const nameOf = ({ index, source, id }: UsageReduction, raw: unknown, requestKey: string | null): string => {
  if (id !== null) return `record ${source.length} ${source} ${id}`;
  return requestKey === null ? newId() : `request ${requestKey} ${index} ${digest(JSON.stringify(raw))}`;
};

type Decided = {
  readonly fresh: readonly UsageCorrection[];
  readonly duplicates: number;
  readonly rejected: readonly RejectedRecord[];
  /** Revision of the corrections that this was decided by; -1: none. */
  readonly revision: bigint;
};

const decide = async (
  { runtime: { database }, usageCounted }: Metering,
  { tenantId, actor }: RequestContext,
  named: readonly Named[],
): Promise<Decided> => {
  await usageCounted({ tenantId, subscriptionId: null }, 0n);
  // Looked at first: what is corrected after it makes the revision another.
  const stream = usageCorrectionStream(tenantId);
  const revision = (await countedStreams(database, [stream])).get(stream)?.revision ?? -1n;
  const own = named.flatMap(({ source, id }) => (id === null ? [] : [{ source, id }]));
  const corrected = named.map(({ source, corrects }) => ({ source, id: corrects }));
  const [found, used, methods] = await Promise.all([
    recordsNamed(database, tenantId, [...own, ...corrected]),
    usedCorrectionIds(
      database,
      tenantId,
      named.map(({ correctionId }) => correctionId),
    ),
    countingMethods(database, tenantId, [...new Set(named.map(({ unit }) => unit))]),
  ]);
  const records = new Map<string, ReducibleRecord>(found);
  const names = new Set(used);
  const fresh: UsageCorrection[] = [];
  const rejected: RejectedRecord[] = [];
  let duplicates = 0;
  for (const one of named) {
    const { correctionId, source, id } = one;
    if (names.has(correctionId) || (id !== null && records.has(nameKey({ source, id })))) {
      duplicates += 1;
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
  return { fresh, duplicates, rejected, revision };
};

/** False: something else was corrected meanwhile. What was recorded of it by then has a name and is not recorded twice. */
const recorded = async (
  { correction, runtime }: Metering,
  context: RequestContext,
  { fresh, revision }: Decided,
): Promise<boolean> => {
  let ifRevision = revision;
  let position: bigint | null = null;
  for (const corrections of inPieces(fresh)) {
    const commandId = derivedId(context.commandId, 'reductions', corrections[0]?.correctionId ?? '');
    const handled = await correction(
      usageCorrectionStream(context.tenantId),
      { type: 'UsageCorrected', data: { corrections } },
      commandContext(context, runtime.clock, commandId),
      { ifRevision },
    );
    if (handled.outcome !== 'accepted') return false;
    ifRevision = handled.revision;
    position = handled.position ?? position;
  }
  await runtime.visible(position);
  return true;
};
