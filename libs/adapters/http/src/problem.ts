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
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
  /** Kill Bill's numeric code and exception class, where its clients look for one. */
  readonly killBill?: { readonly code: number | null; readonly className: string };
};

/** Thrown at the edge only (endpoints, guards); the domain returns rejections. */
export class ProblemException extends Error {
  override readonly name = 'ProblemException';
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}
