import {
  accountInvoicesPublication,
  accountInvoicesStreams,
  tenantInvoicingStreams,
} from '@billstream/invoicing-domain';
import { dueInvoicesReadModel, invoicesReadModel, tenantInvoicingReadModel } from '@billstream/invoicing-read-models';
import type { ServiceDefinition } from '@billstream/service-runtime';
import { dueInvoices } from './due-invoices';
import { invoicingModule } from './invoicing.module';

/** Invoices, credit and balances of accounts. */
export const invoicingService: ServiceDefinition = {
  name: 'invoicing',
  streams: [accountInvoicesStreams, tenantInvoicingStreams],
  readModels: [invoicesReadModel, dueInvoicesReadModel, tenantInvoicingReadModel],
  publication: accountInvoicesPublication,
  hears: ['accounts', 'subscriptions', 'metering', 'payments'],
  dueWork: dueInvoices,
  module: invoicingModule,
};
