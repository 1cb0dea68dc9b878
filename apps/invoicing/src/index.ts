import { invoicingPublication, invoicingStreams } from '@billstream/invoicing-domain';
import {
  auditReadModel,
  dueInvoicesReadModel,
  invoicesReadModel,
  overdueReadModel,
  tenantInvoicingReadModel,
} from '@billstream/invoicing-read-models';
import type { ServiceDefinition } from '@billstream/service-runtime';
import { dueInvoices } from './due-invoices';
import { dueParentInvoices } from './family/due-parent-invoices';
import { dueOverdueChecks } from './overdue/due-overdue-checks';
import { invoicingModule } from './invoicing.module';

/** Invoices, credit and balances of accounts. */
export const invoicingService: ServiceDefinition = {
  name: 'invoicing',
  streams: invoicingStreams,
  readModels: [invoicesReadModel, dueInvoicesReadModel, overdueReadModel, tenantInvoicingReadModel, auditReadModel],
  publication: invoicingPublication,
  // Itself, too: what an account owes decides whether it is overdue, and what a child owes is charged to its parent.
  hears: ['accounts', 'subscriptions', 'metering', 'invoicing', 'payments'],
  dueWork: (runtime) => ({ ...dueInvoices(runtime), ...dueOverdueChecks(runtime), ...dueParentInvoices(runtime) }),
  module: invoicingModule,
};
