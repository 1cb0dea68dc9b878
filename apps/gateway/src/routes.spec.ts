import { classOf, serviceFor } from './routes';

const id = '21f742f1-ac86-4349-adc2-70cefd075232';

describe('a path', () => {
  it.each([
    ['/1.0/kb/accounts', 'accounts'],
    [`/1.0/kb/accounts/${id}`, 'accounts'],
    ['/1.0/kb/accounts/search/bundles', 'accounts'],
    [`/1.0/kb/accounts/${id}/children`, 'accounts'],
    ['/1.0/kb/tenants/uploadPluginConfig/killbill-paypal-express', 'accounts'],
    [`/1.0/kb/accounts/${id}/bundles`, 'subscriptions'],
    ['/1.0/kb/subscriptions/createSubscriptionWithAddOns', 'subscriptions'],
    [`/1.0/kb/bundles/${id}/tags`, 'accounts'],
    [`/1.0/kb/invoices/${id}/customFields`, 'accounts'],
    [`/1.0/kb/bundles/${id}/pause`, 'subscriptions'],
    ['/1.0/kb/catalog/xml', 'subscriptions'],
    [`/1.0/kb/accounts/${id}/paymentMethods`, 'payments'],
    ['/1.0/kb/accounts/payments', 'payments'],
    [`/1.0/kb/accounts/${id}/invoicePayments`, 'payments'],
    [`/1.0/kb/invoices/${id}/payments`, 'payments'],
    ['/plugins/killbill-paypal-express/1.0/setup-checkout', 'payments'],
    [`/1.0/kb/accounts/${id}/invoices`, 'invoicing'],
    [`/1.0/kb/accounts/${id}/timeline`, 'invoicing'],
    ['/1.0/kb/invoices/dryRun', 'invoicing'],
    ['/1.0/kb/credits', 'invoicing'],
    ['/1.0/kb/usages', 'metering'],
    ['/meter/record/json', 'metering'],
    ['/v1/usage', 'metering'],
    ['/v1/usage/batches', 'metering'],
  ])('%s belongs to %s', (path, service) => {
    expect(serviceFor(path)).toBe(service);
  });
  it.each([
    '/internal/authenticate',
    '/internal/clock',
    '/v1/internal/usage/corrections/preview',
    '/',
    '/1.0/kb',
    '/1.0/kb/accountsX',
    '/metered',
    '/v1',
    '/health/ready',
  ])('%s is nobody’s', (path) => {
    expect(serviceFor(path)).toBeNull();
  });
});

describe('a request', () => {
  it('reads, writes or brings usage', () => {
    expect(classOf('GET', '/meter/record')).toBe('read');
    expect(classOf('POST', '/meter/record/json')).toBe('ingest');
    expect(classOf('POST', '/1.0/kb/usages')).toBe('ingest');
    expect(classOf('PUT', '/1.0/kb/accounts/x')).toBe('write');
  });
});
