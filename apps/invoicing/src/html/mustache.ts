/** What a template can name: values, lists and nested objects. */
export type TemplateData = { readonly [name: string]: unknown };

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly name: string; readonly isRaw: boolean }
  | { readonly kind: 'section'; readonly name: string; readonly isInverted: boolean; readonly inner: readonly Node[] };

/** A template that cannot be read: it names the tag that is wrong. */
export class TemplateFault extends Error {
  override readonly name = 'TemplateFault';
}

const tag = /\{\{\{\s*([\w.]+)\s*\}\}\}|\{\{\s*([#^/&!]?)\s*([\w.]*)[^}]*\}\}/g;

type Token = { readonly sign: string; readonly name: string; readonly before: string };

const tokensOf = (template: string): { readonly tokens: readonly Token[]; readonly rest: string } => {
  const tokens: Token[] = [];
  let from = 0;
  for (const match of template.matchAll(tag)) {
    const [whole, raw, sign = '', name = ''] = match;
    tokens.push({ sign: raw === undefined ? sign : '&', name: raw ?? name, before: template.slice(from, match.index) });
    from = match.index + whole.length;
  }
  return { tokens, rest: template.slice(from) };
};

/** The part of Mustache that invoices need: values, sections, inverted sections, comments. No lambdas, no partials. */
const parse = (template: string): readonly Node[] => {
  const { tokens, rest } = tokensOf(template);
  const open: { readonly name: string; readonly isInverted: boolean; readonly nodes: Node[] }[] = [];
  const root: Node[] = [];
  const here = (): Node[] => open.at(-1)?.nodes ?? root;
  for (const { sign, name, before } of tokens) {
    if (before !== '') here().push({ kind: 'text', text: before });
    if (sign === '#' || sign === '^') open.push({ name, isInverted: sign === '^', nodes: [] });
    else if (sign === '/') {
      const section = open.pop();
      if (section?.name !== name) throw new TemplateFault(`{{/${name}}} closes no section`);
      here().push({ kind: 'section', name, isInverted: section.isInverted, inner: section.nodes });
    } else if (sign !== '!') here().push({ kind: 'value', name, isRaw: sign === '&' });
  }
  const [unclosed] = open;
  if (unclosed !== undefined) throw new TemplateFault(`{{#${unclosed.name}}} is not closed`);
  return rest === '' ? root : [...root, { kind: 'text', text: rest }];
};

const isObject = (value: unknown): value is TemplateData => typeof value === 'object' && value !== null;

const memberOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

/** The innermost scope that knows the first part of the name decides. */
const lookUp = (scopes: readonly unknown[], name: string): unknown => {
  if (name === '.') return scopes.at(-1);
  const [first = '', ...others] = name.split('.');
  const scope = scopes.findLast((one) => memberOf(one, first) !== undefined);
  return others.reduce<unknown>((value, part) => memberOf(value, part), memberOf(scope, first));
};

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (one) => escapes[one] ?? one);

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0);

const sectionOf = (
  { inner, isInverted }: Extract<Node, { readonly kind: 'section' }>,
  scopes: readonly unknown[],
  value: unknown,
): string => {
  if (isInverted) return isEmpty(value) ? render(inner, scopes) : '';
  if (isEmpty(value)) return '';
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  return entries.map((entry) => render(inner, [...scopes, entry])).join('');
};

const render = (nodes: readonly Node[], scopes: readonly unknown[]): string =>
  nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      const value = lookUp(scopes, node.name);
      if (node.kind === 'section') return sectionOf(node, scopes, value);
      return node.isRaw ? textOf(value) : escaped(textOf(value));
    })
    .join('');

/** A template filled in; values are escaped for HTML unless the template asks for them as they are. */
export const fillTemplate = (template: string, data: TemplateData): string => render(parse(template), [data]);

/** Throws `TemplateFault` where a template cannot be read. */
export const checkTemplate = (template: string): void => {
  parse(template);
};
