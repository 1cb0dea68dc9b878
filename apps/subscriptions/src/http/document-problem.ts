import { ProblemException } from '@billstream/http';
import type { CatalogError } from '@billstream/subscriptions-domain';

const shownMax = 5;

/** Everything that is wrong with a document, by the path of each part. */
export const invalidDocument = (
  code: 'invalid-catalog' | 'invalid-billing-rules',
  errors: readonly CatalogError[],
): ProblemException =>
  new ProblemException({
    status: 400,
    code,
    detail: errors
      .slice(0, shownMax)
      .map(({ pointer, message }) => `${pointer}: ${message}`)
      .join('; '),
    errors: errors.map(({ pointer, message }) => ({ pointer, code, message })),
  });
