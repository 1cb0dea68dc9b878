import type { IncomingHttpHeaders } from 'node:http';

/**
 * The minor version of Kill Bill that a client was written for, from `X-Killbill-Api-Version: 0.18` (a patch level may
 * follow). Without the header, or with one that says something else: as if it were the newest.
 */
export const apiMinorOf = (headers: IncomingHttpHeaders): number => {
  const [, minor] = /^0\.(\d{1,4})(\.\d{1,4})?$/.exec(String(headers['x-killbill-api-version'] ?? '')) ?? [];
  return minor === undefined ? Number.POSITIVE_INFINITY : Number(minor);
};
