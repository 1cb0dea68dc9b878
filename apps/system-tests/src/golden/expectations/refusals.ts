import type { Step } from '../case-file';
import type { Refusal } from '../requests';

const codes: Readonly<Record<string, number>> = {
  SUB_INVALID_REQUESTED_DATE: 1001,
  CAT_NO_SUCH_PRODUCT: 2030,
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
