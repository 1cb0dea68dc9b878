import type { Answer } from '../../../tools/day/client';

/** What the guide sends with every request to the API. */
export const guideHeaders = {
  accept: 'application/json',
  Authorization: `Basic ${Buffer.from('admin:password').toString('base64')}`,
  'X-Killbill-ApiKey': 'admin',
  'X-Killbill-ApiSecret': 'password',
};

/** As curl sends it: these headers and no others. */
export const curl = async (
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body?: string,
): Promise<Answer> => {
  const response = await fetch(url, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
};
