import { type RequestContext, commandContext, unwrap } from '@billstream/http';
import { derivedId, digest, newId } from '@billstream/kernel';
import {
  type CorrectionRequest,
  type RejectedRecord,
  type UsageCorrection,
  correctedRecord,
  parseCorrection,
  parseRecords,
  usageCorrectionStream,
} from '@billstream/metering-domain';
import { type NamedRecord, nameKey, recordsNamed, usedCorrectionIds } from '@billstream/metering-read-models';
import { sourceOfRecords } from '../ingest/ingest';
import type { Metering } from '../metering';
import { inPieces } from '../pieces';

export type CorrectionsAnswer = {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly RejectedRecord[];
};

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
  const { corrections, ...answer } = await readCorrections(metering, request);
  await record(metering, request.context, corrections);
  return answer;
};

/** The answer, and the corrections that are to be recorded. */
export const readCorrections = async (
  metering: Metering,
  { context, batch, requestKey }: CorrectionsRequest,
): Promise<CorrectionsAnswer & { readonly corrections: readonly UsageCorrection[] }> => {
  const { tenantId, actor } = context;
  const parsed = batch.map((raw, index) =>
    parseCorrection(raw, index, { reason: actor.reason ?? null, source: sourceOfRecords }),
  );
  const rejected: RejectedRecord[] = parsed.filter((one) => 'code' in one);
  const requests = parsed.filter((one): one is CorrectionRequest => !('code' in one));
  if (requests.length === 0) return { accepted: 0, duplicates: 0, rejected, corrections: [] };
  await metering.usageCounted({ tenantId, subscriptionId: null }, 0n);
  const { database } = metering.runtime;
  const named = requests.map((one) => ({ ...one, correctionId: one.correctionId ?? nameOf(one, batch, requestKey) }));
  const [records, used] = await Promise.all([
    recordsNamed(database, tenantId, requests),
    usedCorrectionIds(
      database,
      tenantId,
      named.map(({ correctionId }) => correctionId),
    ),
  ]);
  const fresh: UsageCorrection[] = [];
  let duplicates = 0;
  const names = new Set(used);
  for (const request of named) {
    if (names.has(request.correctionId)) {
      duplicates += 1;
      continue;
    }
    const correction = correctionOf(request, records.get(nameKey(request)) ?? null);
    if ('code' in correction) rejected.push(correction);
    else {
      names.add(request.correctionId);
      fresh.push(correction);
    }
  }
  const inOrder = rejected.toSorted((a, b) => a.index - b.index);
  return { accepted: fresh.length, duplicates, rejected: inOrder, corrections: fresh };
};

const nameOf = ({ index }: CorrectionRequest, batch: readonly unknown[], requestKey: string | null): string =>
  requestKey === null ? newId() : `request ${requestKey} ${index} ${digest(JSON.stringify(batch[index]))}`;

type Named = CorrectionRequest & { readonly correctionId: string };

/** The replacement is written down whole, so that it says the same however the record is looked at later. */
const correctionOf = (
  { index, correctionId, source, id, reason, replacement }: Named,
  record: NamedRecord | null,
): UsageCorrection | RejectedRecord => {
  if (record === null)
    return { index, field: 'id', code: 'unknown-record', message: `no record ${id} of ${source} was taken` };
  if (record.isReplaced)
    return { index, field: 'id', code: 'replaced', message: `record ${id} of ${source} was replaced by a backfill` };
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

const record = async (
  { correction, runtime }: Metering,
  context: RequestContext,
  corrections: readonly UsageCorrection[],
): Promise<void> => {
  let position: bigint | null = null;
  for (const [n, piece] of inPieces(corrections).entries()) {
    const commandId = derivedId(context.commandId, 'corrections', String(n));
    const handled = unwrap(
      await correction(
        usageCorrectionStream(context.tenantId),
        { type: 'UsageCorrected', data: { corrections: piece } },
        commandContext(context, runtime.clock, commandId),
      ),
      (never: never) => never,
    );
    position = handled.position ?? position;
  }
  await runtime.visible(position);
};
