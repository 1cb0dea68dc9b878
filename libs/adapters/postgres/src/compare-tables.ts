import type { Sql } from './database';

export type TableComparison = {
  readonly table: string;
  readonly rows: { readonly live: number; readonly rebuilt: number };
  /** Sum of the hashes of the rows' texts, in any order. Columns of type json may say the same in two texts. */
  readonly hash: { readonly live: string; readonly rebuilt: string };
  readonly isEqual: boolean;
  /** Keys of rows that differ or are missing on one side, at most twenty, as JSON. */
  readonly differingKeys: readonly string[];
};

type Schemas = { readonly live: string; readonly shadow: string };

const keysMax = 20;

/** Table by table, in the caller's transaction: both sides stand still in it. */
export const compareTables = async (
  tx: Sql,
  tables: readonly string[],
  schemas: Schemas,
): Promise<readonly TableComparison[]> => {
  const results: TableComparison[] = [];
  for (const table of tables) results.push(await compareTable(tx, table, schemas));
  return results;
};

const compareTable = async (tx: Sql, table: string, schemas: Schemas): Promise<TableComparison> => {
  const live = await summaryOf(tx, schemas.live, table);
  const rebuilt = await summaryOf(tx, schemas.shadow, table);
  const isSameText = live.rows === rebuilt.rows && live.hash === rebuilt.hash;
  const differing = isSameText ? [] : await differingKeys(tx, table, schemas);
  return {
    table,
    rows: { live: live.rows, rebuilt: rebuilt.rows },
    hash: { live: live.hash, rebuilt: rebuilt.hash },
    isEqual: live.rows === rebuilt.rows && differing.length === 0,
    differingKeys: differing,
  };
};

const summaryOf = async (tx: Sql, schema: string, table: string): Promise<{ rows: number; hash: string }> => {
  const [row] = await tx.query<{ rows: string; hash: string }>(
    `select count(*)::text as rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text as hash
     from "${schema}"."${table}" as t`,
  );
  return { rows: Number(row?.rows ?? 0), hash: row?.hash ?? '0' };
};

const differingKeys = async (tx: Sql, table: string, { live, shadow }: Schemas): Promise<readonly string[]> => {
  const columns = await keyColumns(tx, shadow, table);
  const key =
    columns.length === 0
      ? 'to_jsonb(t)'
      : `jsonb_build_object(${columns.map((name) => `'${name}', t."${name}"`).join(', ')})`;
  const side = (schema: string): string =>
    `select ${key} as key, to_jsonb(t)::text as content from "${schema}"."${table}" as t`;
  const rows = await tx.query<{ key: string }>(
    `select distinct key::text as key from (
       (${side(live)} except all ${side(shadow)}) union all (${side(shadow)} except all ${side(live)})
     ) as differing order by 1 limit ${String(keysMax)}`,
  );
  return rows.map((row) => row.key);
};

const keyColumns = async (tx: Sql, schema: string, table: string): Promise<readonly string[]> => {
  const rows = await tx.query<{ name: string }>(
    `select a.attname as name
     from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
     where i.indisprimary and i.indrelid = to_regclass($1) order by a.attnum`,
    [`"${schema}"."${table}"`],
  );
  return rows.map((row) => row.name);
};
