import { auditedAnswers } from '@billstream/http';
import { auditRecordsOfItems } from '@billstream/invoicing-read-models';
import { type Database, auditRecordsOf } from '@billstream/postgres';
import type { ServiceRuntime } from '@billstream/service-runtime';
import type { DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { AddItemsEndpoint } from './http/add-items.endpoint';
import { AdjustedItemsEndpoint } from './http/adjusted-items.endpoint';
import { AuditLogsEndpoint } from './http/audit-logs.endpoint';
import { ChangeInvoiceEndpoint } from './http/change-invoice.endpoint';
import { CreateInvoiceEndpoint } from './http/create-invoice.endpoint';
import { GetInvoiceEndpoint } from './http/get-invoice.endpoint';
import { InvoiceGroupsEndpoint } from './http/invoice-groups.endpoint';
import { InvoicePageEndpoint } from './http/invoice-page.endpoint';
import { InvoiceTextsEndpoint } from './http/invoice-texts.endpoint';
import { ItemUsageEndpoint } from './http/item-usage.endpoint';
import { ListInvoicesEndpoint } from './http/list-invoices.endpoint';
import { PreviewInvoiceEndpoint } from './http/preview-invoice.endpoint';
import { UsageChangesEndpoint } from './http/usage-changes.endpoint';
import { invoicingOn, invoicingToken } from './invoicing';
import { TransferCreditEndpoint } from './family/transfer-credit.endpoint';
import { AccountOverdueEndpoint } from './overdue/account-overdue.endpoint';
import { OverdueConfigEndpoint } from './overdue/overdue-config.endpoint';
import { OnFactsTold } from './reactions/on-facts-told';
import { OnFamily } from './reactions/on-family';
import { OnOverdueChanged } from './reactions/on-overdue-changed';
import { OnOverdueFacts } from './reactions/on-overdue-facts';

class InvoicingModule {}

const auditedKinds = [
  ['invoiceItemId', 'INVOICE_ITEM'],
  ['invoiceId', 'INVOICE'],
] as const;

/** Items have no entries of their own in the trail. */
const auditRecordsIn = (database: Database) => async (tenantId: string, ids: readonly string[]) =>
  (await Promise.all([auditRecordsOf(database, tenantId, ids), auditRecordsOfItems(database, tenantId, ids)])).flat();

export const invoicingModule = (runtime: ServiceRuntime): DynamicModule => ({
  module: InvoicingModule,
  controllers: [
    ListInvoicesEndpoint,
    GetInvoiceEndpoint,
    AuditLogsEndpoint,
    CreateInvoiceEndpoint,
    PreviewInvoiceEndpoint,
    AddItemsEndpoint,
    ChangeInvoiceEndpoint,
    AdjustedItemsEndpoint,
    InvoiceTextsEndpoint,
    InvoicePageEndpoint,
    InvoiceGroupsEndpoint,
    ItemUsageEndpoint,
    UsageChangesEndpoint,
    TransferCreditEndpoint,
    OverdueConfigEndpoint,
    AccountOverdueEndpoint,
    OnFactsTold,
    OnOverdueFacts,
    OnOverdueChanged,
    OnFamily,
  ],
  providers: [
    { provide: invoicingToken, useValue: invoicingOn(runtime) },
    { provide: APP_INTERCEPTOR, useValue: auditedAnswers(auditedKinds, auditRecordsIn(runtime.database)) },
  ],
});
