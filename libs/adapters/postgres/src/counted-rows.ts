/** Rows that a list counts exactly; Kill Bill stops about there, too (0.20). */
export const countedRowsMax = 20_000;

/**
 * SQL for the number of rows of a table expression, as `total`. It reads one row more than are counted exactly, however
 * large the table has become: every page of a list asks this.
 */
export const countRows = (from: string): string =>
  `select count(*) as total from (select from ${from} limit ${countedRowsMax + 1}) as counted`;

/** What `countRows` found; null: more than are counted. */
export const rowsCounted = (row: { readonly total: bigint } | null | undefined): number | null => {
  const total = Number(row?.total ?? 0n);
  return total > countedRowsMax ? null : total;
};
