import type { Decimal } from '@billstream/kernel';
import { type Decider, accept, defineSchema } from '@billstream/event-sourcing';
import type { LoggedRecord } from './usage-record';

/**
 * A record that was taken and should not have been, or should have been another: `replacement` is what counts instead,
 * null when nothing does. The record keeps its name, so what is sent again under it stays a duplicate. Of several
 * corrections of one record the last in the log holds.
 */
export type UsageCorrection = {
  /** Names the correction for ever, within its tenant. */
  readonly correctionId: string;
  /** The record that is corrected, by its name. */
  readonly source: string;
  readonly id: string;
  readonly reason: string;
  readonly replacement: CorrectedRecord | null;
  /**
   * Id of the record, of the same source, that it was sent as: that name is taken by it. Where another record has it
   * already, this is that record's duplicate and is not carried out.
   */
  readonly sentAs?: string;
};

export type CorrectedRecord = {
  readonly unit: string;
  readonly user: string;
  readonly atMs: number;
  readonly amount: Decimal;
  readonly dimensions?: Readonly<Record<string, string>>;
};

export type UsageCorrectionEvent = {
  readonly type: 'UsageCorrected';
  readonly data: {
    readonly corrections: readonly UsageCorrection[];
    /**
     * Position of the last end of a backfill that was known when these were worked out; -1: none. With a later one before
     * this event in the log none of them is carried out, and their names stay free. Absent in events from before it was
     * recorded: those are carried out.
     */
    readonly backfilledTo?: string;
  };
};

/** All corrections of a tenant: they are rare, and their order counts. */
export const usageCorrectionStream = (tenantId: string): string => `usageCorrection-${tenantId}`;

/**
 * Every correction is recorded. Whether its name was used before, and whether there is such a record, is decided in log
 * order by the read model, as it is for records.
 */
export const usageCorrections: Decider<UsageCorrectionEvent, UsageCorrectionEvent, null, never> = {
  initial: null,
  decide: (event) => accept(event),
  evolve: (state) => state,
};

export const usageCorrectionSchema = defineSchema<UsageCorrectionEvent>({
  UsageCorrected: 'usage-correction.made.v1',
});

export const correctedRecord = ([unit, user, atMs, amount, , , details]: LoggedRecord): CorrectedRecord => ({
  ...{ unit, user, atMs, amount },
  ...(details?.dimensions === undefined ? {} : { dimensions: details.dimensions }),
});
