import { type Sql, countRows, rowsCounted } from '@billstream/postgres';

/** A page in the order of creation; a negative limit asks for as many from the end backwards (Kill Bill). */
export type PageRequest = { readonly offset: number; readonly limit: number };

/** `matching`: rows that the condition holds for; null: too many to be counted. */
export type Slice<Row> = { readonly rows: readonly Row[]; readonly matching: number | null };

type Selection = {
  readonly columns: string;
  readonly from: string;
  readonly where: string;
  readonly values: readonly unknown[];
};

/** Rows of a table that has `created_position`, from an offset on, and how many there are. */
export const slice = async <Row extends object>(
  sql: Sql,
  { columns, from, where, values }: Selection,
  { offset, limit }: PageRequest,
): Promise<Slice<Row>> => {
  const order = `order by created_position ${limit < 0 ? 'desc' : 'asc'}`;
  const place = `limit $${values.length + 1} offset $${values.length + 2}`;
  const rows = await sql.query<Row>(`select ${columns} from ${from} where ${where} ${order} ${place}`, [
    ...values,
    Math.abs(limit),
    Math.max(offset, 0),
  ]);
  const [count] = await sql.query<{ total: bigint }>(countRows(`${from} where ${where}`), values);
  return { rows, matching: rowsCounted(count) };
};
