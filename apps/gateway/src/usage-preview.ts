import type { IncomingHttpHeaders } from 'node:http';
import { pathOf } from './answers';
import { wholeBodyOf, withoutLength } from './completed-request';
import type { Exchange, Upstreams } from './dispatch';

const previews: Readonly<Record<string, RegExp>> = {
  GET: /^\/v1\/usage\/backfills\/[^/]+\/preview\/?$/,
  POST: /^\/v1\/usage\/corrections\/preview\/?$/,
};

/** Whether somebody asks what a change of usage would do: metering knows the quantities, invoicing what they are charged. */
export const asksForUsagePreview = ({ request }: Exchange): boolean =>
  previews[request.method ?? '']?.test(pathOf(request)) ?? false;

/** What metering says: the answer as far as it knows it, and what invoicing needs to say the rest. */
type Told = { readonly answer: object; readonly changed: readonly object[] };

/** Metering's preview with the money that invoicing says beside it; the first refusal is the answer. */
export const answerUsagePreview = async (
  upstreams: Upstreams,
  { request, response }: Exchange,
  headers: IncomingHttpHeaders,
): Promise<void> => {
  const rewritten = withoutLength(headers, request.method);
  const inner = (request.url ?? '').replace(/^\/v1\//, '/v1/internal/');
  const told = await upstreams.metering.call(
    request.method === 'POST'
      ? { method: 'POST', path: inner, headers: rewritten, body: await wholeBodyOf(request) }
      : { method: 'GET', path: inner, headers },
  );
  if (told.status !== 200) {
    response.writeHead(told.status, told.headers).end(told.body);
    return;
  }
  const { answer, changed } = JSON.parse(told.body.toString('utf8')) as Told;
  const priced = await upstreams.invoicing.call({
    ...{ method: 'POST', path: '/1.0/kb/internal/invoices/usageChanges' },
    // Kill Bill's paths ask who changes something; here nothing is changed, and nobody has to say so under `/v1`.
    headers: { ...rewritten, 'content-type': 'application/json', 'x-killbill-createdby': 'reader' },
    body: JSON.stringify({ changed }),
  });
  if (priced.status !== 200) {
    response.writeHead(priced.status, priced.headers).end(priced.body);
    return;
  }
  const money = JSON.parse(priced.body.toString('utf8')) as object;
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
    .end(JSON.stringify({ ...answer, ...money }));
};
