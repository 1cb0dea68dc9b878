import { mergeOpenApi } from './openapi';
import { operationIdOf, withOperationIds } from './operation-ids';

const operation = (schema: string) => ({
  get: {
    responses: { '200': { content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } } },
  },
});

describe('the document of the whole API', () => {
  const whole = mergeOpenApi([
    {
      service: 'accounts',
      document: {
        paths: { '/1.0/kb/accounts': operation('Page'), '/internal/clock': {} },
        components: { schemas: { Page: { type: 'object' }, Same: { type: 'string' } } },
      },
    },
    {
      service: 'payments',
      document: {
        paths: { '/1.0/kb/payments': operation('Page') },
        components: { schemas: { Page: { type: 'array' }, Same: { type: 'string' } } },
      },
    },
    { service: 'metering', document: {} },
  ]) as { paths: Record<string, unknown>; components: { schemas: object } };

  it('has the paths of all services and the gateway’s own, and no inner ones', () => {
    expect(Object.keys(whole.paths)).toEqual([
      '/1.0/kb/accounts',
      '/1.0/kb/accounts/{accountId}/timeline',
      '/1.0/kb/payments',
      '/1.0/kb/test/clock',
      '/1.0/kb/test/queues',
    ]);
  });
  it('keeps schemas apart that only share a name, their references right, and none that no path leads to', () => {
    expect(whole.components.schemas).toEqual({
      Page: { type: 'object' },
      'payments.Page': { type: 'array' },
    });
    expect(whole.paths['/1.0/kb/payments']).toMatchObject(operation('payments.Page'));
    expect(whole.paths['/1.0/kb/accounts']).toMatchObject(operation('Page'));
  });
});

describe('the name of an operation', () => {
  it.each([
    ['get', '/1.0/kb/accounts/{accountId}', 'getAccount'],
    ['post', '/1.0/kb/accounts', 'createAccount'],
    ['get', '/1.0/kb/tags/search/{searchKey}', 'searchTags'],
    ['post', '/1.0/kb/bundles/{bundleId}/tags', 'createBundleTags'],
    ['put', '/1.0/kb/paymentTransactions/{transactionId}/customFields', 'modifyTransactionCustomFields'],
    ['get', '/1.0/kb/invoices/{id}/auditLogsWithHistory', 'getInvoiceAuditLogsWithHistory'],
    ['get', '/v1/usage/{unit}/records', 'getUsageRecordsByUnit'],
    ['post', '/meter/record/json', 'createMeterRecordJson'],
  ])('of %s %s is %s', (method, path, name) => {
    expect(operationIdOf(method, path)).toBe(name);
  });
  it('is there once', () => {
    const paths = { '/v1/a-b': { get: {} }, '/v1/a/b': { get: {}, parameters: [] } };
    expect(withOperationIds(paths)).toEqual({
      '/v1/a-b': { get: { operationId: 'getAB' } },
      '/v1/a/b': { get: { operationId: 'getAB2' }, parameters: [] },
    });
  });
});
