import { parseDecimal, parseInstant, parseLocalDate, parseUuid } from '@billstream/kernel';
import { type Sql, countRows, rowsCounted } from '@billstream/postgres';
import { type InvoicePage, type InvoiceView, pageSql } from './invoices.query';

/** One condition on a column, `value` as its type. */
type Condition = { readonly sql: string; readonly value: unknown };

type Column = {
  readonly sql: string;
  readonly type: string;
  /** Null: no such value. */
  readonly parse: (text: string) => unknown;
};

const text = (sql: string): Column => ({ sql, type: 'text', parse: (value) => value });
const amount = (sql: string): Column => ({
  sql: `${sql}::numeric / power(10, i.minor_digits)`,
  type: 'numeric',
  parse: parseDecimal,
});
const id = (sql: string): Column => ({ sql, type: 'uuid', parse: parseUuid });
const date = (sql: string): Column => ({ sql, type: 'date', parse: parseLocalDate });

/** What a structured search can ask about, by Kill Bill's names. */
const columns: Readonly<Record<string, Column>> = {
  id: id('i.invoice_id'),
  invoice_id: id('i.invoice_id'),
  account_id: id('i.account_id'),
  invoice_number: text('i.invoice_number'),
  invoice_date: date('i.invoice_date'),
  target_date: date('i.target_date'),
  currency: text('i.currency'),
  status: text('i.status'),
  balance: amount('i.balance_minor'),
  amount: amount('i.amount_minor'),
  created_date: { sql: 'i.created_at', type: 'timestamptz', parse: parseInstant },
};

const operators: Readonly<Record<string, string>> = {
  eq: '=',
  neq: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
};

/** Why a structured search cannot be run. */
export type SearchFault = { readonly fault: string };

const conditionOf = (clause: string): Condition | SearchFault => {
  const match = /^([a-z_]+)(?:\[([a-z]+)\])?=(.*)$/s.exec(clause);
  const [, name = '', operator = 'eq', value = ''] = match ?? [];
  const column = columns[name];
  const sign = operators[operator];
  if (match === null || column === undefined) return { fault: `${clause}: there is no such column` };
  if (sign === undefined) return { fault: `${clause}: there is no operator ${operator}` };
  if (operator === 'like') return { sql: `${column.sql}::text like`, value };
  const parsed = column.parse(value);
  if (parsed === null) return { fault: `${clause}: ${value} is no value of ${name}` };
  return { sql: `${column.sql} ${sign}`, value: parsed };
};

/** A key is an id of an invoice or an account, a number, or a currency; `_q=1&…` is structured (Kill Bill 1.5). */
const conditionsOf = (key: string): readonly (Condition | SearchFault)[] => {
  if (key.startsWith('_q=1')) return key.split('&').slice(1).map(conditionOf);
  const uuid = parseUuid(key);
  return [{ sql: uuid === null ? 'plain' : 'id', value: uuid ?? key }];
};

const sqlOf = ({ sql }: Condition, index: number): string => {
  const parameter = `$${String(index + 2)}`;
  if (sql === 'id') return `(i.invoice_id = ${parameter}::uuid or i.account_id = ${parameter}::uuid)`;
  if (sql === 'plain') return `(i.invoice_number = ${parameter} or i.currency = ${parameter})`;
  return `${sql} ${parameter}`;
};

/** Invoices that fit a search key, in the order of creation; a negative limit asks for as many from the end backwards. */
export const searchInvoices = async (
  sql: Sql,
  tenantId: string,
  key: string,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<(InvoicePage & { readonly all: number | null }) | SearchFault> => {
  const conditions = conditionsOf(key);
  const fault = conditions.find((one): one is SearchFault => 'fault' in one);
  if (fault !== undefined) return fault;
  const sound = conditions.filter((one): one is Condition => !('fault' in one));
  const where = ['i.tenant_id = $1', ...sound.map(sqlOf)].join(' and ');
  const values = [tenantId, ...sound.map(({ value }) => value)];
  const order = limit < 0 ? 'desc' : 'asc';
  const [rows, first] = [`$${String(values.length + 1)}`, `$${String(values.length + 2)}`];
  const invoices = await sql.query<InvoiceView>(pageSql(where, order, `limit ${rows} offset ${first}`), [
    ...values,
    Math.abs(limit),
    Math.max(offset, 0),
  ]);
  // Two counts, so that the first may use an index and the second needs no look at the rows.
  const [counted] = await sql.query<{ total: bigint; all: bigint }>(
    `select (${countRows(`invoices i where ${where}`)}) as total, (${countRows('invoices i where i.tenant_id = $1')}) as all`,
    values,
  );
  return { invoices, total: rowsCounted(counted), all: rowsCounted(counted && { total: counted.all }) };
};
