import { type ProblemException, killBillProblem } from '@billstream/http';
import type { BundleRejection, CatalogRejection } from '@billstream/subscriptions-domain';

type Answer = readonly [status: number, code: number | null, className: string];

/**
 * Kill Bill's numbers (its ErrorCode) and the status that its exception mappers give them, except that 1031 and 1070 are
 * 400 here and not 500: they are refusals, and a client that repeats server errors would repeat them for ever.
 */
const answers: { readonly [Code in BundleRejection['code']]: Answer } = {
  'bundle-unknown': [404, 1081, 'SubscriptionApiException'],
  'subscription-unknown': [404, 1082, 'SubscriptionApiException'],
  'bundle-of-another-account': [404, 1081, 'SubscriptionApiException'],
  'bundle-live': [400, 1014, 'EntitlementApiException'],
  'no-catalog': [400, 2050, 'CatalogApiException'],
  'plan-unknown': [400, 2021, 'CatalogApiException'],
  'product-unknown': [400, 2030, 'CatalogApiException'],
  'price-list-unknown': [400, 2013, 'CatalogApiException'],
  'no-plan-matches': [400, 2020, 'CatalogApiException'],
  'several-plans-match': [400, 2002, 'CatalogApiException'],
  'no-price-in-currency': [400, 2010, 'CatalogApiException'],
  'price-override-invalid': [400, 2081, 'CatalogApiException'],
  'phase-not-in-plan': [400, 1011, 'EntitlementApiException'],
  'base-missing': [400, 1013, 'EntitlementApiException'],
  'base-exists': [400, 1015, 'EntitlementApiException'],
  'base-not-active': [400, 1017, 'EntitlementApiException'],
  'add-on-included': [400, 1018, 'EntitlementApiException'],
  'add-on-not-available': [400, 1019, 'EntitlementApiException'],
  'add-on-limit-reached': [400, 1025, 'EntitlementApiException'],
  'categories-mixed': [400, 1020, 'EntitlementApiException'],
  'change-not-active': [400, 1021, 'EntitlementApiException'],
  'change-pending-cancellation': [400, 1022, 'EntitlementApiException'],
  'change-pending-expiry': [400, 1026, 'EntitlementApiException'],
  'change-of-category': [400, 1023, 'EntitlementApiException'],
  'change-illegal': [400, 2001, 'CatalogApiException'],
  'alignment-not-supported': [400, 2001, 'CatalogApiException'],
  'amount-too-large': [400, null, 'IllegalArgumentException'],
  'requested-date-invalid': [400, 1001, 'EntitlementApiException'],
  'nothing-to-transfer': [404, 1084, 'SubscriptionApiException'],
  'cancel-bad-state': [400, 1031, 'EntitlementApiException'],
  'no-cancellation-pending': [400, 8004, 'EntitlementApiException'],
  'billing-already-cancelled': [400, 1070, 'EntitlementApiException'],
  'no-change-pending': [400, 1071, 'EntitlementApiException'],
  'change-blocked': [400, 6000, 'BlockingApiException'],
  'policy-illegal': [400, null, 'IllegalArgumentException'],
};

export const bundleProblem = ({ code, detail }: Pick<BundleRejection, 'code' | 'detail'>): ProblemException =>
  killBillProblem(...answers[code], detail);

export const catalogProblem = (rejection: CatalogRejection): ProblemException =>
  killBillProblem(400, rejection.code === 'simple-plan-invalid' ? 2060 : 2080, 'CatalogApiException', rejection.detail);

/** A value in a request that cannot be: Kill Bill answers an IllegalArgumentException, 400. */
export const invalidValue = (detail: string): ProblemException =>
  killBillProblem(400, null, 'IllegalArgumentException', detail);

export const unknownAccount = (accountId: string): ProblemException =>
  killBillProblem(404, 3002, 'AccountApiException', `Account does not exist for id ${accountId}`);

export const unknownSubscription = (subscriptionId: string): ProblemException =>
  killBillProblem(404, 1082, 'SubscriptionApiException', `Could not find subscription id ${subscriptionId}`);

export const unknownSubscriptionKey = (key: string): ProblemException =>
  killBillProblem(404, 1083, 'SubscriptionApiException', `Could not find subscription for external key ${key}`);

export const unknownBundle = (bundleId: string): ProblemException =>
  killBillProblem(404, 1081, 'SubscriptionApiException', `Could not find a bundle with id ${bundleId}`);

export const unknownBundleKey = (key: string): ProblemException =>
  killBillProblem(404, 1084, 'SubscriptionApiException', `Could not find a bundle for external key ${key}`);

/** A service or state name that belongs to the platform. */
export const reservedState = (detail: string): ProblemException =>
  killBillProblem(400, 1107, 'SubscriptionApiException', detail);

export const takenBundleKey = (key: string): ProblemException =>
  killBillProblem(400, 1014, 'EntitlementApiException', `An active bundle with the external key ${key} exists already`);

export const takenSubscriptionKey = (key: string): ProblemException =>
  killBillProblem(409, null, 'EntitlementApiException', `A subscription with the external key ${key} exists already`);

export const keyTooLong = (field: string): ProblemException =>
  killBillProblem(400, 5, 'EntitlementApiException', `${field} has more than 255 characters`);
