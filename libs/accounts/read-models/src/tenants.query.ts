import type { Instant } from '@billstream/kernel';
import type { Sql } from '@billstream/postgres';
import type { TenantValueKind } from './tenant-values.projection';

export type TenantView = {
  readonly tenantId: string;
  readonly apiKey: string;
  readonly secretHash: string;
  readonly externalKey: string;
};

const columns = `tenant_id as "tenantId", api_key as "apiKey", secret_hash as "secretHash", external_key as "externalKey"`;
const byKey = `select ${columns} from tenants where api_key = $1`;
const byId = `select ${columns} from tenants where tenant_id = $1`;
const clock = `select distance_ms, held_until from tenant_clocks where tenant_id = $1`;
const oneValue = `select key, texts from tenant_values where tenant_id = $1 and kind = $2 and key = $3`;
const prefixed = `select kind, key, texts from tenant_values where tenant_id = $1 order by kind, key`;
const settings = `select settings from tenant_values where tenant_id = $1 and kind = 'config'`;

export const tenantByApiKey = async (sql: Sql, apiKey: string): Promise<TenantView | null> =>
  (await sql.query<TenantView>(byKey, [apiKey], 'tenant-by-key'))[0] ?? null;

export const tenantById = async (sql: Sql, tenantId: string): Promise<TenantView | null> =>
  (await sql.query<TenantView>(byId, [tenantId], 'tenant-by-id'))[0] ?? null;

/**
 * `distanceMs`: milliseconds by which the tenant's business time is ahead of wall time. `heldUntil`: a move that has not
 * come to its end holds back due work up to there.
 */
export const tenantClockOf = async (
  sql: Sql,
  tenantId: string,
): Promise<{ readonly distanceMs: number; readonly heldUntil: Instant | null }> => {
  const rows = await sql.query<{ distance_ms: bigint; held_until: Instant | null }>(clock, [tenantId], 'tenant-clock');
  return { distanceMs: Number(rows[0]?.distance_ms ?? 0n), heldUntil: rows[0]?.held_until ?? null };
};

/** The values under a key, oldest first; empty when there are none. Those of a plugin are sealed. */
export const tenantValues = async (
  sql: Sql,
  tenantId: string,
  { kind, key }: { readonly kind: TenantValueKind; readonly key: string },
): Promise<readonly string[]> => {
  const [row] = await sql.query<{ texts: readonly string[] }>(oneValue, [tenantId, kind, key], 'tenant-value');
  return row?.texts ?? [];
};

export type TenantEntry = { readonly kind: TenantValueKind; readonly key: string; readonly texts: readonly string[] };

export const allTenantValues = (sql: Sql, tenantId: string): Promise<readonly TenantEntry[]> =>
  sql.query<TenantEntry>(prefixed, [tenantId], 'tenant-values-all');

/** The tenant's own settings by property name. */
export const tenantSettings = async (sql: Sql, tenantId: string): Promise<Readonly<Record<string, string>>> => {
  const [row] = await sql.query<{ settings: Readonly<Record<string, string>> | null }>(
    settings,
    [tenantId],
    'tenant-settings',
  );
  return row?.settings ?? {};
};
