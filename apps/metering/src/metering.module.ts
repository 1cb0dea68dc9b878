import type { ServiceRuntime } from '@billstream/service-runtime';
import type { DynamicModule } from '@nestjs/common';
import { BilledUsageEndpoint } from './http/billed-usage.endpoint';
import { BillingEventsEndpoint } from './http/billing-events.endpoint';
import { LimitEventsEndpoint } from './http/limit-events.endpoint';
import { LimitHistoryEndpoint } from './http/limit-history.endpoint';
import { LimitReservationsEndpoint } from './http/limit-reservations.endpoint';
import { LimitsEndpoint } from './http/limits.endpoint';
import { PreviewBackfillEndpoint } from './http/preview-backfill.endpoint';
import { PreviewCorrectionsEndpoint } from './http/preview-corrections.endpoint';
import { PreviewUsageEndpoint } from './http/preview-usage.endpoint';
import { RecordLogEndpoint } from './http/record-log.endpoint';
import { RecordUsageEndpoint } from './http/record-usage.endpoint';
import { SubscriptionUsagesEndpoint } from './http/subscription-usages.endpoint';
import { UnitRulesEndpoint } from './http/unit-rules.endpoint';
import { UnitsEndpoint } from './http/units.endpoint';
import { UsageBackfillsEndpoint } from './http/usage-backfills.endpoint';
import { UsageCorrectionsEndpoint } from './http/usage-corrections.endpoint';
import { UsageEventsEndpoint } from './http/usage-events.endpoint';
import { UsageLineageEndpoint } from './http/usage-lineage.endpoint';
import { UsageReportEndpoint } from './http/usage-report.endpoint';
import { UsageSeriesEndpoint } from './http/usage-series.endpoint';
import { UserLimitsEndpoint } from './http/user-limits.endpoint';
import { meteringOf, meteringToken } from './metering';
import { OnFactsOfOthers } from './reactions/on-facts-of-others';
import { OnReservationCommitted } from './reactions/on-reservation-committed';
import { OnUsageRequested } from './reactions/on-usage-requested';

class MeteringModule {}

export const meteringModule = (runtime: ServiceRuntime): DynamicModule => ({
  module: MeteringModule,
  controllers: [
    RecordUsageEndpoint,
    RecordLogEndpoint,
    UsageEventsEndpoint,
    UsageBackfillsEndpoint,
    PreviewBackfillEndpoint,
    PreviewCorrectionsEndpoint,
    UsageCorrectionsEndpoint,
    UsageReportEndpoint,
    UsageLineageEndpoint,
    BilledUsageEndpoint,
    UsageSeriesEndpoint,
    LimitsEndpoint,
    LimitHistoryEndpoint,
    UserLimitsEndpoint,
    LimitReservationsEndpoint,
    LimitEventsEndpoint,
    UnitsEndpoint,
    UnitRulesEndpoint,
    BillingEventsEndpoint,
    SubscriptionUsagesEndpoint,
    PreviewUsageEndpoint,
    OnFactsOfOthers,
    OnReservationCommitted,
    OnUsageRequested,
  ],
  providers: [{ provide: meteringToken, useValue: meteringOf(runtime) }],
});
