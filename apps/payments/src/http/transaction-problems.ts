import { type ProblemException, killBillProblem } from '@billstream/http';
import type { PaymentRejection } from '@billstream/payments-domain';
import type { TransactionView } from '@billstream/payments-read-models';
import { invalidValue, unknownPayment } from './problems';

const refused = (code: number, detail: string): ProblemException =>
  killBillProblem(400, code, 'PaymentApiException', detail);

/** Codes of Kill Bill's payment errors; 4901 and 4906 are those of its invoices. */
export const transactionProblem =
  (paymentId: string) =>
  (rejection: PaymentRejection): ProblemException => {
    switch (rejection.code) {
      case 'payment-unknown':
        return unknownPayment(paymentId);
      case 'transaction-unknown':
        return unknownTransaction(rejection.transactionId);
      case 'chargeback-unknown':
        return refused(7032, `Payment ${paymentId} has no chargeback that could be reversed`);
      case 'transaction-key-exists':
        return refused(7030, `transactionExternalKey: ${rejection.externalKey} is the key of another transaction`);
      case 'transaction-under-way':
        return killBillProblem(
          ...([409, 7032, 'PaymentApiException'] as const),
          `Payment ${paymentId} has a transaction under way: ${rejection.transactionId}`,
        );
      case 'currency-differs':
        return invalidValue(`currency: the payment is in ${rejection.currency}`);
      case 'operation-not-allowed':
        return refused(
          7032,
          `Payment ${paymentId} cannot have a ${rejection.transactionType} after ${rejection.after}`,
        );
      case 'account-differs':
        return refused(7034, `Payment ${paymentId} is another account's: ${rejection.accountId}`);
      case 'amount-missing':
        return invalidValue('amount must be given');
      case 'item-unknown':
        return killBillProblem(
          ...([404, 4011, 'InvoiceApiException'] as const),
          `adjustments: the payment's invoice has no item ${rejection.invoiceItemId}`,
        );
      case 'adjustment-too-high':
        return killBillProblem(
          ...([400, 4020, 'InvoiceApiException'] as const),
          `adjustments: ${rejection.leftMinor} is left of item ${rejection.invoiceItemId}, in minor units`,
        );
      case 'amount-too-high':
        return tooHigh(rejection);
    }
  };

const tooHigh = ({
  transactionType,
  availableMinor,
}: Extract<PaymentRejection, { readonly code: 'amount-too-high' }>): ProblemException => {
  const detail = `amount must be positive and not above what is left, ${availableMinor} in minor units`;
  if (transactionType === 'REFUND') return killBillProblem(400, 4906, 'InvoicePaymentApiException', detail);
  if (transactionType === 'CHARGEBACK') return killBillProblem(400, 4901, 'InvoicePaymentApiException', detail);
  return refused(7032, detail);
};

export const unknownTransaction = (transactionId: string): ProblemException =>
  killBillProblem(404, 7024, 'PaymentApiException', `Payment transaction ${transactionId} does not exist`);

type MadeTransaction = Pick<TransactionView, 'transactionId' | 'transactionType' | 'state'>;

/** What Kill Bill answers when a transaction was made and did not succeed; null: it did, or still may. */
export const failureOf = ({ state, transactionId, transactionType }: MadeTransaction): ProblemException | null => {
  const said = (status: number, code: number | null, what: string): ProblemException =>
    killBillProblem(status, code, 'PaymentApiException', `${transactionType} ${transactionId} ${what}`);
  switch (state) {
    case 'SUCCESS':
    case 'PENDING':
      return null;
    case 'PAYMENT_FAILURE':
      return said(402, null, 'was declined by the gateway');
    case 'PLUGIN_FAILURE':
      return said(502, null, 'was not executed by the gateway');
    case 'UNKNOWN':
      return said(503, null, 'was sent, and what came of it is not known yet');
    case 'ABORTED':
      return said(422, 7106, 'was given up before it was sent');
    case 'REQUESTED':
    case 'DISPATCHED':
      return said(504, 7100, 'has not been answered in time');
  }
};
