export {
  dueChangesOf,
  executePayment,
  executeTransaction,
  resolvePayment,
  resolveTransaction,
  retryPayment,
} from './due-payments';
export type { DueChanges, DuePayment, DueTransaction } from './due-payments';
export { paymentByKey, paymentByTransaction, paymentByTransactionKey, paymentsPage } from './payments-search.query';
export { auditReadModel } from './audit.projection';
export type { TransactionState } from './payment-patches';
export { paymentMethodsReadModel, pluginConfigsReadModel } from './payment-methods.projection';
export {
  methodById,
  methodByKey,
  methodsOfAccount,
  methodsPage,
  payerById,
  payerByKey,
  sealedConfigOf,
} from './payment-methods.query';
export type { MethodLookup, PayerView, PaymentMethodView } from './payment-methods.query';
export { paymentsReadModel } from './payments.projection';
export {
  countUnknownPayments,
  debtOfInvoice,
  debtsOfAccount,
  dispatchedAttempts,
  paymentById,
  paymentsOfAccount,
  paymentsOfInvoice,
} from './payments.query';
export type { DebtView, OrphanedAttempt, PaymentView, TransactionView } from './payments.query';
