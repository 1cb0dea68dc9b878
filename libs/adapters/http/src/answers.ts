import type { FastifyReply, FastifyRequest } from 'fastify';
import { headerOf } from './request-context';

/**
 * The absolute URL of a path on the public face, as X-Forwarded-Proto, -Host and -Port name it (else this request's own
 * host). Kill Bill's clients follow Location as it stands, so it is never relative.
 */
export const locationOf = (request: FastifyRequest, path: string): string => {
  const first = (name: string): string | undefined => headerOf(request, name)?.split(',')[0]?.trim();
  const protocol = first('x-forwarded-proto') ?? request.protocol;
  const host = first('x-forwarded-host') ?? request.host;
  const port = first('x-forwarded-port');
  const isDefault = port === undefined || port === (protocol === 'https' ? '443' : '80');
  return `${protocol}://${host}${isDefault || /:\d+$/.test(host) ? '' : `:${port}`}${path}`;
};

export type Page = {
  readonly offset: number;
  /** Kill Bill: a negative limit means descending order with |limit| rows. */
  readonly limit: number;
  /** Rows that match; null: too many to be counted. */
  readonly total: number | null;
  /** All rows, matching or not; null: too many to be counted; default: total. */
  readonly max?: number | null;
  /** This request's URI with its query; the next page is the same with another offset. */
  readonly uri: string;
};

/**
 * Kill Bill's pagination headers. A number that nobody has counted is absent, and there may always be a next page then;
 * otherwise those about a next page are absent on the last one.
 */
export const paginate = (reply: FastifyReply, { offset, limit, total, max = total, uri }: Page): void => {
  const next = offset + Math.abs(limit);
  void reply.headers({
    'X-Killbill-Pagination-CurrentOffset': String(offset),
    ...(total !== null && { 'X-Killbill-Pagination-TotalNbRecords': String(total) }),
    ...(max !== null && { 'X-Killbill-Pagination-MaxNbRecords': String(max) }),
  });
  if (total !== null && next >= total) return;
  void reply.headers({
    'X-Killbill-Pagination-NextOffset': String(next),
    'X-Killbill-Pagination-NextPageUri': withOffset(uri, next, limit),
  });
};

const withOffset = (uri: string, offset: number, limit: number): string => {
  const base = 'http://relative.invalid';
  const url = new URL(uri, base);
  url.searchParams.set('offset', String(offset));
  url.searchParams.set('limit', String(limit));
  return url.origin === base ? `${url.pathname}${url.search}` : url.href;
};
