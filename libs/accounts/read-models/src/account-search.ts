import { parseInstant, parseLocalDate } from '@billstream/kernel';

/** A condition over the tables of accounts, with its values from `$2` on. */
export type SearchCondition = { readonly where: string; readonly values: readonly string[] };

const firstValue = 2;

/** What a structured search may ask about, by the name Kill Bill's column has. */
const searchable: ReadonlyMap<
  string,
  { readonly expression: string; readonly type: 'text' | 'int' | 'bool' | 'instant' }
> = new Map([
  ['id', { expression: 'a.account_id::text', type: 'text' }],
  ['external_key', { expression: 'a.external_key', type: 'text' }],
  ['email', { expression: 'p.email', type: 'text' }],
  ['name', { expression: 'p.name', type: 'text' }],
  ['company_name', { expression: 'p.company', type: 'text' }],
  ['currency', { expression: 'a.currency', type: 'text' }],
  ['billing_cycle_day_local', { expression: 'a.bill_cycle_day_local', type: 'int' }],
  ['parent_account_id', { expression: 'a.parent_account_id::text', type: 'text' }],
  ['payment_method_id', { expression: 'm.payment_method_id::text', type: 'text' }],
  ['time_zone', { expression: 'a.time_zone', type: 'text' }],
  ['locale', { expression: 'p.locale', type: 'text' }],
  ['country', { expression: 'p.country', type: 'text' }],
  ['city', { expression: 'p.city', type: 'text' }],
  ['postal_code', { expression: 'p.postal_code', type: 'text' }],
  ['phone', { expression: 'p.phone', type: 'text' }],
  ['migrated', { expression: 'a.is_migrated', type: 'bool' }],
  ['reference_time', { expression: 'a.reference_time', type: 'instant' }],
  ['created_date', { expression: 'a.created_at', type: 'instant' }],
]);

const operators: ReadonlyMap<string, string> = new Map([
  ['eq', '='],
  ['neq', '<>'],
  ['gt', '>'],
  ['gte', '>='],
  ['lt', '<'],
  ['lte', '<='],
  ['like', 'like'],
]);

/** The pattern that finds a text anywhere, its own wildcards taken as they stand. */
export const likeText = (key: string): string => `%${key.replace(/[\\%_]/g, '\\$&')}%`;

/** Somewhere in name, e-mail, external key or company, whatever the case; or exactly the id. */
export const containing = (key: string): SearchCondition => ({
  where: `(p.name ilike $2 or p.email ilike $2 or a.external_key ilike $2 or p.company ilike $2 or a.account_id::text = $3)`,
  values: [likeText(key), key.toLowerCase()],
});

/** Exactly the name, e-mail, external key, company or id: what Kill Bill does for `offset=-1&limit=1`. */
export const exactly = (key: string): SearchCondition => ({
  where: `(p.name = $2 or p.email = $2 or a.external_key = $2 or p.company = $2 or a.account_id::text = lower($2))`,
  values: [key],
});

/**
 * A structured search, `_q=1&email[like]=%25x%25&currency=USD`: `column[op]=value` joined with AND, `eq` when no operator
 * is named. Null for a column, an operator or a value that is not understood.
 */
export const structured = (key: string): SearchCondition | null => {
  const clauses = [...new URLSearchParams(key)].filter(([name]) => name !== '_q');
  const parsed = clauses.map(([name, value], index) => clause(name, value, firstValue + index));
  if (parsed.length === 0 || parsed.some((one) => one === null)) return null;
  return { where: `(${parsed.join(' and ')})`, values: clauses.map(([, value]) => value) };
};

export const isStructured = (key: string): boolean => key.startsWith('_q=1&');

const clause = (name: string, value: string, parameter: number): string | null => {
  const [, column = '', operator = 'eq'] = /^(\w+)(?:\[(\w+)\])?$/.exec(name) ?? [];
  const known = searchable.get(column);
  const sign = operators.get(operator);
  if (!known || sign === undefined) return null;
  if (sign === 'like') return `${known.expression}::text like $${parameter} escape ''`;
  return comparable[known.type](value) ? `${known.expression} ${sign} $${parameter}${casts[known.type]}` : null;
};

const comparable = {
  text: () => true,
  int: (text: string) => /^-?\d{1,9}$/.test(text),
  bool: (text: string) => /^(true|false)$/.test(text),
  instant: (text: string) => (parseLocalDate(text) ?? parseInstant(text)) !== null && !text.startsWith('0000'),
};
const casts = { text: '', int: '::int', bool: '::boolean', instant: '::timestamptz' };
