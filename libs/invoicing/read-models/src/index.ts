export { dueInvoicesReadModel, invoiceDueKind, overdueCheckKind, parentInvoiceKind } from './due-invoices.projection';
export { auditReadModel, auditRecordsOfItems } from './audit.projection';
export { invoicesReadModel } from './invoices.projection';
export {
  childInvoices,
  invoiceById,
  invoiceByItem,
  invoiceByNumber,
  invoicedAccount,
  invoicesOf,
  accountInvoicesPage,
  invoicesPage,
  placesOfItems,
} from './invoices.query';
export type { InvoiceFilter, InvoicePage, InvoiceView, InvoicedAccount } from './invoices.query';
export { delegatingChildren, overdueConfigsOf, overdueReadModel, overdueStateOfAccount } from './overdue.read-model';
export { invoiceText, invoicingSettings, tenantInvoicingReadModel } from './tenant-invoicing.projection';
export { searchInvoices } from './search-invoices.query';
