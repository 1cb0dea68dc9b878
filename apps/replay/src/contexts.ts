import * as accounts from '@billstream/accounts-domain';
import {
  accountEmailsReadModel,
  accountsReadModel,
  auditReadModel,
  balancesReadModel,
  customFieldsReadModel,
  knownObjectsReadModel,
  pushNotificationsReadModel,
  securityReadModel,
  tagsReadModel,
  tenantValuesReadModel,
  tenantsReadModel,
} from '@billstream/accounts-read-models';
import type { Decider, DomainEvent, Rejection, Schema } from '@billstream/event-sourcing';
import * as invoicing from '@billstream/invoicing-domain';
import {
  auditReadModel as invoicingAudit,
  dueInvoicesReadModel,
  invoicesReadModel,
  overdueReadModel,
  tenantInvoicingReadModel,
} from '@billstream/invoicing-read-models';
import * as metering from '@billstream/metering-domain';
import { meteringReadModel } from '@billstream/metering-read-models';
import * as payments from '@billstream/payments-domain';
import {
  paymentMethodsReadModel,
  auditReadModel as paymentsAudit,
  paymentsReadModel,
  pluginConfigsReadModel,
} from '@billstream/payments-read-models';
import type { ReadModel } from '@billstream/postgres';
import * as subscriptions from '@billstream/subscriptions-domain';
import {
  bundlesReadModel,
  catalogsReadModel,
  subscriberAccountsReadModel,
  auditReadModel as subscriptionsAudit,
} from '@billstream/subscriptions-read-models';
import type { Aggregate } from './verify';

/** A context as operators see it: its streams, what is built from them, and how each kind of stream is folded. */
export type ReplayContext = {
  readonly name: string;
  readonly streams: readonly string[];
  /** Those of `streams` that say nothing to others, so that the relay need not look at them. */
  readonly private: readonly string[];
  readonly readModels: readonly ReadModel[];
  readonly hears: readonly string[];
  readonly aggregates: readonly Aggregate[];
};

/** Forgets the types of one aggregate: verification folds what the same schema has decoded. */
const aggregate = <Command, Event extends DomainEvent, State, Refusal extends Rejection>(
  prefix: string,
  { initial, evolve }: Pick<Decider<Command, Event, State, Refusal>, 'initial' | 'evolve'>,
  schema: Schema<Event>,
): Aggregate => ({ prefix, schema, initial, evolve: (state, event) => evolve(state as State, event as Event) });

export const contexts: readonly ReplayContext[] = [
  {
    name: 'accounts',
    streams: accounts.accountsStreams,
    private: [],
    readModels: [
      accountsReadModel,
      accountEmailsReadModel,
      balancesReadModel,
      tenantsReadModel,
      tenantValuesReadModel,
      securityReadModel,
      tagsReadModel,
      customFieldsReadModel,
      knownObjectsReadModel,
      auditReadModel,
      pushNotificationsReadModel,
    ],
    hears: ['subscriptions', 'invoicing', 'payments'],
    aggregates: [
      aggregate('account-', accounts.account, accounts.accountSchema),
      aggregate('accountProfile-', accounts.profile, accounts.profileSchema),
      aggregate('accountEmails-', accounts.accountEmails, accounts.accountEmailsSchema),
      aggregate('accountFigures-', accounts.figures, accounts.figuresSchema),
      aggregate('accountKey-', accounts.keyClaim, accounts.accountKeySchema),
      aggregate('tenant-', accounts.tenant, accounts.tenantSchema),
      aggregate('tenantKey-', accounts.keyClaim, accounts.tenantKeySchema),
      aggregate('tenantConfig-', accounts.tenantConfig, accounts.tenantConfigSchema),
      aggregate('user-', accounts.user, accounts.userSchema),
      aggregate('role-', accounts.role, accounts.roleSchema),
      aggregate('tagDefinitions-', accounts.tagDefinitions, accounts.tagDefinitionsSchema),
      aggregate('objectTags-', accounts.objectTags, accounts.objectTagsSchema),
      aggregate('objectFields-', accounts.objectFields, accounts.objectFieldsSchema),
      aggregate('accountObjects-', accounts.knownObjects, accounts.knownObjectsSchema),
      aggregate('pushNotification-', accounts.pushNotification, accounts.pushNotificationSchema),
      aggregate('subscriptionNews-', accounts.subscriptionNews, accounts.subscriptionNewsSchema),
      aggregate('blockingNews-', accounts.blockingNews, accounts.blockingNewsSchema),
    ],
  },
  {
    name: 'subscriptions',
    streams: ['catalog-', 'bundle-', 'accountChanges-', 'bundleKey-', 'subscriptionKey-', 'subscriberAccount-'],
    private: [],
    readModels: [bundlesReadModel, catalogsReadModel, subscriberAccountsReadModel, subscriptionsAudit],
    hears: ['accounts', 'invoicing'],
    aggregates: [
      aggregate('catalog-', subscriptions.catalogDecider, subscriptions.catalogSchema),
      aggregate('bundle-', subscriptions.bundleDecider, subscriptions.bundleSchema),
      aggregate('accountChanges-', subscriptions.accountChangesDecider, subscriptions.accountChangesSchema),
      aggregate('bundleKey-', subscriptions.keyClaimDecider, subscriptions.keyClaimSchema),
      aggregate('subscriptionKey-', subscriptions.keyClaimDecider, subscriptions.keyClaimSchema),
      aggregate('subscriberAccount-', subscriptions.subscriberAccountDecider, subscriptions.subscriberAccountSchema),
    ],
  },
  {
    name: 'metering',
    streams: [
      'meterUnit-',
      'meteredTenant-',
      'meteredAccount-',
      'logFormat-',
      'billingNews-',
      'usage-',
      'usageLimit-',
      'usageCorrection-',
      'limitNews-',
      'limitReservations-',
      'usageBackfill-',
      'usageBackfillPart-',
      'backfilledUsage-',
      'usageClosing-',
      'subscriptionUsage-',
    ],
    private: ['usage-', 'usageCorrection-', 'usageBackfillPart-'],
    readModels: [meteringReadModel],
    hears: ['accounts', 'subscriptions', 'metering', 'invoicing'],
    // Usage itself (`usage-`, `usageBackfillPart-`) has no state to fold: its records are counted by the read model.
    aggregates: [
      aggregate('meterUnit-', metering.unit, metering.unitSchema),
      aggregate('meteredTenant-', metering.meteredTenant, metering.meteredTenantSchema),
      aggregate('meteredAccount-', metering.meteredAccount, metering.meteredAccountSchema),
      aggregate('logFormat-', metering.logFormat, metering.logFormatSchema),
      aggregate('billingNews-', metering.billingNews, metering.billingNewsSchema),
      aggregate('usageLimit-', metering.usageLimit, metering.usageLimitSchema),
      {
        ...aggregate('limitNews-', metering.limitNews, metering.limitNewsSchema),
        snapshots: metering.limitNewsSnapshots,
      },
      {
        ...aggregate('limitReservations-', metering.limitReservations, metering.limitReservationsSchema),
        snapshots: metering.limitReservationsSnapshots,
      },
      aggregate('usageCorrection-', metering.usageCorrections, metering.usageCorrectionSchema),
      {
        ...aggregate('usageBackfill-', metering.usageBackfill, metering.usageBackfillSchema),
        snapshots: metering.usageBackfillSnapshots,
      },
      aggregate('backfilledUsage-', metering.backfilledUsage, metering.backfilledUsageSchema),
      aggregate('usageClosing-', metering.usageClosing, metering.usageClosingSchema),
      aggregate('subscriptionUsage-', metering.subscriptionUsage, metering.subscriptionUsageSchema),
    ],
  },
  {
    name: 'invoicing',
    streams: invoicing.invoicingStreams,
    private: [],
    readModels: [invoicesReadModel, dueInvoicesReadModel, overdueReadModel, tenantInvoicingReadModel, invoicingAudit],
    hears: ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'],
    aggregates: [
      {
        ...aggregate('accountInvoices-', invoicing.accountInvoices, invoicing.accountInvoicesSchema),
        snapshots: invoicing.accountInvoicesSnapshots,
      },
      aggregate('overdue-', invoicing.overdueDecider, invoicing.overdueSchema),
      aggregate('overdueConfig-', invoicing.overdueConfigDecider, invoicing.overdueConfigSchema),
      aggregate('invoicingTenant-', invoicing.tenantInvoicing, invoicing.tenantInvoicingSchema),
    ],
  },
  {
    name: 'payments',
    streams: payments.paymentsStreams,
    private: [],
    readModels: [paymentMethodsReadModel, pluginConfigsReadModel, paymentsReadModel, paymentsAudit],
    hears: ['accounts', 'invoicing'],
    aggregates: [
      aggregate('payerAccount-', payments.payerAccount, payments.payerAccountSchema),
      aggregate('invoicePayments-', payments.invoicePayments, payments.invoicePaymentsSchema),
      aggregate('pluginConfig-', payments.pluginConfig, payments.pluginConfigSchema),
      aggregate('paymentSettings-', payments.paymentSettings, payments.paymentSettingsSchema),
      aggregate('payment-', payments.payment, payments.paymentSchema),
      aggregate('paymentKey-', payments.paymentKey, payments.paymentKeySchema),
      aggregate('testGateway-', payments.testGateway, payments.testGatewaySchema),
    ],
  },
];
