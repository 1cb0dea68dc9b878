import { ProblemException, type RequestContext, commandContext, unwrap } from '@billstream/http';
import { derivedId } from '@billstream/kernel';
import {
  type RejectedRecord,
  type UsageCorrection,
  backfilledUsageStream,
  usageCorrectionStream,
} from '@billstream/metering-domain';
import { countedStreams } from '@billstream/metering-read-models';
import type { Metering } from '../metering';
import { inPieces } from '../pieces';

export type CorrectionsAnswer = {
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: readonly RejectedRecord[];
};

/** What a request comes to by what counts now. */
export type DecidedCorrections = {
  readonly fresh: readonly UsageCorrection[];
  /** Names that were used before, each as often as it was asked for. */
  readonly used: readonly string[];
  readonly rejected: readonly RejectedRecord[];
};

export type CorrectionsToRecord = {
  readonly context: RequestContext;
  /** Names the command of an event by its place among those of the request and its first correction. */
  readonly commandOf: (place: number, correctionId: string) => string;
  readonly decide: () => Promise<DecidedCorrections>;
};

/** What stood when it was decided: revision of the corrections, and position of the last end of a backfill; -1: none. */
type Basis = { readonly revision: bigint; readonly backfilledTo: bigint };

const attemptsMax = 10;

/**
 * Records corrections that were worked out from what counts. Another correction makes the append fail by its revision; a
 * backfill that is committed or reverted in between is on another stream, so the event says which it knew, and is left out
 * by the read model when there is a later one before it in the log. Either way it is decided again, by what counts then.
 */
export const recordCorrections = async (
  metering: Metering,
  { context, commandOf, decide }: CorrectionsToRecord,
): Promise<CorrectionsAnswer> => {
  const own = new Set<string>();
  /** Tells an attempt from one that was recorded and left out. */
  let salt: readonly string[] = [];
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    await metering.usageCounted({ tenantId: context.tenantId, subscriptionId: null }, 0n);
    // Looked at first: what comes after it makes the revision another.
    const basis = await basisOf(metering, context.tenantId);
    const { fresh, used, rejected } = await decide();
    const answer = { ...countedNames(used, own, fresh.length), rejected };
    if (fresh.length === 0) return answer;
    const idOf = (place: number, name: string): string => derivedId(commandOf(place, name), ...salt);
    const outcome = await append(metering, context, { fresh, basis, idOf, own });
    if (outcome === 'RECORDED') return answer;
    if (outcome === 'OUTDATED') salt = ['again', String(basis.revision)];
  }
  throw new ProblemException({
    status: 503,
    code: 'overloaded',
    detail: 'Too much is corrected at once; send it again',
  });
};

/** A name that this request used itself in an earlier attempt is no duplicate, the first time it is met. */
const countedNames = (
  used: readonly string[],
  own: ReadonlySet<string>,
  fresh: number,
): Pick<CorrectionsAnswer, 'accepted' | 'duplicates'> => {
  const accepted = new Set(used.filter((name) => own.has(name))).size;
  return { accepted: accepted + fresh, duplicates: used.length - accepted };
};

const basisOf = async ({ runtime }: Metering, tenantId: string): Promise<Basis> => {
  const [corrections, backfills] = [usageCorrectionStream(tenantId), backfilledUsageStream(tenantId)];
  const counted = await countedStreams(runtime.database, [corrections, backfills]);
  return {
    revision: counted.get(corrections)?.revision ?? -1n,
    backfilledTo: counted.get(backfills)?.position ?? -1n,
  };
};

type Appending = {
  readonly fresh: readonly UsageCorrection[];
  readonly basis: Basis;
  readonly idOf: (place: number, correctionId: string) => string;
  /** Where the names of what is appended go: they are free if it is left out, and this request's if it is not. */
  readonly own: Set<string>;
};

/** `CONFLICT`: something else was corrected meanwhile. `OUTDATED`: a backfill may have come before it in the log. */
const append = async (
  { correction, runtime }: Metering,
  context: RequestContext,
  { fresh, basis, idOf, own }: Appending,
): Promise<'RECORDED' | 'CONFLICT' | 'OUTDATED'> => {
  let ifRevision = basis.revision;
  let position: bigint | null = null;
  for (const [place, corrections] of inPieces(fresh).entries()) {
    const commandId = idOf(place, corrections[0]?.correctionId ?? '');
    const handled = await correction(
      usageCorrectionStream(context.tenantId),
      { type: 'UsageCorrected', data: { corrections, backfilledTo: String(basis.backfilledTo) } },
      commandContext(context, runtime.clock, commandId),
      { ifRevision },
    );
    if (handled.outcome === 'revision-conflict') return 'CONFLICT';
    const done = unwrap(handled, (never: never) => never);
    // An earlier request did this, and these names are not used: it was left out, or recorded others.
    if (done.repeated) return 'OUTDATED';
    for (const { correctionId } of corrections) own.add(correctionId);
    ifRevision = done.revision;
    position = done.position ?? position;
  }
  await runtime.visible(position);
  const [last] = await runtime.store.readLast(backfilledUsageStream(context.tenantId), 1);
  return last === undefined || last.position <= basis.backfilledTo ? 'RECORDED' : 'OUTDATED';
};
