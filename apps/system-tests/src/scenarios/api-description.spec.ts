import { curl } from '../curl';
import { killBillOperations } from './killbill-operations';
import { type SystemUnderTest, startSystem } from '../system';

let system: SystemUnderTest;
beforeAll(async () => {
  system = await startSystem();
}, 60_000);
afterAll(() => system.stop(), 30_000);

describe('the description of the API', () => {
  const paths: readonly (readonly [string, string])[] = [
    ['post', '/1.0/kb/tenants/uploadPluginConfig/{pluginName}'],
    ['get', '/1.0/kb/accounts'],
    ['post', '/1.0/kb/accounts'],
    ['get', '/1.0/kb/accounts/{accountId}/paymentMethods'],
    ['post', '/1.0/kb/accounts/{accountId}/paymentMethods'],
    ['post', '/plugins/killbill-paypal-express/1.0/setup-checkout'],
    ['post', '/1.0/kb/subscriptions'],
    ['put', '/1.0/kb/subscriptions/{subscriptionId}'],
    ['post', '/meter/record/json'],
    ['get', '/meter/record/series'],
    ['get', '/meter/limit/check/{unit}'],
  ];
  type OpenApi = {
    readonly openapi: string;
    readonly info: { readonly title: string; readonly version: string };
    readonly paths: Readonly<
      Record<
        string,
        Readonly<
          Record<
            string,
            {
              readonly operationId?: string;
              readonly responses: object;
              readonly parameters?: readonly { readonly name: string; readonly in: string }[];
            }
          >
        >
      >
    >;
    readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
  };

  it('is a page that needs nothing from elsewhere', async () => {
    const page = await curl('GET', `${system.url}/api.html`, {});
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
    expect(sources.length).toBeGreaterThan(2);
    for (const source of sources)
      expect([source, (await curl('GET', `${system.url}${source}`, {})).status]).toEqual([source, 200]);
  });

  it('is OpenAPI 3 with every request of the guide', async () => {
    const document = (await curl('GET', `${system.url}/openapi.json`, {})).json<OpenApi>();
    expect(document.openapi).toMatch(/^3\./);
    expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
    for (const [method, path] of paths)
      expect([path, Object.keys(document.paths[path] ?? {})]).toEqual([path, expect.arrayContaining([method])]);
  });

  it('has every operation of Kill Bill that the platform serves, with all that may be asked of it', async () => {
    const document = (await curl('GET', `${system.url}/openapi.json`, {})).json<OpenApi>();
    const formOf = (path: string): string => path.replace(/\{[^}]*\}/g, '{}');
    const described = new Map(
      Object.entries(document.paths).flatMap(([path, item]) =>
        Object.entries(item).map(([method, { parameters = [] }]) => [
          `${method.toUpperCase()} ${formOf(path)}`,
          parameters.filter((one) => one.in === 'query').map(({ name }) => name),
        ]),
      ),
    );
    const lacking = killBillOperations.flatMap(({ method, path, names }) => {
      const known = described.get(`${method} ${formOf(path)}`);
      if (known === undefined) return [`${method} ${path}`];
      return names.filter((name) => !known.includes(name)).map((name) => `${method} ${path}?${name}`);
    });
    expect(lacking).toEqual([]);
    expect(killBillOperations.length).toBeGreaterThan(160);
  });

  it('is consistent: ids of operations are unique, parameters of paths are declared, references lead somewhere', async () => {
    const text = (await curl('GET', `${system.url}/openapi.json`, {})).text;
    const document = JSON.parse(text) as OpenApi;
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, ...operation })),
    );
    const ids = operations.flatMap(({ operationId }) => (operationId === undefined ? [] : [operationId]));
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    for (const { path, method, parameters = [], responses } of operations) {
      const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect([method, path, declared.sort()]).toEqual([
        method,
        path,
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort(),
      ]);
      expect([method, path, Object.keys(responses).length > 0]).toEqual([method, path, true]);
    }
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name = '']) => name);
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
  });
});
