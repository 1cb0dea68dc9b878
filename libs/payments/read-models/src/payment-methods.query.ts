import type { Currency } from '@billstream/kernel';
import { type Sql, countRows, rowsCounted } from '@billstream/postgres';
import { type PageOfPayments, containing } from './payments-search.query';

export type PayerView = { readonly accountId: string; readonly currency: Currency | null };

export type PaymentMethodView = {
  readonly paymentMethodId: string;
  readonly accountId: string;
  readonly externalKey: string;
  readonly pluginName: string;
  readonly credential: string | null;
  readonly isDefault: boolean;
  readonly isRemoved: boolean;
};

const payer = `select account_id as "accountId", currency from payer_accounts where tenant_id = $1 and account_id = $2`;

const payerOfKey = `select account_id as "accountId", currency from payer_accounts
where tenant_id = $1 and external_key = $2`;

const selectMethods = `
select m.payment_method_id as "paymentMethodId", m.account_id as "accountId", m.external_key as "externalKey",
  m.plugin_name as "pluginName", m.credential, m.is_removed as "isRemoved",
  coalesce(d.payment_method_id = m.payment_method_id, false) as "isDefault"
from payment_methods m left join default_methods d using (account_id)`;
const select = `${selectMethods} where m.tenant_id = $1`;
const byId = `${select} and m.payment_method_id = $2 and (not m.is_removed or $3)`;
const byKey = `${select} and m.external_key = $2 and (not m.is_removed or $3) order by m.added_position desc limit 1`;
const ofAccount = `${select} and m.account_id = $2 and (not m.is_removed or $3) order by m.added_position`;
const sealed = `select sealed_config as "sealedConfig" from plugin_configs where tenant_id = $1 and plugin_name = $2`;

export const payerById = async (sql: Sql, tenantId: string, accountId: string): Promise<PayerView | null> =>
  (await sql.query<PayerView>(payer, [tenantId, accountId], 'payer-by-id'))[0] ?? null;

export const payerByKey = async (sql: Sql, tenantId: string, externalKey: string): Promise<PayerView | null> =>
  (await sql.query<PayerView>(payerOfKey, [tenantId, externalKey], 'payer-by-key'))[0] ?? null;

/** Which method, and whether one that was removed counts (Kill Bill's `includedDeleted`). */
export type MethodLookup = { readonly by: string; readonly includeRemoved: boolean };

export const methodById = async (
  sql: Sql,
  tenantId: string,
  { by, includeRemoved }: MethodLookup,
): Promise<PaymentMethodView | null> =>
  (await sql.query<PaymentMethodView>(byId, [tenantId, by, includeRemoved], 'method-by-id'))[0] ?? null;

export const methodByKey = async (
  sql: Sql,
  tenantId: string,
  { by, includeRemoved }: MethodLookup,
): Promise<PaymentMethodView | null> =>
  (await sql.query<PaymentMethodView>(byKey, [tenantId, by, includeRemoved], 'method-by-key'))[0] ?? null;

export const methodsOfAccount = (
  sql: Sql,
  tenantId: string,
  { by, includeRemoved }: MethodLookup,
): Promise<readonly PaymentMethodView[]> =>
  sql.query<PaymentMethodView>(ofAccount, [tenantId, by, includeRemoved], 'methods-of-account');

/** Still sealed; null when the tenant has none. */
export const sealedConfigOf = async (sql: Sql, tenantId: string, pluginName: string): Promise<string | null> => {
  const [row] = await sql.query<{ sealedConfig: string | null }>(sealed, [tenantId, pluginName], 'plugin-config');
  return row?.sealedConfig ?? null;
};

const matching = `m.tenant_id = $1 and not m.is_removed and ($2::text is null or m.plugin_name = $2)
  and ($3::text is null or m.external_key like $3 or m.payment_method_id::text = $4 or m.account_id::text = $4
    or m.plugin_name = $4)`;
const page = (order: 'asc' | 'desc'): string => `${selectMethods} where ${matching}
order by m.added_position ${order} limit $5 offset $6`;
const forwards = page('asc');
const backwards = page('desc');
const total = countRows(`payment_methods m where ${matching}`);

/** As for payments: a negative limit from the end; `search` is part of the key, or exactly an id or the plugin's name. */
export const methodsPage = async (
  sql: Sql,
  tenantId: string,
  { offset, limit, pluginName, search }: PageOfPayments,
): Promise<{ readonly methods: readonly PaymentMethodView[]; readonly total: number | null }> => {
  const filter = [tenantId, pluginName, search === null ? null : containing(search), search];
  const rows = [...filter, Math.abs(limit), Math.max(0, offset)];
  const [text, name] = limit < 0 ? [backwards, 'methods-page-backwards'] : [forwards, 'methods-page'];
  const [methods, [counted]] = await Promise.all([
    sql.query<PaymentMethodView>(text, rows, name),
    sql.query<{ total: bigint }>(total, filter, 'methods-total'),
  ]);
  return { methods, total: rowsCounted(counted) };
};
