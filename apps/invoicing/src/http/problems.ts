import { type ProblemException, killBillProblem } from '@billstream/http';
import type { AccountInvoicesRejection } from '@billstream/invoicing-domain';

const invoiceRefusal = (status: number, code: number, detail: string): ProblemException =>
  killBillProblem(status, code, 'InvoiceApiException', detail);

export const unknownAccount = (accountId: string): ProblemException =>
  killBillProblem(404, 3002, 'AccountApiException', `Account does not exist for id ${accountId}`);

export const unknownInvoice = (invoiceId: string): ProblemException =>
  invoiceRefusal(404, 4006, `No invoice could be found for id ${invoiceId}.`);

/** Kill Bill answers 400 here, not 404. */
export const unknownNumber = (invoiceNumber: string): ProblemException =>
  invoiceRefusal(400, 4018, `No invoice could be found for number ${invoiceNumber}.`);

export const unknownItem = (itemId: string): ProblemException =>
  invoiceRefusal(404, 4011, `No invoice item could be found for id ${itemId}.`);

export const unknownCredit = (creditId: string): ProblemException =>
  invoiceRefusal(404, 4008, `No credit could be found for id ${creditId}.`);

export const invalidValue = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalArgumentException', detail);

/** Filters that contradict each other. Kill Bill answers 500, which tells a client to repeat what can never succeed. */
export const contradiction = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalStateException', detail);

export const adjustmentNotPositive = (): ProblemException =>
  invoiceRefusal(400, 4010, 'amount: an adjustment must be more than zero');

export const wrongStatus = (invoiceId: string, status: string, wanted: string): ProblemException =>
  invoiceRefusal(400, 4023, `Invoice ${invoiceId} cannot become ${wanted}: its status is ${status}.`);

export const missingAmount = (code: 4009 | 4015, field: string): ProblemException =>
  invoiceRefusal(400, code, `${field}: an amount of zero or more is needed`);

export const wrongCurrency = (given: string, expected: string | null): ProblemException =>
  killBillProblem(
    400,
    3,
    'CurrencyException',
    `currency: ${given} is not the account's currency ${expected ?? '(none)'}`,
  );

export const invoiceProblem =
  (accountId: string) =>
  (rejection: AccountInvoicesRejection): ProblemException => {
    switch (rejection.code) {
      case 'account-unknown':
        return unknownAccount(accountId);
      case 'account-without-currency':
        return invalidValue(`account ${accountId} has no currency yet`);
      case 'target-date-too-far':
        return invoiceRefusal(
          400,
          4005,
          `The target date was too far in the future. Target Date: ${rejection.targetDate}`,
        );
      case 'invoice-unknown':
        return unknownInvoice(rejection.invoiceId);
      case 'item-unknown':
        return unknownItem(rejection.itemId);
      case 'invoice-not-draft':
        return rejection.status === 'COMMITTED'
          ? invoiceRefusal(400, 4024, `Invoice ${rejection.invoiceId} is already committed.`)
          : invoiceRefusal(400, 4031, `Invoice ${rejection.invoiceId} is void and cannot be changed.`);
      case 'invoice-voided':
        return invoiceRefusal(400, 4031, `Invoice ${rejection.invoiceId} is void and cannot be changed.`);
      case 'invoice-paid':
        return invoiceRefusal(400, 4028, `Invoice ${rejection.invoiceId} has payments and cannot be voided.`);
      case 'invoice-repaired':
        return invoiceRefusal(
          400,
          4032,
          `Invoice ${rejection.invoiceId} was repaired by a later one and cannot be voided.`,
        );
      case 'credit-used':
        return invoiceRefusal(400, 4033, `Credit of invoice ${rejection.invoiceId} was used, so it cannot be voided.`);
      case 'item-not-adjustable':
        return invoiceRefusal(400, 4021, `Invoice item ${rejection.itemId} is of a type that cannot be adjusted.`);
      case 'adjustment-not-positive':
        return adjustmentNotPositive();
      case 'adjustment-too-high':
        return invoiceRefusal(400, 4020, `amount: more than what is left of invoice item ${rejection.itemId}`);
      case 'nothing-to-adjust':
        return invoiceRefusal(404, 4011, `Nothing is left to adjust of invoice item ${rejection.itemId}.`);
      case 'credit-not-deletable':
        return invoiceRefusal(
          400,
          4030,
          `Invoice item ${rejection.itemId} is not credit that was given and can be deleted.`,
        );
      case 'amount-out-of-range':
        return invalidValue('amount: too large for the books');
    }
  };
