/**
 * What a call of this client can end with. `invalid-record` and `invalid-option` name the field; `spool-full` and
 * `closed` say that nothing was kept; `spool-failed` says that the disk refused, and that the record may or may not be
 * sent: repeat it under the same id.
 */
export type ClientErrorCode =
  'invalid-option' | 'invalid-record' | 'directory-in-use' | 'spool-full' | 'spool-failed' | 'not-in-time' | 'closed';

export class MeteringClientError extends Error {
  override readonly name = 'MeteringClientError';

  constructor(
    readonly code: ClientErrorCode,
    message: string,
    /** The field or option that is meant, where one is. */
    readonly field: string | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
