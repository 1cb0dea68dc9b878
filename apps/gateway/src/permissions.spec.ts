import { isGranted, permissionsFor } from './permissions';

const kb = '/1.0/kb';

describe('the permission a request takes', () => {
  it.each([
    ['POST', `${kb}/accounts`, 'account:create'],
    ['PUT', `${kb}/accounts/a`, 'account:update'],
    ['DELETE', `${kb}/accounts/a/`, 'account:update'],
    ['GET', `${kb}/accounts/a`, ''],
    ['HEAD', `${kb}/accounts/a`, ''],
    ['POST', `${kb}/accounts/a/tags`, 'tag:add'],
    ['DELETE', `${kb}/invoices/a/tags`, 'tag:delete'],
    ['PUT', `${kb}/bundles/a/customFields`, 'custom_field:add'],
    ['POST', `${kb}/accounts/a/payments`, 'payment:trigger'],
    ['POST', `${kb}/accounts/payments`, 'payment:trigger'],
    ['POST', `${kb}/subscriptions`, 'entitlement:create'],
    ['POST', `${kb}/subscriptions/createSubscriptionWithAddOns`, 'entitlement:create'],
    ['PUT', `${kb}/subscriptions/a`, 'entitlement:change_plan'],
    ['DELETE', `${kb}/subscriptions/a`, 'entitlement:cancel'],
    ['PUT', `${kb}/subscriptions/a/uncancel`, 'entitlement:cancel'],
    ['PUT', `${kb}/bundles/a/pause`, 'entitlement:pause_resume'],
    ['POST', `${kb}/bundles/a`, 'entitlement:transfer'],
    ['POST', `${kb}/invoices`, 'invoice:trigger'],
    ['POST', `${kb}/invoices/dryRun`, ''],
    ['POST', `${kb}/invoices/charges/a`, 'account:charge'],
    ['POST', `${kb}/invoices/a`, 'invoice:item_adjust'],
    ['PUT', `${kb}/invoices/a/voidInvoice`, 'invoice:adjust'],
    ['DELETE', `${kb}/invoices/a/b/cba`, 'invoice:delete_cba'],
    ['POST', `${kb}/invoicePayments/a/refunds`, 'payment:refund'],
    ['POST', `${kb}/payments/refunds`, 'payment:refund'],
    ['POST', `${kb}/payments/a/chargebacks`, 'payment:chargeback'],
    ['PUT', `${kb}/payments/a`, 'payment:trigger'],
    ['POST', `${kb}/payments/combo`, 'payment:trigger,account:create,payment_method:create'],
    ['POST', `${kb}/paymentGateways/hosted/form`, 'payment:trigger,account:create'],
    ['POST', `${kb}/paymentGateways/hosted/form/a`, 'payment:trigger'],
    ['GET', `${kb}/tenants`, 'tenant:view'],
    ['POST', `${kb}/tenants`, 'tenant:create'],
    ['POST', `${kb}/tenants/userKeyValue/k`, 'tenant_kvs:add'],
    ['GET', `${kb}/security/subject`, ''],
    ['GET', `${kb}/security/users/a/roles`, 'user:view'],
    ['POST', `${kb}/security/users`, 'user:create'],
    ['PUT', `${kb}/test/clock`, 'test:*'],
    ['POST', '/meter/record/json', 'usage:record'],
    ['POST', '/v1/usage', 'usage:record'],
    ['POST', '/v1/usage/backfills/u/commit', 'usage:record'],
    ['DELETE', '/v1/usage/backfills/u', 'usage:record'],
    ['POST', '/v1/limits/calls/reservations', 'usage:record'],
    ['POST', '/v1/limits/calls/reservations/id/commit', 'usage:record'],
    ['PUT', '/meter/limit/reset/u', 'catalog:config_upload'],
    ['PUT', '/v1/usage/limits/u', 'catalog:config_upload'],
    ['POST', '/plugins/x/notification', ''],
    ['POST', '/v1/something/new', 'admin:update'],
  ])('%s %s: %s', (method, path, permission) => {
    expect(permissionsFor(method, path).join()).toBe(permission);
  });

  it('is granted by name, by its group, or with everything', () => {
    expect(isGranted(['account:create'], 'account:create')).toBe(true);
    expect(isGranted(['account:*'], 'account:create')).toBe(true);
    expect(isGranted(['*'], 'account:create')).toBe(true);
    expect(isGranted(['account:update', 'tag:*'], 'account:create')).toBe(false);
    expect(isGranted([], 'account:create')).toBe(false);
  });
});
