export type { PaymentsEvent, TransactionStatus, TransactionType } from './events';
