import { innerHeaders } from '@billstream/http';
import type { Upstreams } from './dispatch';
import { withKillBillQueries } from './killbill-queries';
import { withOperationIds } from './operation-ids';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOr = (value: unknown): Json => (isObject(value) ? value : {});

const textQuery = (name: string) => ({ name, in: 'query', required: false, schema: { type: 'string' } });
const ok = { '200': { description: 'currentUtcTime, timeZone and localDate of the tenant' } };

/** What the gateway answers itself. */
const ownPaths: Json = {
  '/1.0/kb/accounts/{accountId}/timeline': {
    get: {
      tags: ['Accounts'],
      parameters: [
        { name: 'accountId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
        ...['parallel', 'audit'].map(textQuery),
      ],
      responses: {
        '200': { description: 'Kill Bill’s AccountTimeline: the account, its bundles, invoices and payments' },
      },
    },
  },
  '/1.0/kb/test/clock': {
    get: { tags: ['Test'], parameters: [textQuery('timeZone')], responses: ok },
    post: {
      tags: ['Test'],
      parameters: ['requestedDate', 'timeZone', 'timeoutSec'].map(textQuery),
      responses: ok,
    },
    put: {
      tags: ['Test'],
      parameters: ['days', 'weeks', 'months', 'years', 'timeZone', 'timeoutSec'].map(textQuery),
      responses: ok,
    },
  },
  '/1.0/kb/test/queues': {
    get: {
      tags: ['Test'],
      parameters: [textQuery('timeoutSec')],
      responses: { '200': { description: 'everything due is done' }, '412': { description: 'not yet' } },
    },
  },
};

const securitySchemes = {
  user: { type: 'http', scheme: 'basic' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-Killbill-ApiKey' },
  apiSecret: { type: 'apiKey', in: 'header', name: 'X-Killbill-ApiSecret' },
};

/** The documents of all services as one. A schema name that two services use differently gets the service's name before it. */
export const mergeOpenApi = (documents: readonly { readonly service: string; readonly document: Json }[]): Json => {
  const paths: Json = { ...ownPaths };
  const schemas: Json = {};
  for (const { service, document } of documents) {
    const own = objectOr(objectOr(document['components'])['schemas']);
    const renamed = new Map(
      Object.keys(own)
        .filter((name) => name in schemas && JSON.stringify(schemas[name]) !== JSON.stringify(own[name]))
        .map((name) => [name, `${service}.${name}`]),
    );
    const rewritten = objectOr(withReferences({ paths: document['paths'], schemas: own }, renamed));
    for (const [path, item] of Object.entries(objectOr(rewritten['paths'])))
      if (!/^(\/1\.0\/kb|\/v1)?\/internal\/|^\/health/.test(path))
        paths[path] = { ...objectOr(paths[path]), ...objectOr(item) };
    for (const [name, schema] of Object.entries(objectOr(rewritten['schemas'])))
      schemas[renamed.get(name) ?? name] = schema;
  }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Billstream',
      version: '1',
      description: 'Kill Bill’s API under /1.0/kb, metering under /meter, our own under /v1.',
    },
    servers: [{ url: '/' }],
    security: [{ user: [], apiKey: [], apiSecret: [] }],
    paths: withKillBillQueries(
      withOperationIds(Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)))),
    ),
    components: { schemas: usedBy(paths, schemas), securitySchemes },
  };
};

const prefix = '#/components/schemas/';

/** The schemas that the paths lead to; those of inner paths alone stay inside. */
const usedBy = (paths: Json, schemas: Json): Json => {
  const used = new Set<string>();
  for (let open: unknown[] = [paths]; open.length > 0;) {
    const text = JSON.stringify(open);
    const found = Object.keys(schemas).filter((name) => !used.has(name) && text.includes(`"${prefix}${name}"`));
    for (const name of found) used.add(name);
    open = found.map((name) => schemas[name]);
  }
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
};

const withReferences = (value: unknown, renamed: ReadonlyMap<string, string>): unknown => {
  if (Array.isArray(value)) return value.map((item) => withReferences(item, renamed));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key !== '$ref' || typeof inner !== 'string') return [key, withReferences(inner, renamed)];
      const name = inner.slice(prefix.length);
      return [key, inner.startsWith(prefix) ? `${prefix}${renamed.get(name) ?? name}` : inner];
    }),
  );
};

/** Reads the services' own documents; one that does not answer is left out rather than taking the others with it. */
export const wholeOpenApi = async (upstreams: Upstreams, innerSecret: string): Promise<Json> => {
  const documents = await Promise.all(
    Object.entries(upstreams).map(async ([service, dispatch]) => {
      try {
        const answer = await dispatch.call({
          method: 'GET',
          path: '/internal/openapi',
          headers: { [innerHeaders.secret]: innerSecret },
        });
        const document: unknown = answer.status === 200 ? JSON.parse(answer.body.toString('utf8')) : {};
        return { service, document: objectOr(document) };
      } catch {
        return { service, document: {} };
      }
    }),
  );
  return mergeOpenApi(documents);
};
