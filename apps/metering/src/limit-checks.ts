import {
  type LimitCheck,
  type LimitQuestion,
  type MovedLimits,
  parseMovedLimit,
  userSeries,
} from '@billstream/metering-read-models';

export type LimitChecksParts = {
  readonly load: (question: LimitQuestion) => Promise<LimitCheck | null>;
  /** Whether all that the read model applies is told here. */
  readonly isTold: () => boolean;
  /** As many users and units are kept; who was not asked about longest goes first. */
  readonly sizeMax?: number;
};

type Kept = {
  readonly check: LimitCheck;
  readonly from: LimitQuestion['at'];
  readonly epoch: number;
};

/** A question on its way to the tables. */
type Load = { readonly series: string; isOutdated: boolean };

const sizeMaxDefault = 20_000;

/**
 * What decides limits, kept in memory for those that are asked about and moved by what the read model tells of each batch,
 * so that a check waits for no database. It is the read model's own verdict as of the last batch: nothing is counted here.
 */
export const limitChecks = ({ load, isTold, sizeMax = sizeMaxDefault }: LimitChecksParts) => {
  const kept = new Map<string, Kept>();
  const loads = new Set<Load>();
  // What was kept before the last change of whatever decides limits, everybody's or a tenant's, counts no more.
  let epoch = 0;
  let everybodySince = 0;
  const tenantSince = new Map<string, number>();
  const since = (tenantId: string): number => Math.max(tenantSince.get(tenantId) ?? 0, everybodySince);

  const keep = (series: string, one: Kept): void => {
    kept.delete(series);
    kept.set(series, one);
    if (kept.size <= sizeMax) return;
    for (const oldest of kept.keys()) {
      kept.delete(oldest);
      return;
    }
  };

  const known = (series: string, { tenantId, at }: LimitQuestion): LimitCheck | null => {
    const one = kept.get(series);
    if (one === undefined) return null;
    const { from, epoch: keptAt, check } = one;
    // A test clock may go where other rules are in force.
    const isCurrent = keptAt > since(tenantId) && from <= at && (check.rulesUntil === null || at < check.rulesUntil);
    if (!isCurrent) {
      kept.delete(series);
      return null;
    }
    keep(series, one);
    return check;
  };

  /** What comes from the tables is kept unless something was told of it meanwhile: it may be from before that. */
  const loaded = async (series: string, question: LimitQuestion): Promise<LimitCheck | null> => {
    const own: Load = { series, isOutdated: false };
    loads.add(own);
    epoch += 1;
    const begun = epoch;
    try {
      const check = await load(question);
      const isFresh = !own.isOutdated && begun > since(question.tenantId);
      if (check !== null && isFresh) keep(series, { check, from: question.at, epoch: begun });
      return check;
    } finally {
      loads.delete(own);
    }
  };

  return {
    /** All that decides whether a user is limited in a unit at an instant; null: no such unit. */
    check: async (question: LimitQuestion): Promise<LimitCheck | null> => {
      if (!isTold()) return load(question);
      const series = userSeries(question.tenantId, question.user, question.unit);
      return known(series, question) ?? loaded(series, question);
    },
    moved: ({ limits, tenantIds }: MovedLimits): void => {
      for (const one of loads) if (limits.has(one.series)) one.isOutdated = true;
      for (const [series, json] of limits) {
        const one = kept.get(series);
        // Setting what is there leaves it in its place among those that were asked about.
        if (one !== undefined) kept.set(series, { ...one, check: { ...one.check, ...parseMovedLimit(json) } });
      }
      epoch += 1;
      for (const tenantId of tenantIds) tenantSince.set(tenantId, epoch);
    },
    /** Something may have changed without being told. */
    forget: (): void => {
      epoch += 1;
      everybodySince = epoch;
      tenantSince.clear();
      kept.clear();
    },
  };
};
