import { AuditQuery } from '@billstream/http';
import { type Currency, money, toDecimal, toNumber } from '@billstream/kernel';
import type { PaymentView, TransactionState, TransactionView } from '@billstream/payments-read-models';
import type { TransactionStatus } from '@billstream/payments-contracts';
import { IsIn, IsOptional } from 'class-validator';

const flag = ['true', 'false'];

export class PaymentQuery extends AuditQuery {
  @IsOptional() @IsIn(flag) readonly withPluginInfo?: string;
  @IsOptional() @IsIn(flag) readonly withAttempts?: string;
}

/** What of a payment a request wants to see. */
export type PaymentDetail = Pick<PaymentQuery, 'withPluginInfo' | 'withAttempts'>;

/** Kill Bill shows a transaction that has no outcome yet as UNKNOWN. */
const statuses: { readonly [State in TransactionState]: TransactionStatus } = {
  REQUESTED: 'UNKNOWN',
  DISPATCHED: 'UNKNOWN',
  SUCCESS: 'SUCCESS',
  PENDING: 'PENDING',
  UNKNOWN: 'UNKNOWN',
  PAYMENT_FAILURE: 'PAYMENT_FAILURE',
  PLUGIN_FAILURE: 'PLUGIN_FAILURE',
  ABORTED: 'PLUGIN_FAILURE',
};

const amountOf = (minor: number, currency: Currency): number => toNumber(toDecimal(money(minor, currency)));

/** The reversal of a chargeback has the chargeback's key and comes after it. */
const reverses = (later: TransactionView, one: TransactionView): boolean =>
  one.transactionType === 'CHARGEBACK' &&
  later.transactionType === 'CHARGEBACK' &&
  later.externalKey === one.externalKey;

/** Chargebacks that were reversed no longer count. */
const chargedBack = (transactions: readonly TransactionView[]): readonly TransactionView[] =>
  transactions.filter(
    (one, nth) =>
      one.transactionType === 'CHARGEBACK' &&
      one.state === 'SUCCESS' &&
      !transactions.slice(nth + 1).some((later) => reverses(later, one)),
  );

/** A reversal moves no money of its own, so Kill Bill says no amount and no currency of it. */
const isReversal = (transactions: readonly TransactionView[], transaction: TransactionView): boolean =>
  transactions.slice(0, transactions.indexOf(transaction)).some((one) => reverses(transaction, one));

const movementJson = ({ currency, transactions }: PaymentView, transaction: TransactionView): object => {
  const { amountMinor, processedMinor, effectiveAt: effectiveDate } = transaction;
  if (isReversal(transactions, transaction))
    return { amount: null, currency: null, effectiveDate, processedAmount: 0, processedCurrency: null };
  return {
    amount: amountOf(amountMinor, currency),
    currency,
    effectiveDate,
    processedAmount: processedMinor === null ? null : amountOf(processedMinor, currency),
    processedCurrency: currency,
  };
};

const movedMinor = (transactions: readonly TransactionView[], type: TransactionView['transactionType']): number =>
  transactions
    .filter(({ state, transactionType }) => state === 'SUCCESS' && transactionType === type)
    .reduce((total, { processedMinor, amountMinor }) => total + (processedMinor ?? amountMinor), 0);

/** Kill Bill's sums: a void ends the authorisation, a chargeback takes from what was charged. */
const sumsOf = ({ transactions }: PaymentView) => {
  const backMinor = movedMinor(chargedBack(transactions), 'CHARGEBACK');
  const isVoided = transactions.some(({ transactionType, state }) => transactionType === 'VOID' && state === 'SUCCESS');
  const charged = (type: 'CAPTURE' | 'PURCHASE'): number => Math.max(0, movedMinor(transactions, type) - backMinor);
  return {
    authMinor: isVoided ? 0 : movedMinor(transactions, 'AUTHORIZE'),
    capturedMinor: charged('CAPTURE'),
    purchasedMinor: charged('PURCHASE'),
    refundedMinor: movedMinor(transactions, 'REFUND'),
    creditedMinor: movedMinor(transactions, 'CREDIT'),
  };
};

/** Kill Bill's Payment (0.24). */
export const paymentJson = (payment: PaymentView, query: PaymentDetail): object => {
  const { paymentId, accountId, currency, paymentMethodId, transactions } = payment;
  const sums = sumsOf(payment);
  return {
    accountId,
    paymentId,
    paymentNumber: String(payment.paymentNumber),
    paymentExternalKey: payment.externalKey,
    authAmount: amountOf(sums.authMinor, currency),
    capturedAmount: amountOf(sums.capturedMinor, currency),
    purchasedAmount: amountOf(sums.purchasedMinor, currency),
    refundedAmount: amountOf(sums.refundedMinor, currency),
    creditedAmount: amountOf(sums.creditedMinor, currency),
    currency,
    paymentMethodId,
    transactions: transactions.map((transaction) => transactionJson(payment, transaction, query)),
    paymentAttempts: query.withAttempts === 'true' ? attemptsJson(payment) : null,
    auditLogs: [],
  };
};

/** The same with the invoice it pays, at the place where Kill Bill has it. */
export const invoicePaymentJson = (payment: PaymentView, query: PaymentDetail): object => ({
  targetInvoiceId: payment.invoiceId,
  ...paymentJson(payment, query),
  transactions: payment.transactions.map((transaction) => ({
    ...transactionJson(payment, transaction, query),
    ...adjustmentsJson(payment, transaction),
  })),
});

/** What a refund did to its invoice; other transactions of an invoice's payment say nothing of that. */
const adjustmentsJson = ({ currency }: PaymentView, { transactionType, adjustments }: TransactionView): object =>
  transactionType === 'REFUND'
    ? {
        isAdjusted: adjustments !== null,
        adjustments: (adjustments ?? []).map(({ invoiceItemId, amountMinor }) => ({
          invoiceItemId,
          amount: amountMinor === null ? null : amountOf(amountMinor, currency),
        })),
      }
    : {};

const transactionJson = (
  payment: PaymentView,
  transaction: TransactionView,
  { withPluginInfo }: PaymentDetail,
): object => ({
  transactionId: transaction.transactionId,
  transactionExternalKey: transaction.externalKey,
  paymentId: payment.paymentId,
  paymentExternalKey: payment.externalKey,
  transactionType: transaction.transactionType,
  ...movementJson(payment, transaction),
  status: statuses[transaction.state],
  gatewayErrorCode: transaction.errorCode,
  gatewayErrorMsg: transaction.errorMessage,
  firstPaymentReferenceId: transaction.firstReference,
  secondPaymentReferenceId: transaction.secondReference,
  properties: withPluginInfo === 'true' ? [] : null,
  auditLogs: [],
});

const failed: ReadonlySet<TransactionState> = new Set(['PAYMENT_FAILURE', 'PLUGIN_FAILURE'] as const);

/** Kill Bill's PaymentAttempts: one for each transaction, and one more for a retry that is scheduled. */
const attemptsJson = (payment: PaymentView): readonly object[] => {
  const { transactions, retryAt, currency } = payment;
  const attempts = transactions
    .filter(({ transactionType }) => transactionType === 'PURCHASE')
    .map((transaction, index, all) => {
      const isRetried = index < all.length - 1 || retryAt !== null;
      const afterFailure = isRetried ? 'RETRIED' : 'ABORTED';
      const open = transaction.state === 'SUCCESS' ? 'SUCCESS' : 'INIT';
      const stateName = failed.has(transaction.state) ? afterFailure : open;
      return attemptJson(payment, transaction, { stateName, effectiveDate: transaction.requestedAt });
    });
  const last = transactions.at(-1);
  if (retryAt === null || last === undefined) return attempts;
  const scheduled = { ...last, transactionId: null, amountMinor: last.amountMinor, currency };
  return [...attempts, attemptJson(payment, scheduled, { stateName: 'SCHEDULED', effectiveDate: retryAt })];
};

type Tried = Pick<TransactionView, 'amountMinor' | 'pluginName' | 'transactionType'> & {
  readonly transactionId: string | null;
};

const attemptJson = (
  { accountId, externalKey, paymentMethodId, currency }: PaymentView,
  { transactionId, amountMinor, pluginName, transactionType }: Tried,
  { stateName, effectiveDate }: { readonly stateName: string; readonly effectiveDate: string },
): object => ({
  accountId,
  paymentMethodId,
  paymentExternalKey: externalKey,
  transactionId,
  transactionExternalKey: transactionId,
  transactionType,
  effectiveDate,
  stateName,
  amount: amountOf(amountMinor, currency),
  currency,
  pluginName,
  pluginProperties: [],
  auditLogs: [],
});
