import { type ProblemException, killBillProblem } from '@billstream/http';
import type { InvoicePaymentsRejection, PayerAccountRejection } from '@billstream/payments-domain';

/** A value in a request that cannot be: Kill Bill answers an IllegalArgumentException, 400. */
export const invalidValue = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalArgumentException', detail);

export const unknownAccount = (accountId: string): ProblemException =>
  killBillProblem(404, 3002, 'AccountApiException', `Account does not exist for id ${accountId}`);

export const unknownMethod = (paymentMethodId: string): ProblemException =>
  killBillProblem(404, 7000, 'PaymentApiException', `Payment method ${paymentMethodId} does not exist`);

export const unknownPayment = (paymentId: string): ProblemException =>
  killBillProblem(404, 7020, 'PaymentApiException', `Payment ${paymentId} does not exist`);

export const unknownInvoice = (invoiceId: string): ProblemException =>
  killBillProblem(404, 4006, 'InvoiceApiException', `No invoice could be found for id ${invoiceId}`);

export const unknownPlugin = (pluginName: string): ProblemException =>
  killBillProblem(400, 7028, 'PaymentApiException', `Payment plugin ${pluginName} is not registered`);

/** `name`: the field that carries the key. Kill Bill's PAYMENT_ACTIVE_TRANSACTION_KEY_EXISTS. */
export const keyTaken = (name: string, key: string): ProblemException =>
  killBillProblem(400, 7030, 'PaymentApiException', `${name}: ${key} is the key of another payment`);

export const payerProblem =
  (accountId: string) =>
  (rejection: PayerAccountRejection): ProblemException => {
    switch (rejection.code) {
      case 'account-unknown':
        return unknownAccount(accountId);
      case 'method-unknown':
        return unknownMethod(rejection.paymentMethodId);
      case 'method-is-default':
        return killBillProblem(
          400,
          7022,
          'PaymentApiException',
          `Payment method ${rejection.paymentMethodId} is the default: add forceDefaultPmDeletion=true to delete it`,
        );
      case 'external-key-taken':
        return killBillProblem(
          400,
          7023,
          'PaymentApiException',
          `externalKey: a payment method with key ${rejection.externalKey} exists`,
        );
    }
  };

export const paymentProblem =
  (invoiceId: string) =>
  (rejection: InvoicePaymentsRejection): ProblemException => {
    switch (rejection.code) {
      case 'invoice-unknown':
        return unknownInvoice(invoiceId);
      case 'nothing-owed':
        return killBillProblem(400, 7199, 'PaymentApiException', `Invoice ${invoiceId} has nothing left to pay`);
      case 'keys-of-another-payment':
        return killBillProblem(
          ...([400, 7030, 'PaymentApiException'] as const),
          `paymentExternalKey, transactionExternalKey: invoice ${invoiceId} was paid with another payment meanwhile`,
        );
      case 'payment-under-way':
        return killBillProblem(
          409,
          7199,
          'PaymentApiException',
          `Invoice ${invoiceId} has a payment under way: ${rejection.transactionId}`,
        );
      case 'no-method':
        return killBillProblem(404, 7021, 'PaymentApiException', 'The account has no default payment method');
      case 'no-retry-planned':
        return killBillProblem(400, 7032, 'PaymentApiException', `Invoice ${invoiceId} has no payment to be retried`);
      case 'amount-above-balance':
        return killBillProblem(
          400,
          7199,
          'PaymentApiException',
          `The amount is not positive or above what invoice ${invoiceId} still asks for`,
        );
    }
  };
