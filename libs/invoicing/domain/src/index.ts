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
export {
  cancellationPolicies,
  clearStateName,
  noOverdueConfig,
  overdueConfigDecider,
  overdueConfigErrors,
  overdueConfigSchema,
  overdueConfigStream,
  overdueConfigStreams,
  paymentResponses,
} from './overdue/overdue-config';
export type {
  OverdueCancellation,
  OverdueCondition,
  OverdueConfig,
  OverdueConfigEvent,
  OverdueInterval,
  OverdueStateDefinition,
  PaymentResponse,
} from './overdue/overdue-config';
export { clearState, overduePublication, overdueSchema, overdueStream, overdueStreams } from './overdue/overdue';
export type { EnteredState, OverdueEvent } from './overdue/overdue';
export { overdueDecider } from './overdue/overdue.decider';
export type { EvaluateOverdue, OverdueCommand } from './overdue/overdue.decider';
export type { Debt, Debts } from './overdue/overdue-state-of';
export { debtsOf } from './account-invoices/debts';
export { invoicingPublication, invoicingStreams } from './invoicing-streams';
