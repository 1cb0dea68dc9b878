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

const voidedInvoice = (invoiceId: string): ProblemException =>
  invoiceRefusal(400, 4031, `Invoice ${invoiceId} is void and cannot be changed.`);

const named = (kind: string, locale: string | null): string =>
  [kind.toLowerCase().replaceAll('_', ' '), ...(locale === null ? [] : [`for ${locale}`])].join(' ');

export const unknownText = (kind: string, locale: string | null): ProblemException =>
  killBillProblem(404, null, 'IllegalArgumentException', `There is no ${named(kind, locale)}`);

export const textExists = (kind: string, locale: string | null): ProblemException =>
  invalidValue(`There is a ${named(kind, locale)} already; deleteIfExists=true replaces it`);

export const missingAmount = (code: 4009 | 4015, field: string): ProblemException =>
  invoiceRefusal(400, code, `${field}: an amount of zero or more is needed`);

export const wrongCurrency = (given: string, expected: string | null): ProblemException =>
  killBillProblem(
    400,
    3,
    'CurrencyException',
    `currency: ${given} is not the account's currency ${expected ?? '(none)'}`,
  );

type Refused<Code extends AccountInvoicesRejection['code']> = Extract<
  AccountInvoicesRejection,
  { readonly code: Code }
>;

const refusals: {
  readonly [Code in AccountInvoicesRejection['code']]: (refused: Refused<Code>, accountId: string) => ProblemException;
} = {
  'account-unknown': (_, accountId) => unknownAccount(accountId),
  'account-without-currency': (_, accountId) => invalidValue(`account ${accountId} has no currency yet`),
  'target-date-too-far': ({ targetDate }) =>
    invoiceRefusal(400, 4005, `The target date was too far in the future. Target Date: ${targetDate}`),
  'invoice-unknown': ({ invoiceId }) => unknownInvoice(invoiceId),
  'item-unknown': ({ itemId }) => unknownItem(itemId),
  'invoice-not-draft': ({ invoiceId, status }) =>
    status === 'COMMITTED'
      ? invoiceRefusal(400, 4024, `Invoice ${invoiceId} is already committed.`)
      : voidedInvoice(invoiceId),
  'invoice-voided': ({ invoiceId }) => voidedInvoice(invoiceId),
  'invoice-paid': ({ invoiceId }) =>
    invoiceRefusal(400, 4028, `Invoice ${invoiceId} has payments and cannot be voided.`),
  'invoice-repaired': ({ invoiceId }) =>
    invoiceRefusal(400, 4032, `Invoice ${invoiceId} was repaired by a later one and cannot be voided.`),
  'credit-used': ({ invoiceId }) =>
    invoiceRefusal(400, 4033, `Credit of invoice ${invoiceId} was used, so it cannot be voided.`),
  'item-not-adjustable': ({ itemId }) =>
    invoiceRefusal(400, 4021, `Invoice item ${itemId} is of a type that cannot be adjusted.`),
  'adjustment-not-positive': adjustmentNotPositive,
  'adjustment-too-high': ({ itemId }) =>
    invoiceRefusal(400, 4020, `amount: more than what is left of invoice item ${itemId}`),
  'nothing-to-adjust': ({ itemId }) =>
    invoiceRefusal(404, 4011, `Nothing is left to adjust of invoice item ${itemId}.`),
  'credit-not-deletable': ({ itemId }) =>
    invoiceRefusal(400, 4030, `Invoice item ${itemId} is not credit that was given and can be deleted.`),
  'account-without-parent': ({ accountId }) =>
    killBillProblem(400, 3009, 'AccountApiException', `Account ${accountId} does not have a parent account`),
  'no-credit-to-transfer': ({ accountId }) =>
    invoiceRefusal(400, 4027, `Account ${accountId} has no credit that could be moved.`),
  'amount-out-of-range': () => invalidValue('amount: too large for the books'),
};

export const invoiceProblem =
  (accountId: string) =>
  (rejection: AccountInvoicesRejection): ProblemException =>
    (refusals[rejection.code] as (refused: AccountInvoicesRejection, accountId: string) => ProblemException)(
      rejection,
      accountId,
    );
