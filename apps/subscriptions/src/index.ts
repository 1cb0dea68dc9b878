import { auditedAnswers } from '@billstream/http';
import { auditRecordsOf } from '@billstream/postgres';
import type { ServiceDefinition, ServiceRuntime } from '@billstream/service-runtime';
import { publication } from '@billstream/subscriptions-domain';
import {
  auditReadModel,
  bundlesReadModel,
  catalogsReadModel,
  subscriberAccountsReadModel,
} from '@billstream/subscriptions-read-models';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { dueCatalogs } from './due-catalogs';
import { duePhases } from './due-phases';
import { openChanges } from './open-changes';
import { AdjustSubscriptionEndpoint } from './http/adjust-subscription.endpoint';
import { AuditLogsEndpoint } from './http/audit-logs.endpoint';
import { BillingRulesEndpoint } from './http/billing-rules.endpoint';
import { BlockAccountEndpoint } from './http/block-account.endpoint';
import { BlockSubscriptionEndpoint } from './http/block-subscription.endpoint';
import { CancelSubscriptionEndpoint } from './http/cancel-subscription.endpoint';
import { CatalogDocumentsEndpoint } from './http/catalog-documents.endpoint';
import { CatalogEndpoint } from './http/catalog.endpoint';
import { MeterCatalogEndpoint } from './http/meter-catalog.endpoint';
import { ChangePlanEndpoint } from './http/change-plan.endpoint';
import { CreateSubscriptionEndpoint } from './http/create-subscription.endpoint';
import { GetBundlesEndpoint } from './http/get-bundles.endpoint';
import { GetSubscriptionEndpoint } from './http/get-subscription.endpoint';
import { olderAnswers } from './http/older-answers';
import { PlanPreviewEndpoint } from './http/plan-preview.endpoint';
import { RenameBundleEndpoint } from './http/rename-bundle.endpoint';
import { SubscribedPlanEndpoint } from './http/subscribed-plan.endpoint';
import { TransferBundleEndpoint } from './http/transfer-bundle.endpoint';
import { UploadCatalogEndpoint } from './http/upload-catalog.endpoint';
import { OnAccountClosed } from './reactions/on-account-closed';
import { OnAccounts } from './reactions/on-accounts';
import { OnInvoicing } from './reactions/on-invoicing';
import { OnOverdue } from './reactions/on-overdue';
import { type Subscriptions, subscriptionsOn, subscriptionsToken } from './subscriptions';

@Module({})
class SubscriptionsModule {}

/** Events and blocking states are no objects of the audit trail; a subscription names its bundle too. */
const auditedKinds = [
  ['eventId', null],
  ['blockedId', null],
  ['subscriptionId', 'SUBSCRIPTION'],
  ['bundleId', 'BUNDLE'],
] as const;

const moduleOn = (runtime: ServiceRuntime): DynamicModule => ({
  module: SubscriptionsModule,
  controllers: [
    PlanPreviewEndpoint,
    CreateSubscriptionEndpoint,
    GetSubscriptionEndpoint,
    ChangePlanEndpoint,
    CancelSubscriptionEndpoint,
    AdjustSubscriptionEndpoint,
    BlockAccountEndpoint,
    BlockSubscriptionEndpoint,
    TransferBundleEndpoint,
    GetBundlesEndpoint,
    RenameBundleEndpoint,
    AuditLogsEndpoint,
    CatalogEndpoint,
    MeterCatalogEndpoint,
    SubscribedPlanEndpoint,
    UploadCatalogEndpoint,
    CatalogDocumentsEndpoint,
    BillingRulesEndpoint,
    OnAccounts,
    OnAccountClosed,
    OnInvoicing,
    OnOverdue,
  ],
  providers: [
    { provide: subscriptionsToken, useValue: subscriptionsOn(runtime) },
    {
      provide: APP_INTERCEPTOR,
      inject: [subscriptionsToken],
      useFactory: (subscriptions: Subscriptions) => olderAnswers(subscriptions.accountOf),
    },
    {
      provide: APP_INTERCEPTOR,
      useValue: auditedAnswers(auditedKinds, (...of) => auditRecordsOf(runtime.database, ...of)),
    },
  ],
});

/** The catalog, bundles and subscriptions, and the billing timelines that others bill by. */
export const subscriptionsService: ServiceDefinition = {
  name: 'subscriptions',
  streams: ['catalog-', 'bundle-', 'accountChanges-', 'bundleKey-', 'subscriptionKey-', 'subscriberAccount-'],
  readModels: [bundlesReadModel, catalogsReadModel, subscriberAccountsReadModel, auditReadModel],
  publication,
  hears: ['accounts', 'invoicing'],
  dueWork: (runtime) => ({ ...duePhases(runtime), ...openChanges(runtime), ...dueCatalogs(runtime) }),
  module: moduleOn,
};
