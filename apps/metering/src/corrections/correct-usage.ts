import type { RequestContext } from '@billstream/http';
import { derivedId, digest, newId } from '@billstream/kernel';
import {
  type CorrectionRequest,
  type RejectedRecord,
  type UsageCorrection,
  correctedRecord,
  parseCorrection,
  parseRecords,
} from '@billstream/metering-domain';
import { type NamedRecord, nameKey, recordsNamed, usedCorrectionIds } from '@billstream/metering-read-models';
import { sourceOfRecords } from '../ingest/ingest';
import type { Metering } from '../metering';
import { type CorrectionsAnswer, type DecidedCorrections, recordCorrections } from './record-corrections';

export type CorrectionsRequest = {
  readonly context: RequestContext;
  readonly batch: readonly unknown[];
  /** The client's own name of the request; with a correction's place in it, the name of those that bring none. */
  readonly requestKey: string | null;
};

/**
 * Records corrections of usage that was taken before, and answers once they have their effect. What is still on its way
 * to the read model is waited for, so a record that was just accepted can be corrected.
 */
export const correctUsage = async (metering: Metering, request: CorrectionsRequest): Promise<CorrectionsAnswer> => {
  const { context } = request;
  const { rejected, named } = correctionsIn(request);
  if (named.length === 0) return { accepted: 0, duplicates: 0, rejected };
  const answer = await recordCorrections(metering, {
    context,
    commandOf: (place) => derivedId(context.commandId, 'corrections', String(place)),
    decide: () => decideCorrections(metering, context.tenantId, named),
  });
  return { ...answer, rejected: [...rejected, ...answer.rejected].toSorted((a, b) => a.index - b.index) };
};

/** What a request asks for, each with the name of its correction, and what of it cannot be understood. */
export const correctionsIn = ({
  context: { actor },
  batch,
  requestKey,
}: CorrectionsRequest): { readonly named: readonly Named[]; readonly rejected: readonly RejectedRecord[] } => {
  const parsed = batch.map((raw, index) =>
    parseCorrection(raw, index, { reason: actor.reason ?? null, source: sourceOfRecords }),
  );
  const rejected = parsed.filter((one): one is RejectedRecord => 'code' in one);
  const requests = parsed.filter((one): one is CorrectionRequest => !('code' in one));
  const named = requests.map((one) => ({ ...one, correctionId: one.correctionId ?? nameOf(one, batch, requestKey) }));
  return { named, rejected };
};

/** What they come to by what counts now. */
export const decideCorrections = async (
  { runtime: { database } }: Metering,
  tenantId: string,
  named: readonly Named[],
): Promise<DecidedCorrections> => {
  const [records, known] = await Promise.all([
    recordsNamed(database, tenantId, named),
    usedCorrectionIds(
      database,
      tenantId,
      named.map(({ correctionId }) => correctionId),
    ),
  ]);
  const fresh: UsageCorrection[] = [];
  const used: string[] = [];
  const rejected: RejectedRecord[] = [];
  const names = new Set(known);
  for (const request of named) {
    if (names.has(request.correctionId)) {
      used.push(request.correctionId);
      continue;
    }
    const correction = correctionOf(request, records.get(nameKey(request)) ?? null);
    if ('code' in correction) rejected.push(correction);
    else {
      names.add(request.correctionId);
      fresh.push(correction);
    }
  }
  return { fresh, used, rejected };
};

const nameOf = ({ index }: CorrectionRequest, batch: readonly unknown[], requestKey: string | null): string =>
  requestKey === null ? newId() : `request ${requestKey} ${index} ${digest(JSON.stringify(batch[index]))}`;

type Named = CorrectionRequest & { readonly correctionId: string };

/** The replacement is written down whole, so that it says the same however the record is looked at later. */
const correctionOf = (
  { index, correctionId, source, id, reason, replacement }: Named,
  record: NamedRecord | null,
): UsageCorrection | RejectedRecord => {
  if (record?.isReplaced === true)
    return { index, field: 'id', code: 'replaced', message: `record ${id} of ${source} was replaced by a backfill` };
  // A record that took back another's usage has a name and nothing of its own.
  if (record === null || record.unit === null)
    return { index, field: 'id', code: 'unknown-record', message: `no record ${id} of ${source} was taken` };
  const named = { correctionId, source, id, reason };
  if (replacement === null) return { ...named, replacement: null };
  const { unit, user, atMs, amount, dimensions } = record;
  const whole = { unit, user, time: atMs, amount, dimensions, ...replacement };
  const { accepted, rejected } = parseRecords([whole], {
    // Nothing is left out, so no default is asked for.
    now: '2000-01-01T00:00:00.000Z' as never,
    methodOf: () => null,
    source,
    idOf: () => null,
    form: 'OWN',
  });
  const [fault] = rejected;
  if (fault !== undefined) return { ...fault, index, field: `replacement.${fault.field}` };
  const [taken] = accepted;
  return { ...named, replacement: taken === undefined ? null : correctedRecord(taken.record) };
};
