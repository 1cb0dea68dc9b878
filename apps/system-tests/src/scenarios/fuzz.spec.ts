import fc from 'fast-check';
import { openAccount, settled, subscribe } from '../../../../tools/day/day';
import { type SystemUnderTest, type Tenant, eventsAfter, startSystem } from '../system';

/**
 * A thousand requests that nobody would write, to every place that writes: made from the description of the API, with
 * values that are wrong in kind, size or meaning. FUZZ_SEED repeats a run.
 */
const requests = 1_000;
const lanes = 8;
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);

type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
};
type Operation = {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
};
type OpenApi = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
type Request = {
  readonly method: string;
  readonly template: string;
  readonly path: string;
  readonly type: string;
  readonly body: string | null;
};

let system: SystemUnderTest;
let tenant: Tenant;
let known: readonly string[] = [];
/** What would be right in a field or parameter of that name. */
let right: Readonly<Record<string, unknown>> = {};
const inUrl = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? 'x' : JSON.stringify(value);
beforeAll(async () => {
  system = await startSystem();
  const made = await system.newTenant();
  ({ tenant } = made);
  const account = await openAccount(made.api, 'known@example.com');
  const subscriptionId = await subscribe(made.api, account, 'standard-monthly');
  const { bundleId } = (await made.api.expect(200, 'GET', `/1.0/kb/subscriptions/${subscriptionId}`)).json<{
    bundleId: string;
  }>();
  known = [
    account.accountId,
    subscriptionId,
    bundleId,
    account.externalKey,
    'standard-pro',
    'host',
    'analytics',
    'killbill-paypal-express',
  ];
  const { id } = (await made.api.expect(200, 'GET', '/meter/units/search/findByName?name=host')).json<{ id: string }>();
  right = {
    ...{
      accountId: account.accountId,
      kb_account_id: account.accountId,
      subscriptionId,
      bundleId,
      id,
      unit: 'host',
      user: account.externalKey,
    },
    ...{
      planName: 'standard-pro',
      planId: 'cheap-monthly',
      productName: 'Cheap',
      productCategory: 'BASE',
      billingPeriod: 'MONTHLY',
      priceList: 'DEFAULT',
    },
    ...{
      currency: 'USD',
      timeZone: 'Asia/Seoul',
      locale: 'ko_KR',
      billCycleDayLocal: 6,
      quantity: 3,
      amount: 12.5,
      trialLength: 3,
      trialTimeUnit: 'DAYS',
    },
    ...{
      name: 'seats',
      countingMethod: 'SUM',
      unitType: 'host',
      recordDate: '2026-11-22',
      state: 'LIMITED',
      pluginName: 'killbill-paypal-express',
    },
    ...{
      service: 'shop',
      stateName: 'PAUSED',
      requestedDate: '2026-12-24',
      billingPolicy: 'IMMEDIATE',
      entitlementPolicy: 'IMMEDIATE',
      targetDate: '2026-12-24',
    },
    ...{
      referenceTime: '2026-01-01T00:00:00.000Z',
      effectiveFromDate: '2026-12-24',
      return_url: 'https://shop.example',
      cancel_return_url: 'https://shop.example',
    },
    ...{
      periodSplitting: null,
      freePeriod: 'DAY',
      limitRefreshInterval: 'DAY',
      basePlan: 'standard-pro',
      until: '2026-12-24T00:00:00.000Z',
    },
  };
  await settled(made.api);
}, 60_000);
afterAll(() => system.stop(), 30_000);

const values = [
  ...[
    '',
    ' ',
    '0',
    '-1',
    '1e400',
    'NaN',
    'null',
    'true',
    '../..',
    '%',
    "'; drop table accounts;--",
    '🦄',
    'ＡＢＣ',
    '{}',
    '[]',
    '\u202e',
    'a\r\nb',
  ],
  ...[
    '2026-02-30',
    '9999-12-31',
    '0001-01-01',
    '2026-01-01',
    '2026-06-30T23:59:59.999Z',
    '+275760-09-13',
    'USD',
    'JPY',
    'XXX',
    'EVERGREEN',
    'IMMEDIATE',
  ],
  ...['00000000-0000-0000-0000-000000000000', 'x'.repeat(300), 'constructor', '__proto__', 'toString'],
];
const text = (): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...known, ...values) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  );
const scalar = (): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: text() },
    fc.constantFrom(0, -1, 1, 1.5, 1e21, 1e308, -1e-9, Number.MAX_SAFE_INTEGER, 32, true, false, null),
  );
const anything = (): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 3, arbitrary: scalar() }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) });

/** Mostly right, so that what is wrong gets past the shape and meets a rule. */
const field = (document: OpenApi, name: string, schema: Schema, depth: number): fc.Arbitrary<unknown> => {
  const fitting = name in right ? fc.constant(right[name]) : valueOf(document, schema, depth);
  return fc.oneof({ weight: 12, arbitrary: fitting }, { weight: 1, arbitrary: anything() });
};

const plain: Readonly<Record<string, () => fc.Arbitrary<unknown>>> = {
  string: () => text(),
  boolean: () => fc.boolean(),
  number: () => fc.oneof(fc.integer({ min: 0, max: 40 }), fc.double({ noNaN: true })),
  integer: () => fc.oneof(fc.integer({ min: 0, max: 40 }), fc.maxSafeInteger()),
};

const valueOf = (document: OpenApi, schema: Schema, depth = 0): fc.Arbitrary<unknown> => {
  const named =
    schema.$ref === undefined ? schema : (document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  if (depth > 4) return scalar();
  if (named.enum !== undefined) return fc.constantFrom(...named.enum);
  if (named.properties !== undefined) {
    const fields = Object.fromEntries(
      Object.entries(named.properties).map(([name, inner]) => [name, field(document, name, inner, depth + 1)]),
    );
    return fc.record(fields, {
      requiredKeys: Object.keys(fields).filter((name) => name in right && !leftOut.has(name)),
    });
  }
  if (named.type === 'array') return fc.array(valueOf(document, named.items ?? {}, depth + 1), { maxLength: 3 });
  return plain[named.type ?? '']?.() ?? anything();
};

/** A plan is named or described, not both; a user may not be changed in what was fixed. */
const leftOut: ReadonlySet<string> = new Set([
  'productName',
  'productCategory',
  'billingPeriod',
  'priceList',
  'timeZone',
  'referenceTime',
  'billCycleDayLocal',
  'quantity',
  'bundleId',
]);

const usageRecords = (): fc.Arbitrary<unknown> =>
  fc.array(
    fc.record(
      { unit: anything(), user: anything(), amount: anything(), time: anything(), id: anything() },
      { requiredKeys: [] },
    ),
    { maxLength: 5 },
  );

const bodyOf = (
  document: OpenApi,
  path: string,
  operation: Operation,
): fc.Arbitrary<Pick<Request, 'type' | 'body'>> => {
  const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema ?? {};
  const json = (path === '/meter/record/json' ? usageRecords() : valueOf(document, schema)).map((body) => ({
    type: 'application/json',
    body: JSON.stringify(body),
  }));
  const raw = fc.record({
    type: fc.constantFrom('application/json', 'text/plain', 'text/xml', 'application/octet-stream'),
    body: fc.option(text()),
  });
  return fc.oneof({ weight: 12, arbitrary: json }, { weight: 1, arbitrary: raw });
};

const requestOf = (document: OpenApi): fc.Arbitrary<Request> => {
  const writes = Object.entries(document.paths)
    // Time stands still, and the tenant keeps its plans.
    .filter(([path]) => !path.startsWith('/1.0/kb/test/') && path !== '/1.0/kb/catalog')
    .flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([method]) => method !== 'get')
        .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
    );
  return fc.constantFrom(...writes).chain(({ path, method, operation }) => {
    const names = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    const query = fc.record(
      Object.fromEntries(
        [...names, 'requestedDate', 'pluginProperty'].map((name) => [
          name,
          field(document, name, { type: 'string' }, 0).map(String),
        ]),
      ),
      { requiredKeys: [] },
    );
    const parts = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const inPath = fc.tuple(
      ...parts.map((name) =>
        fc.oneof({ weight: 8, arbitrary: fc.constant(inUrl(right[name])) }, { weight: 1, arbitrary: text() }),
      ),
    );
    return fc.tuple(inPath, query, bodyOf(document, path, operation)).map(([segments, parameters, body]) => {
      const left = [...segments];
      const filled = path.replace(/\{\w+\}/g, () => encodeURIComponent(left.shift() ?? 'x'));
      return {
        method,
        template: path,
        path: `${filled}?${new URLSearchParams(parameters as Record<string, string>).toString()}`,
        ...body,
      };
    });
  });
};

type Outcome = Request & { readonly status: number; readonly answer: string; readonly correlationId: string };

const send = async (request: Request, correlationId: string): Promise<Outcome> => {
  const headers = {
    Authorization: `Basic ${Buffer.from('admin:password').toString('base64')}`,
    'X-Killbill-ApiKey': tenant.apiKey,
    'X-Killbill-ApiSecret': tenant.apiSecret,
    'X-Killbill-CreatedBy': 'fuzz',
    'X-Request-Id': correlationId,
    'Content-Type': request.type,
  };
  const { method, body } = request;
  const response = await fetch(`${system.url}${request.path}`, {
    method,
    headers,
    redirect: 'manual',
    ...(body === null ? {} : { body }),
  });
  return { ...request, status: response.status, answer: await response.text(), correlationId };
};

describe(`a thousand senseless requests (FUZZ_SEED=${String(seed)})`, () => {
  let outcomes: readonly Outcome[] = [];
  let events: Awaited<ReturnType<typeof eventsAfter>> = [];
  beforeAll(async () => {
    const document = (await (await fetch(`${system.url}/openapi.json`)).json()) as OpenApi;
    const before = await system.store.head();
    const samples = fc.sample(requestOf(document), { numRuns: requests, seed });
    const lane = async (start: number): Promise<Outcome[]> => {
      const done: Outcome[] = [];
      for (let i = start; i < samples.length; i += lanes)
        done.push(await send(samples[i]!, `fuzz-${String(seed)}-${String(i)}`));
      return done;
    };
    outcomes = (await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i)))).flat();
    await settled(system.as(tenant));
    events = await eventsAfter(system, before);
  }, 120_000);

  const told = ({ method, path, type, body, status, answer }: Outcome): string =>
    `${method} ${path}\n  ${type}: ${String(body).slice(0, 300)}\n  ${String(status)}: ${answer.slice(0, 300)}`;

  it('are not all refused, and not all taken', () => {
    const statuses = new Set(outcomes.map(({ status }) => status));
    expect(outcomes).toHaveLength(requests);
    expect([...statuses]).toEqual(expect.arrayContaining([400, 404]));
    expect(outcomes.filter(({ status }) => status < 300).length).toBeGreaterThan(requests / 20);
    expect(outcomes.filter(({ status }) => status >= 400).length).toBeGreaterThan(requests / 4);
  });

  it('are never a server error', () => {
    expect(outcomes.filter(({ status }) => status >= 500).map(told)).toEqual([]);
  });

  it('are answered with a body that says what is wrong', () => {
    const mute = outcomes.filter(({ status, answer }) => {
      if (status < 400 || (status === 404 && answer === '')) return false;
      // Plugins say in plain text that a body is no JSON: a sentence is an answer too.
      if (/^[A-Z][a-z ]{10}/.test(answer)) return false;
      const body: unknown = JSON.parse(answer === '' ? 'null' : answer);
      return typeof body !== 'object' || body === null || !('message' in body || 'detail' in body);
    });
    expect(mute.map(told)).toEqual([]);
  });

  it('leave nothing in the log when they are refused', () => {
    const refused = new Map(
      outcomes.filter(({ status }) => status >= 400).map((outcome) => [outcome.correlationId, outcome]),
    );
    const traces = events.flatMap(({ metadata, stream, type }) => {
      const outcome = refused.get(metadata.$correlationId);
      return outcome === undefined ? [] : [`${type} in ${stream} by ${told(outcome)}`];
    });
    expect(traces).toEqual([]);
  });

  it('leave a system that works', async () => {
    const account = await openAccount(system.as(tenant), 'after@example.com');
    const subscriptionId = await subscribe(
      system.as(),
      await openAccount(system.as(), 'other@example.com'),
      'standard-monthly',
    );
    expect([account.accountId, subscriptionId]).toEqual([expect.any(String), expect.any(String)]);
  });
});
