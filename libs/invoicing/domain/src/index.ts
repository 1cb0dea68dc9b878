export type {
  AccountInvoicesEvent,
  BillingTimeline,
  CommittedInvoice,
  CreditItem,
  InvoiceItem,
  InvoiceItemType,
  InvoicePayment,
  InvoiceRun,
  RecordedAccount,
} from './account-invoices/account-invoices.events';
export { accountInvoices, previewInvoice } from './account-invoices/account-invoices.decider';
export type {
  AccountInvoicesCommand,
  AccountInvoicesRejection,
  Preview,
} from './account-invoices/account-invoices.decider';
export type { AccountInvoices } from './account-invoices/account-invoices.state';
export { accountInvoicesPublication } from './account-invoices/account-invoices.publication';
export {
  accountInvoicesSchema,
  accountInvoicesStream,
  accountInvoicesStreams,
} from './account-invoices/account-invoices.schema';
export { creditInvoiceItem } from './account-invoices/credit-item';
