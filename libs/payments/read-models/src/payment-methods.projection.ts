import { type PayerAccountEvent, payerAccountSchema, pluginConfigSchema } from '@billstream/payments-domain';
import type { ReadModel, Sql } from '@billstream/postgres';

const ddl = `
create table payer_accounts (
  account_id uuid primary key,
  tenant_id uuid not null,
  currency text,
  is_payment_delegated_to_parent boolean not null,
  external_key text
);
create index payer_accounts_by_key on payer_accounts (tenant_id, external_key);
create table default_methods (
  account_id uuid primary key,
  payment_method_id uuid
);
create table payment_methods (
  payment_method_id uuid primary key,
  tenant_id uuid not null,
  account_id uuid not null,
  external_key text not null,
  plugin_name text not null,
  credential text,
  is_removed boolean not null,
  added_position bigint not null
);
create index payment_methods_of_account on payment_methods (account_id, added_position);
create index payment_methods_by_key on payment_methods (tenant_id, external_key);
`;

const upsertAccounts = `
insert into payer_accounts
select * from jsonb_to_recordset($1::jsonb) as row(
  account_id uuid, tenant_id uuid, currency text, is_payment_delegated_to_parent boolean, external_key text)
on conflict (account_id) do update set
  currency = excluded.currency, is_payment_delegated_to_parent = excluded.is_payment_delegated_to_parent,
  external_key = excluded.external_key`;

const upsertDefaults = `
insert into default_methods
select * from jsonb_to_recordset($1::jsonb) as row(account_id uuid, payment_method_id uuid)
on conflict (account_id) do update set payment_method_id = excluded.payment_method_id`;

const insertMethods = `
insert into payment_methods
select * from jsonb_to_recordset($1::jsonb) as row(payment_method_id uuid, tenant_id uuid, account_id uuid,
  external_key text, plugin_name text, credential text, is_removed boolean, added_position bigint)
on conflict (payment_method_id) do nothing`;

const removeMethods = `
update payment_methods set is_removed = true
where payment_method_id = any ($1::uuid[])`;

const shown = ['AccountRecorded', 'PaymentMethodAdded', 'PaymentMethodRemoved', 'DefaultMethodSet'] as const;
type Shown = Extract<PayerAccountEvent, { readonly type: (typeof shown)[number] }>;
const isShown = (event: PayerAccountEvent): event is Shown => shown.some((type) => type === event.type);

/** Payers and the methods they left, removed ones included: Kill Bill still shows those on request. */
export const paymentMethodsReadModel: ReadModel = {
  name: 'payment-methods',
  tables: ['payer_accounts', 'default_methods', 'payment_methods'],
  ddl,
  prefixes: ['payerAccount-'],
  apply: async (tx, events) => {
    const accounts = new Map<string, object>();
    const defaults = new Map<string, object>();
    const methods: object[] = [];
    const removed: string[] = [];
    for (const recorded of events) {
      const event = payerAccountSchema.decode(recorded);
      const { tenantId } = recorded.metadata;
      if (event === null || !isShown(event)) continue;
      switch (event.type) {
        case 'AccountRecorded': {
          const { accountId, externalKey, currency, isPaymentDelegatedToParent } = event.data;
          const row = { account_id: accountId, tenant_id: tenantId, currency, external_key: externalKey ?? null };
          accounts.set(accountId, { ...row, is_payment_delegated_to_parent: isPaymentDelegatedToParent });
          break;
        }
        case 'PaymentMethodAdded':
          methods.push({
            payment_method_id: event.data.paymentMethodId,
            tenant_id: tenantId,
            account_id: event.data.accountId,
            external_key: event.data.externalKey,
            plugin_name: event.data.pluginName,
            credential: event.data.credential,
            is_removed: false,
            added_position: String(recorded.position),
          });
          break;
        case 'PaymentMethodRemoved':
          removed.push(event.data.paymentMethodId);
          break;
        case 'DefaultMethodSet': {
          const { accountId, paymentMethodId } = event.data;
          defaults.set(accountId, { account_id: accountId, payment_method_id: paymentMethodId });
          break;
        }
      }
    }
    await run(tx, 'payer-accounts-upsert', upsertAccounts, [...accounts.values()]);
    await run(tx, 'payment-methods-insert', insertMethods, methods);
    if (removed.length > 0) await tx.query(removeMethods, [removed], 'payment-methods-remove');
    await run(tx, 'default-methods-upsert', upsertDefaults, [...defaults.values()]);
  },
};

const configsDdl = `
create table plugin_configs (
  tenant_id uuid not null,
  plugin_name text not null,
  sealed_config text,
  primary key (tenant_id, plugin_name)
);
`;

const upsertConfigs = `
insert into plugin_configs
select * from jsonb_to_recordset($1::jsonb) as row(tenant_id uuid, plugin_name text, sealed_config text)
on conflict (tenant_id, plugin_name) do update set sealed_config = excluded.sealed_config`;

/** Tenants' plugin configurations, sealed as they came; null: removed. */
export const pluginConfigsReadModel: ReadModel = {
  name: 'plugin-configs',
  tables: ['plugin_configs'],
  ddl: configsDdl,
  prefixes: ['pluginConfig-'],
  apply: async (tx, events) => {
    const rows = new Map<string, object>();
    for (const recorded of events) {
      const event = pluginConfigSchema.decode(recorded);
      if (event === null) continue;
      const { tenantId, pluginName } = event.data;
      const sealed = event.type === 'PluginConfigRecorded' ? event.data.sealedConfig : null;
      rows.set(recorded.stream, { tenant_id: tenantId, plugin_name: pluginName, sealed_config: sealed });
    }
    await run(tx, 'plugin-configs-upsert', upsertConfigs, [...rows.values()]);
  },
};

const run = async (tx: Sql, name: string, text: string, rows: readonly object[]): Promise<void> => {
  if (rows.length > 0) await tx.query(text, [JSON.stringify(rows)], name);
};
