import { AppendOutcomeUnknown, type EventStore, RevisionConflict, metadataOf } from '@billstream/event-sourcing';
import { type RequestContext, commandContext, unwrap } from '@billstream/http';
import { derivedId, digest } from '@billstream/kernel';
import {
  type PartForm,
  type RejectedRecord,
  backfillPartStream,
  backfillRecordsSchema,
  parseBackfillPart,
  usageBackfillStream,
} from '@billstream/metering-domain';
import { countingMethods, stagedDigest } from '@billstream/metering-read-models';
import { backfillProblem } from '../http/backfill-json';
import { sourceOfRecords, unitsWithoutAmount } from '../ingest/ingest';
import type { Metering } from '../metering';
import { inPieces } from '../pieces';
import { type KnownBackfill, notExpired } from './find-backfill';

export type StagedPart = {
  readonly part: string;
  readonly staged: number;
  readonly rejected: readonly RejectedRecord[];
  /** The part had been staged before, with the same records. */
  readonly repeated: boolean;
};

export type PartRequest = {
  readonly context: RequestContext;
  readonly backfill: KnownBackfill;
  readonly part: string;
  readonly batch: readonly unknown[];
  readonly form: PartForm;
};

/** Of each part so many records that were not taken are kept by name; the answer to the upload has them all. */
const rejectionsKeptMax = 100;

/**
 * Writes the records of a part and then says that it is staged. Who breaks off in between and comes again finds the
 * records there; who never does has left some that nothing names.
 */
export const stagePart = async (
  metering: Metering,
  { context, backfill, part, batch, form }: PartRequest,
): Promise<StagedPart> => {
  const { runtime } = metering;
  const { backfillId } = backfill;
  notExpired(backfill);
  const { records, rejected } = await partRecords(metering, { context, backfill, part, batch, form });
  const content = digest(JSON.stringify([part, records, rejected])).slice(0, 32);
  const asked = {
    ...commandContext(context, runtime.clock, derivedId('backfill-part', backfillId, part, content)),
    commandHash: content,
  };
  const pieces = inPieces(records);
  const staged = await stagedDigest(runtime.database, backfillId, part);
  if (staged !== null && staged !== content) throw backfillProblem(backfillId)({ code: 'part-differs' });
  if (backfill.status === 'STAGING') {
    const stream = backfillPartStream(context.tenantId, backfillId, content);
    const written = pieces.map((piece, index) => ({
      id: derivedId('backfill-piece', stream, String(index)),
      ...backfillRecordsSchema.encode({
        type: 'PartRecorded',
        data: { backfillId, digest: content, records: piece },
      }),
      metadata: metadataOf(asked),
    }));
    for (const [index, event] of written.entries()) await appendOnce(runtime.store, stream, { index, event });
  }
  const handled = unwrap(
    await metering.backfill(
      usageBackfillStream(context.tenantId, backfillId),
      {
        type: 'Stage',
        part: {
          ...{ part, digest: content, records: records.length, pieces: pieces.length },
          ...{ rejected: rejected.length, rejections: rejected.slice(0, rejectionsKeptMax) },
        },
      },
      asked,
    ),
    backfillProblem(backfillId),
  );
  await runtime.visible(handled.position);
  const repeated = handled.repeated || handled.events.length === 0;
  return { part, staged: records.length, rejected, repeated };
};

const partRecords = async ({ runtime }: Metering, { context, backfill, part, batch, form }: PartRequest) => {
  const units = unitsWithoutAmount(batch, form);
  const methods =
    units.length === 0 ? new Map<string, never>() : await countingMethods(runtime.database, context.tenantId, units);
  return parseBackfillPart(batch, {
    form,
    scope: backfill,
    methodOf: (unit) => methods.get(unit) ?? null,
    source: sourceOfRecords,
    idOf: (index) => `backfill ${backfill.backfillId} ${part} ${index}`,
  });
};

type Piece = { readonly index: number; readonly event: Parameters<EventStore['append']>[2][number] };

const attemptsMax = 5;

/** The stream is named by what is in it: whoever else has written there has written the same. */
const appendOnce = async (store: EventStore, stream: string, { index, event }: Piece): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.append(stream, index === 0 ? 'none' : BigInt(index - 1), [event]);
      return;
    } catch (error) {
      if (!(error instanceof RevisionConflict || error instanceof AppendOutcomeUnknown)) throw error;
      const [there] = await store.read(stream, BigInt(index), 1);
      if (there?.id === event.id) return;
      if (attempt === attemptsMax) throw error;
    }
  }
};
