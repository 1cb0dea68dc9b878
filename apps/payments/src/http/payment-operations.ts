import { type RequestContext, unwrap } from '@billstream/http';
import type { TransactionType } from '@billstream/payments-contracts';
import { derivedId, parseUuid } from '@billstream/kernel';
import { type Transaction, paymentStream } from '@billstream/payments-domain';
import {
  type PaymentView,
  type TransactionView,
  paymentByKey,
  paymentByTransaction,
  paymentByTransactionKey,
} from '@billstream/payments-read-models';
import { type Payments, stepOf } from '../payments';
import { answered, isExternal, openingOf, transact } from '../transact';
import { existingPayment, lookTwice } from './find';
import { invalidValue, unknownPayment } from './problems';
import { failureOf, transactionProblem, unknownTransaction } from './transaction-problems';
import { type TransactionRequest, amountOf, currencyOf, keyOf } from './transaction-request';

/** The payment that a path's id names, else the one of the body's id or key. */
export const paymentNamed = async (
  payments: Payments,
  { tenantId }: RequestContext,
  { id, body }: { readonly id: string | null; readonly body: TransactionRequest },
): Promise<PaymentView> => {
  const given = id ?? keyOf(body.paymentId);
  if (given !== null) return existingPayment(payments, tenantId, given);
  const key = keyOf(body.paymentExternalKey);
  if (key !== null) return paymentOfKey(payments, tenantId, key);
  const transactionKey = keyOf(body.transactionExternalKey);
  if (transactionKey === null) throw invalidValue('paymentExternalKey or transactionExternalKey must be given');
  return paymentOfTransactionKey(payments, tenantId, transactionKey);
};

export const paymentOfKey = async (payments: Payments, tenantId: string, key: string): Promise<PaymentView> => {
  const found = await lookTwice(payments, () => paymentByKey(payments.runtime.database, tenantId, key));
  if (found === null) throw unknownPayment(key);
  return found;
};

export const paymentOfTransactionKey = async (
  payments: Payments,
  tenantId: string,
  key: string,
): Promise<PaymentView> => {
  const found = await lookTwice(payments, () => paymentByTransactionKey(payments.runtime.database, tenantId, key));
  if (found === null) throw unknownTransaction(key);
  return found;
};

export const paymentOfTransaction = async (payments: Payments, tenantId: string, id: string): Promise<PaymentView> => {
  const by = parseUuid(id);
  const { database } = payments.runtime;
  const found = by === null ? null : await lookTwice(payments, () => paymentByTransaction(database, tenantId, by));
  if (found === null) throw unknownTransaction(id);
  return found;
};

/** Asks for one more transaction of a payment; throws what Kill Bill answers when it did not succeed. */
export const operate = async (
  payments: Payments,
  context: RequestContext,
  {
    view,
    type,
    body,
  }: { readonly view: PaymentView; readonly type: TransactionType; readonly body: TransactionRequest },
): Promise<void> => {
  const transaction = await transact(payments, context, {
    paymentId: view.paymentId,
    opening: await openingOf(payments, context.tenantId, view),
    pluginName: view.pluginName,
    transactionType: type,
    amountMinor: amountOf(body, view.currency),
    currency: currencyOf(body),
    transactionKey: keyOf(body.transactionExternalKey),
    isRecordOnly: type === 'CHARGEBACK' || isExternal(view),
  });
  orThrow(transaction);
};

export const orThrow = (transaction: Transaction): void => {
  const failure = failureOf(transaction);
  if (failure !== null) throw failure;
};

/** By its key, else the last chargeback of the payment. */
export const reverseChargeback = async (
  payments: Payments,
  context: RequestContext,
  { view, body }: { readonly view: PaymentView; readonly body: TransactionRequest },
): Promise<void> => {
  const { tenantId } = context;
  const data = {
    reversalId: derivedId(context.commandId, 'chargeback-reversal'),
    externalKey: keyOf(body.transactionExternalKey),
    now: payments.runtime.clock.now(tenantId),
  };
  const { position } = unwrap(
    await payments.payment(
      paymentStream(view.paymentId),
      { type: 'ReverseChargeback', data },
      stepOf(context, payments, 'reverse-chargeback'),
    ),
    transactionProblem(view.paymentId),
  );
  await payments.runtime.visible(position);
};

/** Goes on with what is pending: by id, by key, or the only one there is. A payment with none is left as it is. */
export const completePending = async (
  payments: Payments,
  context: RequestContext,
  { view, body }: { readonly view: PaymentView; readonly body: TransactionRequest },
): Promise<void> => {
  const pending = pendingOf(view, body);
  if (pending === null) return;
  const { paymentId } = view;
  const { transactionId } = pending;
  const { tenantId, correlationId } = context;
  await payments.transactions.complete({ tenantId, paymentId, transactionId, correlationId });
  orThrow(await answered(payments, context, { paymentId, transactionId }));
};

const pendingOf = (
  { paymentId, transactions }: PaymentView,
  { transactionId, transactionExternalKey }: TransactionRequest,
): TransactionView | null => {
  const id = keyOf(transactionId);
  const key = keyOf(transactionExternalKey);
  const isNamed = id !== null || key !== null;
  const named = transactions.filter(
    (one) => (id === null || one.transactionId === id.toLowerCase()) && (key === null || one.externalKey === key),
  );
  if (isNamed && named.length === 0) throw unknownTransaction(id ?? key ?? '');
  const pending = named.filter(({ state }) => state === 'PENDING');
  if (pending.length > 1) throw invalidValue('transactionId or transactionExternalKey must be given');
  if (isNamed && pending.length === 0)
    throw transactionProblem(paymentId)({
      ...{ code: 'operation-not-allowed', transactionType: named[0]?.transactionType ?? 'PURCHASE' },
      after: named.at(-1)?.state ?? 'NOTHING',
    });
  return pending[0] ?? null;
};
