import {
  type DuePayment,
  executePayment,
  executeTransaction,
  resolvePayment,
  resolveTransaction,
  retryPayment,
} from '@billstream/payments-read-models';
import type { DueItem } from '@billstream/postgres';
import type { TransactionTask } from './executor/transaction-executor';
import type { Payments } from './payments';

/** Handlers of due work by kind. */
export const paymentsDueWork = ({
  executor,
  transactions,
}: Pick<Payments, 'executor' | 'transactions'>): Readonly<Record<string, (item: DueItem) => Promise<void>>> => ({
  [executePayment]: (item) => executor.execute(taskOf(item)),
  [resolvePayment]: (item) => executor.resolve(taskOf(item)),
  [retryPayment]: (item) => executor.retry(taskOf(item)),
  [executeTransaction]: (item) => transactions.execute(transactionTaskOf(item)),
  [resolveTransaction]: (item) => transactions.resolve(transactionTaskOf(item)),
});

export const taskOf = ({ tenantId, dueAt, payload }: DueItem) => ({ ...duePaymentOf(payload), tenantId, dueAt });

const readerOf = (payload: object) => {
  const read = (name: string): unknown => new Map<string, unknown>(Object.entries(payload)).get(name);
  const text = (name: string): string => {
    const value = read(name);
    if (typeof value !== 'string') throw new TypeError(`due work of payments without ${name}`);
    return value;
  };
  return { read, text };
};

const duePaymentOf = (payload: object): DuePayment => {
  const { read, text } = readerOf(payload);
  return {
    invoiceId: text('invoiceId'),
    paymentId: text('paymentId'),
    transactionId: read('transactionId') === null ? null : text('transactionId'),
    correlationId: text('correlationId'),
  };
};

const transactionTaskOf = ({ tenantId, payload }: DueItem): TransactionTask => {
  const { text } = readerOf(payload);
  const ids = { paymentId: text('paymentId'), transactionId: text('transactionId') };
  return { tenantId, ...ids, correlationId: text('correlationId') };
};
