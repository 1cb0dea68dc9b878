import type { ContextName } from '@billstream/service-runtime';
import type { IncomingHttpHeaders } from 'node:http';
import { pathOf, queryOf } from './answers';
import type { Exchange, InnerAnswer, Upstreams } from './dispatch';

/** A field of the answer: which service gives it, and under which path of the account. */
type Part = { readonly field: string; readonly of: ContextName; readonly under: string };

const timelinePath = /^\/1\.0\/kb\/accounts\/(\w+(?:-\w+){4})\/timeline$/;

/** Kill Bill's AccountTimeline: what four contexts say of one account, side by side (ADR 0015). */
const timeline: readonly Part[] = [
  { field: 'account', of: 'accounts', under: '' },
  { field: 'bundles', of: 'subscriptions', under: '/bundles' },
  { field: 'invoices', of: 'invoicing', under: '/invoices?includeInvoiceComponents=true' },
  { field: 'payments', of: 'payments', under: '/invoicePayments' },
];

/** The account whose timeline is asked for; null when something else is. */
export const timelineAccountOf = ({ request }: Exchange): string | null =>
  request.method === 'GET' ? (timelinePath.exec(pathOf(request))?.[1] ?? null) : null;

const withAudit = (path: string, audit: string | null): string =>
  audit === null ? path : `${path}${path.includes('?') ? '&' : '?'}audit=${encodeURIComponent(audit)}`;

/** All parts at once; the first refusal among them is the answer, else each answer's body is a field as it stands. */
export const answerTimeline = async (
  upstreams: Upstreams,
  { request, response }: Exchange,
  headers: IncomingHttpHeaders,
  accountId: string,
): Promise<void> => {
  const audit = queryOf(request).get('audit');
  const answers = await Promise.all(
    timeline.map(async ({ field, of, under }): Promise<{ readonly field: string; readonly answer: InnerAnswer }> => {
      const path = withAudit(`/1.0/kb/accounts/${accountId}${under}`, audit);
      return { field, answer: await upstreams[of].call({ method: 'GET', path, headers }) };
    }),
  );
  const refused = answers.find(({ answer }) => answer.status !== 200)?.answer;
  if (refused !== undefined) {
    response.writeHead(refused.status, refused.headers).end(refused.body);
    return;
  }
  const fields = answers.map(({ field, answer }) => `${JSON.stringify(field)}:${answer.body.toString('utf8')}`);
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(`{${fields.join(',')}}`);
};
