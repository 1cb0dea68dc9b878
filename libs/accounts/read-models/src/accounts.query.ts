import { type Sql, countRows, rowsCounted } from '@billstream/postgres';
import type { Currency, Instant } from '@billstream/kernel';
import type { SearchCondition } from './account-search';
import type { PageRequest } from './slice';

/** An account as a client sees it. Minor units; figures nobody told yet are zero, without a currency to count them in. */
export type AccountView = {
  readonly accountId: string;
  readonly name: string | null;
  readonly firstNameLength: number | null;
  readonly externalKey: string;
  readonly email: string | null;
  readonly billCycleDayLocal: number;
  readonly currency: Currency | null;
  readonly parentAccountId: string | null;
  readonly isPaymentDelegatedToParent: boolean;
  readonly paymentMethodId: string | null;
  readonly referenceTime: Instant;
  readonly timeZone: string;
  readonly address1: string | null;
  readonly address2: string | null;
  readonly postalCode: string | null;
  readonly company: string | null;
  readonly city: string | null;
  readonly state: string | null;
  readonly country: string | null;
  readonly locale: string | null;
  readonly phone: string | null;
  readonly notes: string | null;
  readonly isMigrated: boolean;
  readonly balanceCurrency: Currency | null;
  readonly balanceMinor: bigint;
  readonly creditMinor: bigint;
};

const columns = `
  a.account_id as "accountId", p.name, p.first_name_length as "firstNameLength", a.external_key as "externalKey",
  p.email, a.bill_cycle_day_local as "billCycleDayLocal", a.currency, a.parent_account_id as "parentAccountId",
  a.is_payment_delegated_to_parent as "isPaymentDelegatedToParent", m.payment_method_id as "paymentMethodId",
  a.reference_time as "referenceTime", a.time_zone as "timeZone", p.address1, p.address2,
  p.postal_code as "postalCode", p.company, p.city, p.state, p.country, p.locale, p.phone, p.notes,
  a.is_migrated as "isMigrated", b.currency as "balanceCurrency", coalesce(b.balance_minor, 0) as "balanceMinor",
  coalesce(b.credit_minor, 0) as "creditMinor"`;

const tables = `
  accounts a
  left join account_profiles p using (account_id)
  left join account_balances b using (account_id)
  left join account_default_methods m using (account_id)`;

const byId = `select ${columns} from ${tables} where a.tenant_id = $1 and a.account_id = $2`;
const byKey = `select ${columns} from ${tables} where a.tenant_id = $1 and a.external_key = $2`;
const children = `select ${columns} from ${tables} where a.tenant_id = $1 and a.parent_account_id = $2 order by a.created_position`;
const paidFor = `select distinct currency from accounts
  where tenant_id = $1 and parent_account_id = $2 and is_payment_delegated_to_parent and currency is not null`;
const counted = countRows('accounts where tenant_id = $1');

export const accountById = async (sql: Sql, tenantId: string, accountId: string): Promise<AccountView | null> =>
  (await sql.query<AccountView>(byId, [tenantId, accountId], 'account-by-id'))[0] ?? null;

export const accountByKey = async (sql: Sql, tenantId: string, externalKey: string): Promise<AccountView | null> =>
  (await sql.query<AccountView>(byKey, [tenantId, externalKey], 'account-by-key'))[0] ?? null;

/** Currencies of the children whose invoices the account pays. */
export const currenciesPaidFor = async (sql: Sql, tenantId: string, accountId: string): Promise<readonly Currency[]> =>
  (await sql.query<{ currency: Currency }>(paidFor, [tenantId, accountId], 'currencies-paid-for')).map(
    ({ currency }) => currency,
  );

export const childrenOf = (sql: Sql, tenantId: string, accountId: string): Promise<readonly AccountView[]> =>
  sql.query<AccountView>(children, [tenantId, accountId], 'account-children');

/** `matching`: rows that the search found; `total`: all rows of the tenant; null: too many to be counted. */
export type AccountPage = {
  readonly accounts: readonly AccountView[];
  readonly matching: number | null;
  readonly total: number | null;
};

const everyAccount = 'true';

export const accountsPage = (sql: Sql, tenantId: string, page: PageRequest): Promise<AccountPage> =>
  searchAccounts(sql, tenantId, { where: everyAccount, values: [] }, page);

export const searchAccounts = async (
  sql: Sql,
  tenantId: string,
  { where, values }: SearchCondition,
  { limit, offset }: PageRequest,
): Promise<AccountPage> => {
  const from = `${tables} where a.tenant_id = $1 and ${where}`;
  const order = `order by a.created_position ${limit < 0 ? 'desc' : 'asc'}`;
  const place = `limit $${values.length + 2} offset $${values.length + 3}`;
  // The page is cut before the rest is looked up: nothing more is read of the accounts before it.
  const accounts = await sql.query<AccountView>(
    `select ${columns} from (select a.account_id from ${from} ${order} ${place}) as found join ${tables} using (account_id) ${order}`,
    [tenantId, ...values, Math.abs(limit), Math.max(offset, 0)],
  );
  const total = await count(sql, counted, [tenantId]);
  const matching = where === everyAccount ? total : await count(sql, countRows(from), [tenantId, ...values]);
  return { accounts, matching, total };
};

const count = async (sql: Sql, text: string, values: readonly unknown[]): Promise<number | null> => {
  const [row] = await sql.query<{ total: bigint }>(text, values);
  return rowsCounted(row);
};
