export { backfilledUsage, backfilledUsageSchema, backfilledUsageStream } from './backfilled-usage';
export type { BackfillEnd, BackfilledUsageEvent, BackfilledUsageRejection } from './backfilled-usage';
export { parseBackfillPart } from './backfill-part';
export type { PartForm } from './backfill-part';
export { countedStreamsOf } from './counted-streams';
export {
  backfillModes,
  backfillPartStream,
  backfillRecordsSchema,
  usageBackfill,
  usageBackfillSchema,
  usageBackfillSnapshots,
  usageBackfillStream,
} from './usage-backfill';
export type {
  BackfillMode,
  BackfillPart,
  BackfillScope,
  OpenedBackfill,
  UsageBackfillEvent,
  UsageBackfillRejection,
  UsageBackfillState,
} from './usage-backfill';
export { cloudEventOf, recordOfCloudEvent } from './cloud-event';
export { parseCorrection } from './correction-request';
export type { CorrectionRequest } from './correction-request';
export { count } from './counting';
export type { Counted, CountedDay, CountedHour, CountedRange, Quarter } from './counting';
export {
  afterCorrection,
  afterReset,
  afterSample,
  atNow,
  firstUseAfter,
  untouched,
  verdict,
  windowForUse,
} from './limit';
export type { LimitOverride, LimitSample, LimitState, LimitTerms, LimitVerdict } from './limit';
export { followLimit, released } from './limit-standing';
export type { LimitEntry, LimitFacts, LimitMove, LimitStanding } from './limit-standing';
export {
  limitNews,
  limitNewsPrefix,
  limitNewsSchema,
  limitNewsSnapshots,
  limitNewsStream,
  limitTransitionOf,
} from './limit-news';
export type { LimitNewsCommand, LimitNewsEvent } from './limit-news';
export {
  limitReservations,
  limitReservationsSchema,
  limitReservationsSnapshots,
  limitReservationsStream,
  reservationSource,
} from './limit-reservations';
export type {
  CountedUsage,
  LimitReservationsCommand,
  LimitReservationsEvent,
  LimitReservationsRejection,
} from './limit-reservations';
export { chooseRule, defaultRule, faultsOf } from './rule';
export type { CountingMethod, HeldPlan, Interval, RefreshInterval, Rule, RuleFault } from './rule';
export { plansDifferFrom } from './dated-back';
export { heldAt, ownedStretches, startedVersions, stretchesFor, stretchesOf, versionInForce } from './rule-timeline';
export type { AskedUsage, OwnedStretch, Range, StartedVersion, Stretch, UnitVersion } from './rule-timeline';
export { meteredAccount, meteredAccountSchema, meteredAccountStream } from './metered-account';
export { meteredTenant, meteredTenantSchema, meteredTenantStream } from './metered-tenant';
export type { MeteredAccountCommand, MeteredAccountEvent, PlanInterval } from './metered-account';
export { subscriptionUsage, subscriptionUsageSchema, subscriptionUsageStream } from './subscription-usage';
export type { ReportedUsage, SubscriptionUsageEvent, SubscriptionUsageRejection } from './subscription-usage';
export { unit, unitIdOf, unitSchema, unitStream } from './unit';
export type { RuleVersion, UnitCommand, UnitEvent, UnitRejection, UnitState } from './unit';
export { meteringPublication } from './publication';
export { usageClosing, usageClosingSchema, usageClosingStream } from './usage-closing';
export type { AskedFor, CountedStretch, UsageBasis, UsageClosedEvent, UsageClosingEvent } from './usage-closing';
export { correctedRecord, usageCorrectionSchema, usageCorrectionStream, usageCorrections } from './usage-correction';
export type { CorrectedRecord, UsageCorrection, UsageCorrectionEvent } from './usage-correction';
export { usageLimit, usageLimitSchema, usageLimitStream } from './usage-limit';
export type { UsageLimitEvent } from './usage-limit';
export { isDimensionName } from './usage-dimensions';
export type { Dimensions } from './usage-dimensions';
export {
  anonymousUser,
  parseRecords,
  recordedAt,
  usagePartitions,
  usageRecordedName,
  usageStream,
  usageStreamsOf,
} from './usage-record';
export type {
  LoggedRecord,
  ParsedRecords,
  RecordDefaults,
  RecordForm,
  RejectedRecord,
  UsageRecordedEvent,
} from './usage-record';
export { lineTimeMs, logFormat, logFormatSchema, logFormatStream, noLogFormat, readLogLines } from './log-lines';
export type { LogFormat, LogFormatEvent, LogFormatRejection, ReadLines } from './log-lines';
export { lineFields, linePattern, variableNames } from './log-pattern';
export type { LogPattern } from './log-pattern';
export {
  billingFeedPrefixes,
  billingNews,
  billingNewsSchema,
  billingNewsStream,
  billingNoticeOf,
} from './billing-news';
export type { BillingNewsEvent, BillingNotice } from './billing-news';
export { cycleAround } from './billing-cycle';
export type { BillingCycle, CycleFacts } from './billing-cycle';
export { isReduction, parseReduction, reductionOf } from './usage-reduction';
export type { ReducibleRecord, UsageReduction } from './usage-reduction';
