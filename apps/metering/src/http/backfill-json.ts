import { ProblemException } from '@billstream/http';
import type { Decimal } from '@billstream/kernel';
import type { BackfilledUsageRejection, UsageBackfillRejection } from '@billstream/metering-domain';
import type { BackfillProgress, BackfillView, Quantity } from '@billstream/metering-read-models';
import type { BackfillStatus } from '../backfills/find-backfill';
import type { PreviewedPeriods } from '../backfills/planned-periods';
import type { Preview } from '../backfills/preview-backfill';

/** A backfill as clients see it. */
export const backfillJson = (
  view: BackfillView,
  status: BackfillStatus = view.status,
  progress: BackfillProgress | null = null,
) => ({
  ...{ backfillId: view.backfillId, name: view.name, reason: view.reason, mode: view.mode, status },
  ...{ from: view.fromAt, to: view.toAt, units: view.units, users: view.users },
  ...{ parts: view.parts, records: Number(view.records), rejected: Number(view.rejected) },
  progress,
  opened: { at: view.openedAt, by: view.openedBy },
  // Once it is committed there is no deadline.
  expiresAt: view.committedPosition === null ? view.expiresAt : null,
  committed:
    view.committedPosition === null
      ? null
      : {
          ...{ at: view.committedAt, by: view.committedBy, position: String(view.committedPosition) },
          ...{ counted: Number(view.taken), duplicates: Number(view.duplicates), replaced: Number(view.replaced) },
        },
  ended: view.endedAt === null ? null : { at: view.endedAt, by: view.endedBy, reason: view.endedReason },
});

export const previewJson = ({ action, counts, ...rest }: Preview, limit: number) => ({
  action,
  records: {
    staged: Number(counts.staged),
    repeated: Number(counts.staged - counts.distinct),
    duplicates: action === 'COMMIT' ? Number(counts.distinct - counts.taken) : 0,
    [action === 'COMMIT' ? 'counted' : 'removed']: Number(counts.taken),
    [action === 'COMMIT' ? 'replaced' : 'reinstated']: Number(counts.replaced),
  },
  rejected: rest.rejected,
  quantities: rest.quantities.slice(0, limit).map(({ unit, at, before, after }) => ({
    ...{ unit, ...(at === null ? {} : { time: at }) },
    ...{ before: quantityJson(before), after: quantityJson(after) },
  })),
  ...closedPeriodsJson(rest),
  limits: rest.limits,
  moreLimits: rest.moreLimits,
});

export const closedPeriodsJson = ({ periods, morePeriods }: PreviewedPeriods) => ({
  closedPeriods: periods.map(({ fromAt, toAt, before, after, difference, ...period }) => ({
    ...{ ...period, from: fromAt, to: toAt },
    quantity: { before, after, difference },
  })),
  moreClosedPeriods: morePeriods,
});

const quantityJson = ({ sum, max, records }: Quantity): { sum: Decimal; max: Decimal; records: number } => ({
  sum,
  max,
  records,
});

export const unknownBackfill = (backfillId: string): ProblemException =>
  new ProblemException({ status: 404, code: 'backfill-not-found', detail: `There is no backfill ${backfillId}` });

/** It was opened, and the read model has not come to it. */
export const unreadableBackfill = (backfillId: string): ProblemException =>
  new ProblemException({
    status: 409,
    code: 'backfill-not-visible',
    detail: `Backfill ${backfillId} cannot be read yet; ask again`,
  });

export const backfillProblem =
  (backfillId: string) =>
  (rejection: UsageBackfillRejection | BackfilledUsageRejection): ProblemException => {
    const { code } = rejection;
    const conflict = (detail: string): ProblemException => new ProblemException({ status: 409, code, detail });
    switch (code) {
      case 'backfill-not-found':
        return unknownBackfill(backfillId);
      case 'backfill-exists':
        return conflict('There is such a backfill already');
      case 'backfill-sealed':
        return conflict('Nothing can be added any more: the backfill is committed or abandoned, or was about to be');
      case 'part-differs':
        return conflict('This part was uploaded before with other records; give further records a part of their own');
      case 'too-many-parts':
        return conflict('A backfill has at most 10,000 parts');
      case 'backfill-empty':
        return conflict('Nothing was staged that the commit would add');
      case 'backfill-not-committed':
        return conflict('Only what was committed can be reverted');
      case 'backfill-over':
        if (rejection.status === 'EXPIRED')
          return new ProblemException({
            status: 410,
            code: 'backfill-expired',
            detail: 'Nobody committed the backfill by its deadline; what was staged is gone, open another',
          });
        return conflict(`The backfill is ${rejection.status.toLowerCase()}`);
      case 'backfill-overlaps':
        return conflict(`Backfill ${rejection.backfillId} replaces some of the same usage; revert it first`);
    }
  };
