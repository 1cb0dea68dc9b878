import type { DueItem } from '@billstream/postgres';
import { type DuePayment, executePayment, resolvePayment, retryPayment } from '@billstream/payments-read-models';
import type { Payments } from './payments';

/** Handlers of due work by kind. */
export const paymentsDueWork = ({
  executor,
}: Pick<Payments, 'executor'>): Readonly<Record<string, (item: DueItem) => Promise<void>>> => ({
  [executePayment]: (item) => executor.execute(taskOf(item)),
  [resolvePayment]: (item) => executor.resolve(taskOf(item)),
  [retryPayment]: (item) => executor.retry(taskOf(item)),
});

export const taskOf = ({ tenantId, dueAt, payload }: DueItem) => ({ ...duePaymentOf(payload), tenantId, dueAt });

const duePaymentOf = (payload: object): DuePayment => {
  const read = (name: string): unknown => new Map<string, unknown>(Object.entries(payload)).get(name);
  const text = (name: string): string => {
    const value = read(name);
    if (typeof value !== 'string') throw new TypeError(`due work of payments without ${name}`);
    return value;
  };
  return {
    invoiceId: text('invoiceId'),
    paymentId: text('paymentId'),
    transactionId: read('transactionId') === null ? null : text('transactionId'),
    correlationId: text('correlationId'),
  };
};
