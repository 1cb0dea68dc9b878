export type { AttemptOutcome, RecordOutcome } from './invoice-payments/attempt-outcome';
export { invoicePayments, nextPaymentId } from './invoice-payments/invoice-payments.decider';
export type {
  ClientKeys,
  DispatchPayment,
  InvoicePaymentsCommand,
  InvoicePaymentsRejection,
  PayInvoice,
  RecordBalance,
  RecordExternalPayment,
  RecordInvoice,
  RetryPayment,
} from './invoice-payments/invoice-payments.decider';
export { invoicePaymentsSchema } from './invoice-payments/invoice-payments.events';
export type {
  AttemptFacts,
  ChargedMethod,
  CommittedInvoice,
  InvoicePaymentsEvent,
} from './invoice-payments/invoice-payments.events';
export { chargeableMinor, owedMinor } from './invoice-payments/invoice-payments';
export type { AttemptStatus, InvoicePayments, OpenAttempt } from './invoice-payments/invoice-payments';
export { payerAccount } from './payer-account/payer-account.decider';
export type { PayerAccountCommand, PayerAccountRejection } from './payer-account/payer-account.decider';
export {
  defaultMethodOf,
  externalPlugin,
  isManualPay,
  manualPayTags,
  methodByCredential,
  methodByToken,
  payPalPlugin,
  payerAccountSchema,
} from './payer-account/payer-account';
export type {
  AskedInvoice,
  ManualPayTag,
  PayerAccount,
  PayerAccountEvent,
  PaymentMethod,
} from './payer-account/payer-account';
export { paymentKey, paymentKeySchema } from './payment-key/payment-key';
export { payment } from './payment/payment.decider';
export type {
  AdjustedItem,
  Opening,
  PaymentCommand,
  PaymentRejection,
  RequestTransaction,
} from './payment/payment.decider';
export { paymentSchema } from './payment/payment.events';
export type { InvoicePurchase, ItemAdjustment, PaidBy, PaymentEvent } from './payment/payment.events';
export { isWholeRefund, referredTo } from './payment/charges';
export { capturableMinor, openTransaction, transactionOf } from './payment/payment';
export type { Payment, Transaction } from './payment/payment';
export { paymentSettings, paymentSettingsSchema, retryPolicyOf } from './payment-settings/payment-settings';
export type { RetryPolicy } from './invoice-payments/retry-policy';
export { pluginConfig, pluginConfigSchema } from './plugin-config/plugin-config';
export type { PluginConfig, PluginConfigEvent } from './plugin-config/plugin-config';
export {
  paymentTestPlugin,
  testGateway,
  testGatewayActions,
  testGatewayMethods,
  testGatewayModeOf,
  testGatewaySchema,
} from './test-gateway/test-gateway';
export type { TestGateway, TestGatewayAction, TestGatewayMethod, TestGatewayMode } from './test-gateway/test-gateway';
export { paymentsPublication } from './publication';
export {
  invoicePaymentsStream,
  payerAccountStream,
  paymentKeyStream,
  paymentSettingsStream,
  paymentStream,
  paymentsStreams,
  pluginConfigStream,
  testGatewayStream,
  transactionKeyStream,
} from './streams';
