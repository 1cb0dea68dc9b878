import { type Sql, countRows, rowsCounted } from '@billstream/postgres';
import type { Bundle } from '@billstream/subscriptions-domain';

type StateRow = { readonly state: Bundle };

type Order = 'oldest first' | 'newest first';

/** The page is cut before the states are looked up: those on the pages before it are not read. */
const statesSql = (condition: string, page = '', order: Order = 'oldest first'): string => {
  const ordered = `order by created_position${order === 'newest first' ? ' desc' : ''}`;
  return `
select state, created_position
from (select bundle_id, created_position from bundles where ${condition} ${ordered} ${page}) as found
join bundle_states using (bundle_id) ${ordered}`;
};

const ofTenant = 'tenant_id = $1';
const ofAccount = 'tenant_id = $1 and account_id = $2';
const matching = 'tenant_id = $1 and (bundle_id = $2 or account_id = $2 or strpos(external_key, $2) > 0)';
const countOf = (condition: string): string => countRows(`bundles where ${condition}`);

const bundleSql = statesSql('tenant_id = $1 and bundle_id = $2');
const bundleOfSubscriptionSql = `
select state from subscriptions join bundle_states using (bundle_id) where tenant_id = $1 and subscription_id = $2`;
const bundleOfSubscriptionKeySql = `
select state, s.subscription_id
from subscriptions s join bundles b using (bundle_id) join bundle_states using (bundle_id)
where s.tenant_id = $1 and s.external_key = $2 order by b.created_position desc limit 1`;
const bundlesByKeySql = statesSql('tenant_id = $1 and (external_key = $2 or first_external_key = $2)');
const bundlesOfAccountSql = statesSql(ofAccount);
const bundlesAfterSql = statesSql('tenant_id = $1 and created_position > $2', 'limit $3');
const pageSql = statesSql(ofTenant, 'offset $2 limit $3');
const pageDescendingSql = statesSql(ofTenant, 'offset $2 limit $3', 'newest first');
const countSql = countOf(ofTenant);
const pageOfAccountSql = statesSql(ofAccount, 'offset $3 limit $4');
const pageOfAccountDescendingSql = statesSql(ofAccount, 'offset $3 limit $4', 'newest first');
const countOfAccountSql = countOf(ofAccount);
const searchSql = statesSql(matching, 'offset $3 limit $4');
const searchCountSql = countOf(matching);
const bundleIdsSql =
  'select subscription_id, bundle_id from subscriptions where tenant_id = $1 and subscription_id = any($2::text[])';

const first = async (sql: Sql, text: string, values: readonly unknown[], name: string): Promise<Bundle | null> => {
  const [row] = await sql.query<StateRow>(text, values, name);
  return row?.state ?? null;
};

const states = async (sql: Sql, text: string, values: readonly unknown[], name: string): Promise<readonly Bundle[]> =>
  (await sql.query<StateRow>(text, values, name)).map(({ state }) => state);

export const bundleById = (sql: Sql, tenantId: string, bundleId: string): Promise<Bundle | null> =>
  first(sql, bundleSql, [tenantId, bundleId], 'bundle-by-id');

export const bundleOfSubscription = (sql: Sql, tenantId: string, subscriptionId: string): Promise<Bundle | null> =>
  first(sql, bundleOfSubscriptionSql, [tenantId, subscriptionId], 'bundle-of-subscription');

export const bundleOfSubscriptionKey = async (
  sql: Sql,
  tenantId: string,
  externalKey: string,
): Promise<{ readonly bundle: Bundle; readonly subscriptionId: string } | null> => {
  const [row] = await sql.query<StateRow & { readonly subscription_id: string }>(
    bundleOfSubscriptionKeySql,
    [tenantId, externalKey],
    'bundle-of-subscription-key',
  );
  return row === undefined ? null : { bundle: row.state, subscriptionId: row.subscription_id };
};

/** Those that have the key or had it first, live or not, in order of creation. */
export const bundlesByKey = (sql: Sql, tenantId: string, externalKey: string): Promise<readonly Bundle[]> =>
  states(sql, bundlesByKeySql, [tenantId, externalKey], 'bundles-by-key');

export const bundlesOfAccount = (sql: Sql, tenantId: string, accountId: string): Promise<readonly Bundle[]> =>
  states(sql, bundlesOfAccountSql, [tenantId, accountId], 'bundles-of-account');

/** The tenant's bundles in order of creation, those made after a position of the log. */
export const bundlesAfter = async (
  sql: Sql,
  tenantId: string,
  { position, limit }: { readonly position: bigint; readonly limit: number },
): Promise<readonly { readonly bundle: Bundle; readonly position: bigint }[]> => {
  const rows = await sql.query<StateRow & { readonly created_position: bigint }>(
    bundlesAfterSql,
    [tenantId, String(position), limit],
    'bundles-after',
  );
  return rows.map(({ state, created_position }) => ({ bundle: state, position: created_position }));
};

/** Of how many; null: too many to be counted. */
export type PageOfBundles = {
  readonly bundles: readonly Bundle[];
  readonly total: number | null;
  readonly max: number | null;
};

const count = async (sql: Sql, text: string, values: readonly unknown[], name: string): Promise<number | null> =>
  rowsCounted((await sql.query<{ readonly total: bigint }>(text, values, name))[0]);

/** A negative limit asks for the newest first (Kill Bill). */
export const pageOfBundles = async (
  sql: Sql,
  tenantId: string,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<PageOfBundles> => {
  const [text, name] = limit < 0 ? [pageDescendingSql, 'bundles-page-descending'] : [pageSql, 'bundles-page'];
  const bundles = await states(sql, text, [tenantId, offset, Math.abs(limit)], name);
  const total = await count(sql, countSql, [tenantId], 'bundles-count');
  return { bundles, total, max: total };
};

/** The same of one account; `max` counts its bundles alone. */
export const pageOfAccountBundles = async (
  sql: Sql,
  tenantId: string,
  { accountId, offset, limit }: { readonly accountId: string; readonly offset: number; readonly limit: number },
): Promise<PageOfBundles> => {
  const [text, name] =
    limit < 0
      ? [pageOfAccountDescendingSql, 'account-bundles-page-descending']
      : [pageOfAccountSql, 'account-bundles-page'];
  const bundles = await states(sql, text, [tenantId, accountId, offset, Math.abs(limit)], name);
  const total = await count(sql, countOfAccountSql, [tenantId, accountId], 'account-bundles-count');
  return { bundles, total, max: total };
};

/** By part of the external key, or by a whole bundle or account id. */
export const searchBundles = async (
  sql: Sql,
  tenantId: string,
  { key, offset, limit }: { readonly key: string; readonly offset: number; readonly limit: number },
): Promise<PageOfBundles> => ({
  bundles: await states(sql, searchSql, [tenantId, key, offset, Math.abs(limit)], 'bundles-search'),
  total: await count(sql, searchCountSql, [tenantId, key], 'bundles-search-count'),
  max: await count(sql, countSql, [tenantId], 'bundles-count'),
});

export const subscriptionIsKnown = async (sql: Sql, tenantId: string, subscriptionId: string): Promise<boolean> =>
  (await bundleIdsOf(sql, tenantId, [subscriptionId])).size > 0;

/** Which bundle each subscription is in; unknown ones are missing from the answer. */
export const bundleIdsOf = async (
  sql: Sql,
  tenantId: string,
  subscriptionIds: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const rows = await sql.query<{ readonly subscription_id: string; readonly bundle_id: string }>(
    bundleIdsSql,
    [tenantId, subscriptionIds],
    'bundle-ids-of',
  );
  return new Map(rows.map((row) => [row.subscription_id, row.bundle_id]));
};
