/** Kill Bill's permissions (Permission, 0.24), `<group>:<value>`. */
export const permissions: readonly string[] = [
  'account:create',
  'account:update',
  'account:add_emails',
  'account:delete_emails',
  'account:charge',
  'account:credit',
  'admin:update',
  'catalog:config_upload',
  'custom_field:add',
  'custom_field:delete',
  'entitlement:create',
  'entitlement:change_plan',
  'entitlement:pause_resume',
  'entitlement:cancel',
  'entitlement:transfer',
  'invoice:credit',
  'invoice:adjust',
  'invoice:item_adjust',
  'invoice:delete_cba',
  'invoice:trigger',
  'overdue:config_upload',
  'payment:trigger',
  'payment:refund',
  'payment:chargeback',
  'payment:external_payment',
  'payment_method:create',
  'payment_method:update',
  'payment_method:delete',
  'tag:create_tag_definition',
  'tag:delete_tag_definition',
  'tag:add',
  'tag:delete',
  'tenant:view',
  'tenant:create',
  'tenant_kvs:add',
  'tenant_kvs:delete',
  'test:*',
  'usage:record',
  'user:view',
  'user:create',
];

/** All of them at once. */
export const everyPermission = '*';

const groups: ReadonlySet<string> = new Set(permissions.map((permission) => permission.split(':', 1)[0] ?? ''));

/** A permission as it is kept: one of the list, `<group>:*` (also written as the group alone), or `*`; null: none of these. */
export const parsePermission = (text: string): string | null => {
  const permission = text.trim().toLowerCase();
  if (permission === everyPermission || permission === '*:*') return everyPermission;
  if (permissions.includes(permission)) return permission;
  const [group = '', value] = permission.split(':', 2);
  return groups.has(group) && (value === undefined || value === '*') ? `${group}:*` : null;
};

/** The single permissions that those of a role come to. */
export const expandPermissions = (granted: readonly string[]): readonly string[] =>
  permissions.filter((permission) => granted.some((one) => covers(one, permission)));

const covers = (granted: string, permission: string): boolean =>
  granted === everyPermission ||
  granted === permission ||
  (granted.endsWith(':*') && permission.startsWith(granted.slice(0, -1)));
