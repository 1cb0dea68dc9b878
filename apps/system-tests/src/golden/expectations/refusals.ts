import type { Step } from '../case-file';
import type { Refusal } from '../requests';

const codes: Readonly<Record<string, number>> = {
  SUB_INVALID_REQUESTED_DATE: 1001,
  SUB_CREATE_BAD_PHASE: 1011,
  SUB_CREATE_NO_BP: 1013,
  SUB_CREATE_ACTIVE_BUNDLE_KEY_EXISTS: 1014,
  SUB_CREATE_BP_EXISTS: 1015,
  SUB_CREATE_AO_BP_NON_ACTIVE: 1017,
  SUB_CREATE_AO_ALREADY_INCLUDED: 1018,
  SUB_CREATE_AO_NOT_AVAILABLE: 1019,
  SUB_CREATE_INVALID_ENTITLEMENT_SPECIFIER: 1020,
  SUB_CHANGE_NON_ACTIVE: 1021,
  SUB_CHANGE_FUTURE_CANCELLED: 1022,
  SUB_CHANGE_INVALID: 1023,
  SUB_CHANGE_FUTURE_EXPIRED: 1026,
  SUB_CANCEL_BAD_STATE: 1031,
  SUB_UNCANCEL_BAD_STATE: 1070,
  SUB_UNDO_CHANGE_BAD_STATE: 1071,
  CAT_ILLEGAL_CHANGE_REQUEST: 2001,
  CAT_MULTIPLE_MATCHING_PLANS_FOR_PRICELIST: 2002,
  CAT_NO_PRICE_FOR_CURRENCY: 2010,
  CAT_PRICE_LIST_NOT_FOUND: 2013,
  CAT_PLAN_NOT_FOUND: 2020,
  CAT_NO_SUCH_PLAN: 2021,
  CAT_NO_SUCH_PRODUCT: 2030,
  INVOICE_ALREADY_COMMITTED: 4024,
  BLOCK_BLOCKED_ACTION: 6000,
  ENT_ALREADY_BLOCKED: 8002,
  ENT_UNCANCEL_NOT_CANCELLED: 8004,
};

/** Answers that speak of the login, the route or the server, not of billing. 502 to 504 are the word of a gateway. */
const besideThePoint = (status: number): boolean => [401, 403, 405, 500, 501].includes(status);

/** Null when the refusal (or the lack of one) is the expected one, else what is wrong with it. */
export const refusalDiffers = ({ action, expect }: Step, refusal: Refusal | null): string | null => {
  const expected = expect?.error;
  if (expected === undefined) return refusal?.message ?? null;
  if (refusal === null)
    return expect?.errorTolerant === true ? null : `was taken, and ${expected} should have been the answer`;
  return isThat(expected, action, refusal) ? null : `${expected} expected, but ${refusal.message}`;
};

const isThat = (expected: string, action: string, refusal: Refusal): boolean => {
  const { status, text } = refusal.answer;
  if (expected === 'INVOICE_NOTHING_TO_DO')
    // Nothing to say: no content for a preview, not found without a word for a run.
    return text === '' && (status === 404 || (status === 204 && action === 'dryRunInvoice'));
  if (besideThePoint(status)) return false;
  if (expected === 'ANY') return true;
  if (expected === 'BLOCKED') return status !== 404;
  // Only one of the two keys can be repeated over REST, so the number may be another one.
  if (expected === 'PAYMENT_ACTIVE_TRANSACTION_KEY_EXISTS') return true;
  const code = codes[expected];
  if (code === undefined) throw new Error(`no number is known for ${expected}`);
  return refusal.code === code;
};
