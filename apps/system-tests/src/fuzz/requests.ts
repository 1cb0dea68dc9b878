import fc from 'fast-check';
import { type OpenApi, type Operation, type Route, type Schema, routesOf, schemaNamed } from './description';
import type { Right } from './known';
import { anything, scalar, spoilt, text } from './values';

export type Request = {
  readonly method: string;
  /** The path with its parameters unfilled. */
  readonly template: string;
  readonly path: string;
  readonly type: string;
  readonly body: string | null;
};

export type Senseless = {
  readonly document: OpenApi;
  readonly right: Right;
  /** Right documents for the places that take XML. */
  readonly xml: readonly string[];
};

/** A plan is named or described, not both; a user may not be changed in what was fixed. */
const leftOut: ReadonlySet<string> = new Set([
  ...['productName', 'productCategory', 'billingPeriod', 'priceList', 'timeZone', 'referenceTime'],
  ...[
    'billCycleDayLocal',
    'quantity',
    'bundleId',
    'externalKey',
    'phaseType',
    'transactionExternalKey',
    'parentAccountId',
    'externalPayment',
  ],
]);

const knownTexts = ({ right }: Senseless): readonly string[] =>
  Object.values(right)
    .flat()
    .filter((value) => typeof value === 'string');

const inUrl = (value: unknown): string => {
  if (value === undefined) return 'x';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const isRight = ({ right }: Senseless, name: string): boolean => Object.hasOwn(right, name) && right[name]!.length > 0;

/** Mostly right, so that what is wrong gets past the shape and meets a rule. */
const field = (sense: Senseless, name: string, schema: Schema, depth: number): fc.Arbitrary<unknown> => {
  const fitting = isRight(sense, name) ? fc.constantFrom(...sense.right[name]!) : valueOf(sense, schema, depth);
  return fc.oneof({ weight: 14, arbitrary: fitting }, { weight: 1, arbitrary: anything(knownTexts(sense)) });
};

const plain = (sense: Senseless): Readonly<Record<string, () => fc.Arbitrary<unknown>>> => ({
  string: () => text(knownTexts(sense)),
  boolean: () => fc.boolean(),
  number: () => fc.oneof(fc.integer({ min: 0, max: 40 }), fc.double({ noNaN: true })),
  integer: () => fc.oneof(fc.integer({ min: 0, max: 40 }), fc.maxSafeInteger()),
});

const valueOf = (sense: Senseless, schema: Schema, depth = 0): fc.Arbitrary<unknown> => {
  const named = schemaNamed(sense.document, schema);
  if (depth > 4) return scalar(knownTexts(sense));
  if (named.enum !== undefined) return fc.constantFrom(...named.enum);
  if (named.properties !== undefined) {
    const fields = Object.fromEntries(
      Object.entries(named.properties).map(([name, inner]) => [name, field(sense, name, inner, depth + 1)]),
    );
    const required = Object.keys(fields).filter((name) => isRight(sense, name) && !leftOut.has(name));
    return fc.record(fields, { requiredKeys: required });
  }
  if (named.type === 'array') return fc.array(valueOf(sense, named.items ?? {}, depth + 1), { maxLength: 3 });
  return plain(sense)[named.type ?? '']?.() ?? anything(knownTexts(sense));
};

const usageRecords = (sense: Senseless): fc.Arbitrary<unknown> => {
  const any = (name: string) => field(sense, name, {}, 0);
  const record = { unit: any('unit'), user: any('user'), amount: any('amount'), time: any('time'), id: any('id') };
  return fc.array(fc.record(record, { requiredKeys: [] }), { maxLength: 5 });
};

type Body = Pick<Request, 'type' | 'body'>;

const rawTypes = ['application/json', 'text/plain', 'text/xml', 'text/html', 'application/octet-stream'];

const xmlBody = (sense: Senseless): fc.Arbitrary<Body> =>
  fc.oneof(...sense.xml.map(spoilt), fc.constantFrom(...sense.xml)).map((body) => ({ type: 'text/xml', body }));

const bodyOf = (sense: Senseless, path: string, operation: Operation): fc.Arbitrary<Body> => {
  // What has no body by the description takes none, or a text of its own.
  const [content = ['text/plain', {}] as const] = Object.entries(operation.requestBody?.content ?? {});
  const [type, { schema = {} }] = content;
  const raw = fc.record({ type: fc.constantFrom(type, ...rawTypes), body: fc.option(text(knownTexts(sense))) });
  if (/xml/.test(type) || /\/xml/.test(path))
    return fc.oneof({ weight: 6, arbitrary: xmlBody(sense) }, { weight: 1, arbitrary: raw });
  if (!/json/.test(type))
    return fc.oneof(
      { weight: 6, arbitrary: text(knownTexts(sense)).map((body) => ({ type, body })) },
      { weight: 1, arbitrary: raw },
    );
  const json = (path === '/meter/record/json' ? usageRecords(sense) : valueOf(sense, schema)).map((body) => ({
    type: 'application/json',
    body: JSON.stringify(body),
  }));
  return fc.oneof({ weight: 14, arbitrary: json }, { weight: 1, arbitrary: raw });
};

/** Parameters without which a request gets nowhere, so they are there, mostly right. */
const needed: ReadonlySet<string> = new Set(['accountId', 'externalKey', 'transactionExternalKey', 'tagDef', 'cb']);

const queryOf = (
  sense: Senseless,
  operation: Operation,
): fc.Arbitrary<Readonly<Record<string, string | undefined>>> => {
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const named = [...parameters, { name: 'requestedDate' }, { name: 'pluginProperty' }].map(
    ({ name, schema = { type: 'string' } }: { name: string; schema?: Schema }) => [
      name,
      field(sense, name, schema, 0).map((value) => inUrl(value)),
    ],
  );
  const required = parameters.map(({ name }) => name).filter((name) => needed.has(name));
  return fc.record(Object.fromEntries(named) as Record<string, fc.Arbitrary<string>>, { requiredKeys: required });
};

const requestTo = (sense: Senseless, { path, method, operation }: Route): fc.Arbitrary<Request> => {
  const inPath = fc.tuple(
    ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
      fc.oneof(
        {
          weight: 10,
          arbitrary: isRight(sense, name) ? fc.constantFrom(...sense.right[name]!) : text(knownTexts(sense)),
        },
        { weight: 1, arbitrary: text(knownTexts(sense)) },
      ),
    ),
  );
  const body =
    method === 'GET' ? fc.constant({ type: 'application/json', body: null }) : bodyOf(sense, path, operation);
  return fc.tuple(inPath, queryOf(sense, operation), body).map(([segments, query, sent]) => {
    const left = segments.map(inUrl);
    const filled = path.replace(/\{\w+\}/g, () => encodeURIComponent(left.shift() ?? 'x'));
    return {
      method,
      template: path,
      path: `${filled}?${new URLSearchParams(query as Record<string, string>).toString()}`,
      ...sent,
    };
  });
};

/** Time stands still while requests are on their way, the catalog stays, and the administrator keeps the house. */
const spared = ({ path, method }: Route): boolean =>
  path.startsWith('/1.0/kb/test/') || (path === '/1.0/kb/catalog' && method === 'DELETE');

/** To every place that writes, and every now and then to one that reads. */
export const requestOf = (sense: Senseless): fc.Arbitrary<Request> => {
  const routes = routesOf(sense.document).filter((route) => !spared(route));
  const [reads, writes] = [
    routes.filter(({ method }) => method === 'GET'),
    routes.filter(({ method }) => method !== 'GET'),
  ];
  return fc
    .oneof({ weight: 5, arbitrary: fc.constantFrom(...writes) }, { weight: 1, arbitrary: fc.constantFrom(...reads) })
    .chain((route) => requestTo(sense, route));
};
