import { type ProblemException, killBillProblem } from '@billstream/http';
import type { AccountInvoicesRejection } from '@billstream/invoicing-domain';

export const unknownAccount = (accountId: string): ProblemException =>
  killBillProblem(404, 3002, 'AccountApiException', `Account does not exist for id ${accountId}`);

export const unknownInvoice = (invoiceId: string): ProblemException =>
  killBillProblem(404, 4006, 'InvoiceApiException', `No invoice could be found for id ${invoiceId}.`);

/** Kill Bill answers 400 here, not 404. */
export const unknownNumber = (invoiceNumber: string): ProblemException =>
  killBillProblem(400, 4018, 'InvoiceApiException', `No invoice could be found for number ${invoiceNumber}.`);

export const unknownItem = (itemId: string): ProblemException =>
  killBillProblem(404, 4011, 'InvoiceApiException', `No invoice item could be found for id ${itemId}.`);

export const invalidValue = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalArgumentException', detail);

/** Filters that contradict each other. Kill Bill answers 500, which tells a client to repeat what can never succeed. */
export const contradiction = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalStateException', detail);

export const invoiceProblem =
  (accountId: string) =>
  (rejection: AccountInvoicesRejection): ProblemException => {
    switch (rejection.code) {
      case 'account-unknown':
        return unknownAccount(accountId);
      case 'target-date-too-far':
        return killBillProblem(
          400,
          4005,
          'InvoiceApiException',
          `The target date was too far in the future. Target Date: ${rejection.targetDate}`,
        );
    }
  };
