/** One kind of request and the permissions it takes, all of them; none: whoever is logged in may do it. */
type Rule = { readonly methods: string; readonly path: RegExp; readonly permissions: readonly string[] };

const kb = String.raw`^/1\.0/kb`;
const rule = (methods: string, path: string, ...permissions: readonly string[]): Rule => ({
  methods,
  path: new RegExp(`${path}/?$`),
  permissions,
});

/** The first that matches. Kill Bill's permissions as its API asks for them; what reads and is not named is open to all. */
const rules: readonly Rule[] = [
  rule('*', '^/plugins/.*'),
  rule('GET', `${kb}/tenants(/.*)?`, 'tenant:view'),
  rule('GET', `${kb}/security/(permissions|subject)`),
  rule('GET', `${kb}/security/.*`, 'user:view'),
  rule('GET', '.*'),
  rule('*', `${kb}/security/.*`, 'user:create'),
  rule('*', `${kb}/test/.*`, 'test:*'),
  rule('*', `${kb}/admin/.*`, 'admin:update'),
  rule('*', `${kb}/nodesInfo`, 'admin:update'),

  rule('POST', `${kb}/tenants`, 'tenant:create'),
  rule('DELETE', `${kb}/tenants/.*`, 'tenant_kvs:delete'),
  rule('*', `${kb}/tenants/.*`, 'tenant_kvs:add'),

  rule('POST', `${kb}/tagDefinitions`, 'tag:create_tag_definition'),
  rule('DELETE', `${kb}/tagDefinitions/.*`, 'tag:delete_tag_definition'),
  rule('DELETE', `${kb}/[^/]+/[^/]+/tags`, 'tag:delete'),
  rule('*', `${kb}/[^/]+/[^/]+/tags`, 'tag:add'),
  rule('DELETE', `${kb}/[^/]+/[^/]+/customFields`, 'custom_field:delete'),
  rule('*', `${kb}/[^/]+/[^/]+/customFields`, 'custom_field:add'),

  rule('POST', `${kb}/accounts`, 'account:create'),
  rule('PUT|DELETE', `${kb}/accounts/[^/]+`, 'account:update'),
  rule('POST', `${kb}/accounts/[^/]+/emails`, 'account:add_emails'),
  rule('DELETE', `${kb}/accounts/[^/]+/emails/[^/]+`, 'account:delete_emails'),
  rule('*', `${kb}/accounts/[^/]+/block`, 'entitlement:pause_resume'),
  rule('*', `${kb}/accounts/[^/]+/(cbaRebalancing|transferCredit)`, 'invoice:credit'),
  rule('POST', `${kb}/accounts/[^/]+/paymentMethods`, 'payment_method:create'),
  rule('*', `${kb}/accounts/[^/]+/paymentMethods/.*`, 'payment_method:update'),
  rule('*', `${kb}/accounts/([^/]+/)?(payments|invoicePayments)`, 'payment:trigger'),

  rule('POST', `${kb}/(subscriptions|subscriptions/create.*)`, 'entitlement:create'),
  rule('*', `${kb}/subscriptions/[^/]+/uncancel`, 'entitlement:cancel'),
  rule('*', `${kb}/(subscriptions|bundles)/[^/]+/(block|pause|resume)`, 'entitlement:pause_resume'),
  rule('DELETE', `${kb}/subscriptions/[^/]+`, 'entitlement:cancel'),
  rule('*', `${kb}/subscriptions/[^/]+(/.*)?`, 'entitlement:change_plan'),
  rule('POST|PUT', `${kb}/bundles/[^/]+`, 'entitlement:transfer'),
  rule('*', `${kb}/bundles/.*`, 'entitlement:change_plan'),
  rule('*', `${kb}/catalog(/.*)?`, 'catalog:config_upload'),
  rule('*', `${kb}/overdue(/.*)?`, 'overdue:config_upload'),

  rule('POST', `${kb}/invoices/dryRun`),
  rule('POST', `${kb}/(invoices|invoices/group|invoices/migration/[^/]+)`, 'invoice:trigger'),
  rule('POST', `${kb}/invoices/(charges|taxes)/[^/]+`, 'account:charge'),
  rule('POST', `${kb}/invoices/[^/]+/payments`, 'payment:trigger'),
  rule('DELETE', `${kb}/invoices/[^/]+/[^/]+/cba`, 'invoice:delete_cba'),
  rule('POST', `${kb}/invoices/[^/]+`, 'invoice:item_adjust'),
  rule('*', `${kb}/(invoices|invoiceItems)/.*`, 'invoice:adjust'),
  rule('*', `${kb}/credits`, 'account:credit'),

  // What is not there yet they make, and only the service sees whether it is: who may not make it may not ask at all.
  rule('POST', `${kb}/payments/combo`, 'payment:trigger', 'account:create', 'payment_method:create'),
  rule('POST', `${kb}/paymentGateways/hosted/form`, 'payment:trigger', 'account:create'),
  rule('*', `${kb}/(payments|invoicePayments)/.*/?refunds`, 'payment:refund'),
  rule('*', `${kb}/(payments|invoicePayments)/.*/?(chargebacks|chargebackReversals)`, 'payment:chargeback'),
  rule('*', `${kb}/(payments|invoicePayments|paymentTransactions|paymentGateways)(/.*)?`, 'payment:trigger'),
  rule('DELETE', `${kb}/paymentMethods/[^/]+`, 'payment_method:delete'),
  rule('*', `${kb}/usages`, 'usage:record'),

  rule('*', '^/v1/usage/limits/.*', 'catalog:config_upload'),
  rule('*', '^/(meter/record/log/patterns|v1/units/.*)', 'catalog:config_upload'),
  rule('*', '^/(meter/record|v1/usage|v1/limits)(/.*)?', 'usage:record'),
  rule('*', '^/meter/.*', 'catalog:config_upload'),
  rule('*', '^/v1/accounts/[^/]+/profile', 'account:update'),
];

/** The permissions that a request takes, all of them. A change that nobody thought of is an administrator's. */
export const permissionsFor = (method: string, path: string): readonly string[] => {
  const verb = method === 'HEAD' ? 'GET' : method;
  const found = rules.find(
    ({ methods, path: form }) => (methods === '*' || methods.split('|').includes(verb)) && form.test(path),
  );
  return found === undefined ? ['admin:update'] : found.permissions;
};

/** Whether granted permissions cover one: `*` is all of them, `<group>:*` all of a group. */
export const isGranted = (granted: readonly string[], permission: string): boolean =>
  granted.some((one) => one === '*' || one === permission || one === `${permission.split(':', 1)[0] ?? ''}:*`);
