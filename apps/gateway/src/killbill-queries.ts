type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type Query = { readonly name: string; readonly schema: Json; readonly description: string; readonly asked: RegExp };

/** `{}` in a form stands for a parameter of the path. */
const operations = (...forms: readonly string[]): RegExp =>
  new RegExp(`^(${forms.join('|').replaceAll('{}', String.raw`\{\}`)})$`);
const flag: Json = { type: 'boolean', default: false };
const texts: Json = { type: 'array', items: { type: 'string' } };

/** Calls that Kill Bill hands plugin properties on with (0.24), by method and path below `/1.0/kb`. */
const withProperties = operations(
  ...['POST', 'GET'].flatMap((verb) => [
    `${verb} /accounts/{}/(invoicePayments|paymentMethods|payments)`,
    `${verb} /invoicePayments/{}`,
  ]),
  'POST /accounts/payments',
  'POST /(accounts|bundles|subscriptions)/{}/block',
  'PUT /accounts/{}/paymentMethods/(refresh|{}/setDefault)',
  'GET /paymentMethods(/pagination|/search/{})?',
  '(GET|DELETE) /paymentMethods/{}',
  'POST /bundles/{}',
  'PUT /bundles/{}/(pause|resume)',
  'POST /subscriptions(/create\\w+)?',
  '(PUT|DELETE) /subscriptions/{}',
  'PUT /subscriptions/{}/(uncancel|undoChangePlan)',
  'POST /invoices(/dryRun|/group|/{})?',
  'POST /invoices/(charges|taxes)/{}',
  'POST /invoices/{}/payments',
  'POST /credits',
  'PUT /invoicePayments/{}',
  'POST /invoicePayments/{}/(chargebackReversals|chargebacks|refunds)',
  '(GET|POST|PUT|DELETE) /payments(/{})?',
  'POST /payments/({}/)?(chargebackReversals|chargebacks|refunds)',
  'GET /payments/(pagination|search/{})',
  'GET /paymentTransactions(/{})?',
  'GET /usages/{}(/{})?',
  'POST /paymentGateways/(hosted/form(/{})?|notification/{})',
);
const withControlPlugins = operations(
  'POST /accounts/payments',
  'POST /accounts/{}/(paymentMethods|payments)',
  'POST /invoices/{}/payments',
  'PUT /invoicePayments/{}',
  '(POST|PUT|DELETE) /payments(/{})?',
  'POST /payments/(combo|({}/)?(chargebackReversals|chargebacks|refunds))',
  'POST /paymentTransactions/{}',
  'POST /paymentGateways/(hosted/form(/{})?|notification/{})',
);
const makesSubscriptions = 'POST /subscriptions(/create\\w+)?';
const completes = operations(makesSubscriptions, '(PUT|DELETE) /subscriptions/{}');

/** Query parameters of Kill Bill's API that no service lists: the gateway acts on them, or they are taken and change nothing. */
const queries: readonly Query[] = [
  {
    ...{ name: 'pluginProperty', schema: texts, asked: withProperties },
    description: 'key=value, for the payment plugin; only adding a payment method reads any',
  },
  {
    ...{ name: 'controlPluginName', schema: texts, asked: withControlPlugins },
    description: 'Changes nothing: there are no control plugins',
  },
  {
    ...{ name: 'callCompletion', schema: flag, asked: completes },
    description: 'Answer when invoice and payment are through; 408 when that takes too long',
  },
  {
    ...{ name: 'callTimeoutSec', schema: { type: 'integer' }, asked: completes },
    description: 'How long callCompletion waits: 3, or 5 where a subscription is cancelled',
  },
  {
    ...{ name: 'skipResponse', schema: flag, asked: operations(makesSubscriptions) },
    description: 'Changes nothing: the Location is known without another look',
  },
  {
    ...{ name: 'accountId', schema: { type: 'string', format: 'uuid' } },
    asked: operations('GET /catalog(/availableAddons|/availableBasePlans|/versions|/xml)?'),
    description: 'Changes nothing: a tenant’s catalog is that of all its accounts',
  },
];

const kb = '/1.0/kb';

/** Paths with what Kill Bill's clients may ask besides. What a service lists itself stays as it says. */
export const withKillBillQueries = (paths: Json): Json =>
  Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [
      path,
      isObject(item) && path.startsWith(`${kb}/`)
        ? Object.fromEntries(
            Object.entries(item).map(([method, operation]) => [method, withQueries(operation, method, path)]),
          )
        : item,
    ]),
  );

const withQueries = (operation: unknown, method: string, path: string): unknown => {
  if (!isObject(operation)) return operation;
  const form = `${method.toUpperCase()} ${path.slice(kb.length).replace(/\{[^}]*\}/g, '{}')}`;
  const listed = Array.isArray(operation['parameters']) ? operation['parameters'].filter(isObject) : [];
  const more = queries
    .filter(
      ({ name, asked }) => asked.test(form) && !listed.some((one) => one['name'] === name && one['in'] === 'query'),
    )
    .map(({ name, schema, description }) => ({ name, in: 'query', required: false, description, schema }));
  return more.length === 0 ? operation : { ...operation, parameters: [...listed, ...more] };
};
