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

type Token = { readonly sign: string; readonly name: string; readonly before: string };

/** Looks for each end once: a template may be large, and may be written to be slow to read. */
const tokensOf = (template: string): { readonly tokens: readonly Token[]; readonly rest: string } => {
  const tokens: Token[] = [];
  let from = 0;
  for (;;) {
    const begin = template.indexOf('{{', from);
    const end = begin < 0 ? -1 : template.indexOf('}}', begin + 2);
    if (end < 0) return { tokens, rest: template.slice(from) };
    const isTriple = template[begin + 2] === '{' && template[end + 2] === '}';
    const inner = template.slice(begin + (isTriple ? 3 : 2), end).trimStart();
    const sign = '#^/&!'.includes(inner.charAt(0)) ? inner.charAt(0) : '';
    const [name = ''] = /^[\w.]*/.exec(inner.slice(sign.length).trimStart()) ?? [];
    tokens.push({ sign: isTriple ? '&' : sign, name, before: template.slice(from, begin) });
    from = end + (isTriple ? 3 : 2);
  }
};

/** Sections inside sections go no deeper: no invoice has so many levels. */
const depthMax = 16;
/** A page has no more parts: sections that repeat each other could otherwise go on for ever. */
const partsMax = 200_000;
/** Characters of a page. */
const lengthMax = 8_000_000;

/** The part of Mustache that invoices need: values, sections, inverted sections, comments. No lambdas, no partials. */
const parse = (template: string): readonly Node[] => {
  const { tokens, rest } = tokensOf(template);
  const open: { readonly name: string; readonly isInverted: boolean; readonly nodes: Node[] }[] = [];
  const root: Node[] = [];
  const here = (): Node[] => open.at(-1)?.nodes ?? root;
  for (const { sign, name, before } of tokens) {
    if (before !== '') here().push({ kind: 'text', text: before });
    if (sign === '#' || sign === '^') {
      if (open.length === depthMax) throw new TemplateFault(`{{#${name}}} is inside more than ${depthMax} sections`);
      open.push({ name, isInverted: sign === '^', nodes: [] });
    }
    if (sign === '/') {
      const section = open.pop();
      if (section?.name !== name) throw new TemplateFault(`{{/${name}}} closes no section`);
      here().push({ kind: 'section', name, isInverted: section.isInverted, inner: section.nodes });
    } else if (sign === '' || sign === '&') here().push({ kind: 'value', name, isRaw: sign === '&' });
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

/** What may still be written. */
type Budget = { parts: number; characters: number };

const spent = (budget: Budget, text: string): string => {
  budget.characters -= text.length;
  if (budget.characters < 0) throw new TemplateFault(`the page has more than ${lengthMax} characters`);
  return text;
};

const sectionOf = (
  { inner, isInverted }: Extract<Node, { readonly kind: 'section' }>,
  scopes: readonly unknown[],
  value: unknown,
  budget: Budget,
): string => {
  if (isInverted) return isEmpty(value) ? render(inner, scopes, budget) : '';
  if (isEmpty(value)) return '';
  const entries: readonly unknown[] = Array.isArray(value) ? value : [value];
  return entries.map((entry) => render(inner, [...scopes, entry], budget)).join('');
};

const render = (nodes: readonly Node[], scopes: readonly unknown[], budget: Budget): string =>
  nodes
    .map((node) => {
      budget.parts -= 1;
      if (budget.parts < 0) throw new TemplateFault(`the page has more than ${partsMax} parts`);
      if (node.kind === 'text') return spent(budget, node.text);
      const value = lookUp(scopes, node.name);
      if (node.kind === 'section') return sectionOf(node, scopes, value, budget);
      return spent(budget, node.isRaw ? textOf(value) : escaped(textOf(value)));
    })
    .join('');

/**
 * A template filled in; values are escaped for HTML unless the template asks for them as they are. Throws
 * `TemplateFault` where the template cannot be read or the page would be too large.
 */
export const fillTemplate = (template: string, data: TemplateData): string =>
  render(parse(template), [data], { parts: partsMax, characters: lengthMax });

/** Throws `TemplateFault` where a template cannot be read. */
export const checkTemplate = (template: string): void => {
  parse(template);
};
