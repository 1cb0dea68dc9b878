import type { ContextName } from '@billstream/service-runtime';

type Route = { readonly path: RegExp; readonly to: ContextName };

const kb = String.raw`^/1\.0/kb`;
const ofAccount = String.raw`${kb}/accounts/\w+(-\w+){4}`;
const tagged =
  'accounts|bundles|subscriptions|invoices|invoiceItems|payments|paymentMethods|invoicePayments|paymentTransactions';
const route = (path: string, to: ContextName): Route => ({ path: new RegExp(`${path}(/|$)`), to });

/** Which service answers a path; the first that matches. More special paths stand above more general ones. */
export const routes: readonly Route[] = [
  // Tags and custom fields of whatever object are accounts' to keep.
  route(`${kb}/(${tagged})/[^/]+/(tags|customFields)`, 'accounts'),
  route(`${kb}/accounts/payments`, 'payments'),
  route(`${ofAccount}/(bundles|block)`, 'subscriptions'),
  route(`${ofAccount}/(paymentMethods|payments|invoicePayments)`, 'payments'),
  route(`${ofAccount}/(invoices|timeline|cbaRebalancing|transferCredit|overdue)`, 'invoicing'),
  route(
    `${kb}/(accounts|tenants|tagDefinitions|tags|customFields|security|nodesInfo|pluginsInfo|admin/invoices)`,
    'accounts',
  ),
  route(`${kb}/(subscriptions|bundles|catalog)`, 'subscriptions'),
  route(`${kb}/invoices/[^/]+/payments`, 'payments'),
  route(`${kb}/(invoices|invoiceItems|credits|overdue)`, 'invoicing'),
  route(
    `${kb}/(paymentMethods|payments|invoicePayments|paymentTransactions|paymentGateways|admin/payments)`,
    'payments',
  ),
  route(`${kb}/usages`, 'metering'),
  route('^/plugins', 'payments'),
  route('^(/meter)?/kb/catalog', 'subscriptions'),
  route('^/meter', 'metering'),
  route('^/v1/accounts/[^/]+/(invoices|credits)', 'invoicing'),
  route('^/v1/(accounts|tenants)', 'accounts'),
  route('^/v1/(subscriptions|catalog|billing-rules)', 'subscriptions'),
  route('^/v1/(invoices|credits)', 'invoicing'),
  route('^/v1/(payments|payment-methods)', 'payments'),
  route('^/v1/(usage|meter|units|lineage|users|limits)', 'metering'),
];

/** The service for a path without its query, or null when nobody answers it. Inner paths are nobody's from outside. */
export const serviceFor = (path: string): ContextName | null => routes.find((one) => one.path.test(path))?.to ?? null;

export type RouteClass = 'read' | 'write' | 'ingest';

/** What kind of work a request asks for, for limits. */
export const classOf = (method: string, path: string): RouteClass => {
  if (method === 'GET' || method === 'HEAD') return 'read';
  return /^\/(meter\/record|v1\/usage|1\.0\/kb\/usages)(\/|$)/.test(path) ? 'ingest' : 'write';
};
