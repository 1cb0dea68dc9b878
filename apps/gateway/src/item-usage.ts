import { ProblemException } from '@billstream/http';
import type { IncomingHttpHeaders } from 'node:http';
import { pathOf, queryOf } from './answers';
import type { Exchange, InnerAnswer, Upstreams } from './dispatch';

const path = /^\/v1\/invoices\/[^/]+\/items\/[^/]+\/usage\/?$/;

/** Whether the lineage of an invoice item's usage is asked for: invoicing knows the item, metering what is behind it. */
export const asksForItemUsage = ({ request }: Exchange): boolean =>
  request.method === 'GET' && path.test(pathOf(request));

type Told = {
  readonly subscriptionId: string;
  readonly usages: readonly (Readonly<Record<string, string>> & { readonly unit: string })[];
};

/** Each quantity of the item with what it was made of; `unit` narrows it to one, which a `cursor` needs where there are several. */
export const answerItemUsage = async (
  upstreams: Upstreams,
  { request, response }: Exchange,
  headers: IncomingHttpHeaders,
): Promise<void> => {
  const query = queryOf(request);
  const item = await upstreams.invoicing.call({ method: 'GET', path: pathOf(request), headers });
  if (item.status !== 200) {
    response.writeHead(item.status, item.headers).end(item.body);
    return;
  }
  const { usages, ...about } = JSON.parse(item.body.toString('utf8')) as Told;
  const unit = query.get('unit');
  const asked = usages.filter((usage) => unit === null || usage.unit === unit);
  // A place among the records of one unit says nothing of another's.
  if (asked.length > 1 && query.has('cursor')) throw withoutUnit();
  const parts: InnerAnswer[] = [];
  for (const one of asked) {
    const names = new URLSearchParams({ subscriptionId: about.subscriptionId, ...one });
    for (const name of ['limit', 'cursor']) {
      const value = query.get(name);
      if (value !== null) names.set(name, value);
    }
    const part = await upstreams.metering.call({ method: 'GET', path: `/v1/usage/billed?${String(names)}`, headers });
    if (part.status !== 200) {
      response.writeHead(part.status, part.headers).end(part.body);
      return;
    }
    parts.push(part);
  }
  const beginning = JSON.stringify(about).slice(0, -1);
  const bodies = parts.map(({ body }) => body.toString('utf8'));
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
    .end(`${beginning},"usages":[${bodies.join(',')}]}`);
};

const withoutUnit = (): ProblemException => {
  const [pointer, message] = ['query:unit', 'says whose records the cursor is of, where an item charges several units'];
  return new ProblemException({
    status: 400,
    code: 'invalid-request',
    detail: `${pointer}: ${message}`,
    errors: [{ pointer, code: 'required', message }],
  });
};
