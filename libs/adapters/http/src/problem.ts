import type { Handled } from '@billstream/event-sourcing';

/**
 * An answer that is not a success, before it is rendered. Under `/1.0/kb` and `/plugins` it becomes Kill Bill's error
 * body (className, code, message, …), elsewhere `application/problem+json` (RFC 9457) with `type` `urn:problem:<code>`.
 */
export type Problem = {
  readonly status: number;
  /** A word in kebab-case, e.g. `plan-unchanged`. */
  readonly code: string;
  /** One sentence for people, naming the offending field or id. */
  readonly detail: string;
  /** Field errors: RFC 6901 pointers into the body, or `query:name`, `header:name`. */
  readonly errors?: readonly FieldError[];
  /** Kill Bill's numeric code and exception class, where its clients look for one. */
  readonly killBill?: { readonly code: number | null; readonly className: string };
};

export type FieldError = { readonly pointer: string; readonly code: string; readonly message: string };

/** Thrown at the edge only (endpoints, guards); the domain returns rejections. */
export class ProblemException extends Error {
  override readonly name = 'ProblemException';
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

const words = (className: string): string =>
  (className.split('.').at(-1) ?? className)
    .replace(/(Api)?Exception$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase();

/**
 * A refusal as Kill Bill words it, e.g. `killBillProblem(404, 3002, 'AccountApiException', 'Account does not exist …')`.
 * A class name without a dot gets the package of Kill Bill 0.24's API exceptions; null is a plain runtime exception.
 */
export const killBillProblem = (
  status: number,
  code: number | null,
  className: string,
  detail: string,
): ProblemException => {
  const kind = code === null ? words(className) : `${words(className)}-${String(code)}`;
  return new ProblemException({ status, code: kind, detail, killBill: { code, className: qualified(className) } });
};

const packages: Readonly<Record<string, string>> = {
  Account: 'account.api',
  Block: 'entitlement.api',
  Catalog: 'catalog.api',
  CustomField: 'util.api',
  Entitlement: 'entitlement.api',
  Invoice: 'invoice.api',
  InvoicePayment: 'invoice.api',
  Overdue: 'overdue.api',
  Payment: 'payment.api',
  Security: 'security',
  Subscription: 'entitlement.api',
  SubscriptionBase: 'subscription.api.user',
  Tag: 'util.api',
  TagDefinition: 'util.api',
  Tenant: 'tenant.api',
  Usage: 'usage.api',
};

const qualified = (className: string): string => {
  if (className.includes('.')) return className;
  const folder = packages[className.replace(/ApiException$/, '')];
  return folder === undefined ? `java.lang.${className}` : `org.killbill.billing.${folder}.${className}`;
};

type Accepted<Event, State> = Extract<Handled<Event, State, never>, { outcome: 'accepted' }>;

/**
 * The accepted result of a command, or an exception that becomes the answer: the rejection as the caller words it, 412
 * for a stale If-Match, 422 for a command id (idempotency key) used before with another body.
 */
export const unwrap = <Event, State, Refusal>(
  handled: Handled<Event, State, Refusal>,
  problemOf: (rejection: Refusal) => Problem | ProblemException,
): Accepted<Event, State> => {
  switch (handled.outcome) {
    case 'accepted':
      return handled;
    case 'rejected': {
      const problem = problemOf(handled.rejection);
      throw problem instanceof ProblemException ? problem : new ProblemException(problem);
    }
    case 'revision-conflict':
      throw new ProblemException({
        status: 412,
        code: 'revision-conflict',
        detail: `If-Match names another revision; the current one is ${String(handled.revision)}`,
      });
    case 'command-id-reused':
      throw new ProblemException({
        status: 422,
        code: 'idempotency-key-reused',
        detail: 'This Idempotency-Key was used before with another body',
      });
  }
};
