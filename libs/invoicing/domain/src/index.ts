export type {
  AccountInvoicesEvent,
  BillingTimeline,
  ChildShare,
  CommittedInvoice,
  ControlTagChange,
  CreditItem,
  DraftInvoice,
  InvoiceItem,
  InvoiceItemType,
  InvoicePayment,
  InvoiceRun,
  RecordedAccount,
} from './account-invoices/account-invoices.events';
export { accountInvoices } from './account-invoices/account-invoices.decider';
export type { AccountInvoicesCommand } from './account-invoices/account-invoices.decider';
export type { AskedItem } from './account-invoices/commands/add-items';
export { adjustableMinor } from './account-invoices/commands/adjust-item';
export type { AccountInvoicesRejection } from './account-invoices/rejections';
export { reusableDraft } from './account-invoices/invoice-run';
export { previewInvoice } from './account-invoices/preview';
export type { Billing, CountedUsage, Preview, PreviewRequest } from './account-invoices/preview';
export { usageToPreview } from './account-invoices/preview-usage';
export type { UsageRequest } from './account-invoices/preview-usage';
export { usageChanges } from './account-invoices/usage-changes';
export type { ChangeOutcome, ChangedPeriod, UsageChange } from './account-invoices/usage-changes';
export { amountOf } from './account-invoices/invoice-totals';
export type { InvoiceStatus } from './account-invoices/invoice-totals';
export { defaultSettings, settingsFrom } from './account-invoices/invoicing-settings';
export type { InvoicingSettings } from './account-invoices/invoicing-settings';
export { isTagged } from './account-invoices/account-invoices.state';
export { entriesOf, entryOf } from './account-invoices/book';
export type { AccountInvoices } from './account-invoices/account-invoices.state';
export { accountInvoicesPublication } from './account-invoices/account-invoices.publication';
export {
  accountInvoicesSchema,
  accountInvoicesSnapshots,
  accountInvoicesStream,
  accountInvoicesStreams,
} from './account-invoices/account-invoices.schema';
export { furtherCommands } from './account-invoices/further-commands';
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
export {
  tenantInvoicing,
  tenantInvoicingSchema,
  tenantInvoicingStream,
  tenantInvoicingStreams,
} from './tenant/tenant-invoicing';
export type {
  InvoiceTextKey,
  InvoiceTextKind,
  TenantInvoicingEvent,
  TenantInvoicingRejection,
} from './tenant/tenant-invoicing';
export { chargedTooMuch, isOwedAgain, paidForChildren } from './account-invoices/parent-shares';
