import type { IncomingMessage, ServerResponse } from 'node:http';

const shared = [
  'Authorization',
  'Content-Type',
  'Location',
  'X-Killbill-ApiKey',
  'X-Killbill-ApiSecret',
  'X-Killbill-Comment',
  'X-Killbill-CreatedBy',
  'X-Killbill-Pagination-CurrentOffset',
  'X-Killbill-Pagination-MaxNbRecords',
  'X-Killbill-Pagination-NextOffset',
  'X-Killbill-Pagination-NextPageUri',
  'X-Killbill-Pagination-TotalNbRecords',
  'X-Killbill-Reason',
];
/** Ours beside Kill Bill's. */
const own = ['Idempotency-Key', 'X-Killbill-Api-Version', 'X-Request-Id', 'Retry-After'];
const listed = [...shared, ...own].join(',');

/** Kill Bill's ResponseCorsFilter: any origin may ask, with credentials; every answer says so. */
export const allowOrigins = ({ headers }: IncomingMessage, response: ServerResponse): void => {
  const { origin } = headers;
  response.setHeader('Access-Control-Allow-Origin', origin === undefined || origin === '' ? '*' : origin);
  response.setHeader('Access-Control-Allow-Methods', 'GET, POST, DELETE, PUT, OPTIONS');
  response.setHeader('Access-Control-Allow-Headers', listed);
  response.setHeader('Access-Control-Expose-Headers', listed);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
  response.setHeader('Vary', 'Origin');
};
