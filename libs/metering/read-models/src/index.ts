export { backfillById, backfillsPage, overlappingBackfill, rejectedOfBackfill, stagedDigest } from './backfills.query';
export type { BackfillSearch, BackfillView, RejectedOfPart } from './backfills.query';
export { withPlannedBackfill, withPlannedCorrections } from './backfill-preview.query';
export type {
  LimitChange,
  PlannedBackfill,
  PlannedUsage,
  PreviewAsked,
  Quantity,
  QuantityChange,
} from './backfill-preview.query';
export { reportedInSpan, usersByName, versionsByUnit } from './closing.query';
export type { ReportedSpan, UnitName, UserName } from './closing.query';
export { lateUsageKind } from './closings.projection';
export { backfillProgress } from './backfill-progress';
export type { BackfillProgress } from './backfill-progress';
export { backfillExpiryKind } from './backfills.projection';
export { closingByKey } from './closed-periods.query';
export type { ClosingView } from './closed-periods.query';
export { correctionsPage, usedCorrectionIds } from './corrections.query';
export type { CorrectionSearch, CorrectionView } from './corrections.query';
export { tellLimit } from './limit-tables';
export { limitDue, limitHistory, limitHistoryEntry, limitState, untoldTransitions } from './limits.query';
export type { LimitDue, LimitHistoryEntry, LimitHistorySearch } from './limits.query';
export { limitCheck } from './limit-check.query';
export type { LimitCheck, LimitQuestion } from './limit-check.query';
export { parseMovedLimit, stateUnder } from './moved-limits';
export type { LimitCounters, MovedLimits } from './moved-limits';
export { userSeries } from './keys';
export { logFormatOf } from './log-formats.projection';
export { isKnownTenant } from './tenants.projection';
export { meteringReadModel } from './metering.projection';
export { countingMethods, unitById, unitByName, unitInForce, unitVersions, unitsPage } from './units.query';
export type { UnitPage, UnitSearch, UnitView } from './units.query';
export { countedStreams, reportedUsage, unratedUsage, usageOfEveryone, usageQuarters } from './usage.query';
export type { ReportedTotal } from './usage.query';
export { subscriptionById, userByName, userOfAccount } from './users.query';
export type { SubscriptionView, UserView } from './users.query';
export { nameKey, recordsNamed } from './usage-records.query';
export type { NamedRecord, RecordName } from './usage-records.query';
export { usageForReservation } from './reservations.query';
export { unitsInForce, userLimits } from './user-limits.query';
export type { UserLimit } from './user-limits.query';
export { lineageRecords, usageQuartersAsOf } from './lineage.query';
export type { LineageAsked, LineageRecord, QuartersAsked } from './lineage.query';
export { countedPosition, reportIntervals, usageReport } from './usage-report.query';
export type { ReportAsked, ReportGroup, ReportInterval, ReportPlace, ReportRow } from './usage-report.query';
export { ownedSeriesMax, usageOwners } from './usage-owners.query';
export type { UsageOwners } from './usage-owners.query';
