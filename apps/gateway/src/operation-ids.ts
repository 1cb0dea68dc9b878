import { killBillOperations } from './killbill-operations';

const kb = '/1.0/kb';
const verbs: Readonly<Record<string, string>> = {
  get: 'get',
  head: 'head',
  post: 'create',
  put: 'update',
  patch: 'change',
  delete: 'delete',
};

/** Things that can be tagged, as Kill Bill names operations on their tags, custom fields and audit logs. */
const objects: Readonly<Record<string, string>> = {
  accounts: 'Account',
  bundles: 'Bundle',
  subscriptions: 'Subscription',
  invoices: 'Invoice',
  invoiceItems: 'InvoiceItem',
  payments: 'Payment',
  paymentMethods: 'PaymentMethod',
  invoicePayments: 'InvoicePayment',
  paymentTransactions: 'Transaction',
};
const ofObject = /^\/(\w+)\/\{\}\/(tags|customFields|auditLogsWithHistory)$/;

/** The name under which a client calls an operation: Kill Bill's where it has one, else one made of method and path. */
export const operationIdOf = (method: string, path: string): string => {
  const form = path.replace(/\{[^}]*\}/g, '{}');
  const below = form.startsWith(`${kb}/`) ? form.slice(kb.length) : null;
  const known = below === null ? undefined : killBillOperations.get(`${method.toUpperCase()} ${below}`);
  return known ?? (below === null ? null : objectOperation(method, below)) ?? descriptive(method, path);
};

const objectOperation = (method: string, below: string): string | null => {
  const [, collection = '', part = ''] = ofObject.exec(below) ?? [];
  const object = objects[collection];
  if (object === undefined) return null;
  return `${method === 'put' ? 'modify' : (verbs[method] ?? method)}${object}${capital(part)}`;
};

/** `GET /v1/usage/{unit}/records` is `getUsageRecordsByUnit`. */
const descriptive = (method: string, path: string): string => {
  const segments = path.split('/').filter((segment) => !['', '1.0', 'kb', 'v1'].includes(segment));
  const names = segments.filter((segment) => !segment.startsWith('{')).flatMap(words);
  const parameters = segments.filter((segment) => segment.startsWith('{')).flatMap(words);
  const by = parameters.length === 0 ? '' : `By${parameters.map(capital).join('')}`;
  return `${verbs[method] ?? method}${names.map(capital).join('')}${by}`;
};

const words = (segment: string): readonly string[] => segment.match(/[A-Za-z0-9]+/g) ?? [];
const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Paths with a name for each operation, each name once; Kill Bill's names are given first. */
export const withOperationIds = (paths: Json): Json => {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(isObject(item) ? item : {})
      .filter((method) => method in verbs)
      .map((method) => ({ path, method, name: operationIdOf(method, path) })),
  );
  const taken = new Map<string, number>();
  const named = new Map<string, string>();
  for (const { path, method, name } of operations) {
    const times = (taken.get(name) ?? 0) + 1;
    taken.set(name, times);
    named.set(`${method} ${path}`, times === 1 ? name : `${name}${times}`);
  }
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [path, isObject(item) ? withNames(item, path, named) : item]),
  );
};

const withNames = (item: Json, path: string, named: ReadonlyMap<string, string>): Json =>
  Object.fromEntries(
    Object.entries(item).map(([method, operation]) => {
      const operationId = named.get(`${method} ${path}`);
      return [method, isObject(operation) && operationId !== undefined ? { ...operation, operationId } : operation];
    }),
  );
