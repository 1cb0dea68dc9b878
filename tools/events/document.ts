import * as accounts from '@billstream/accounts-domain';
import { contexts } from '@billstream/app/replay';
import * as invoicing from '@billstream/invoicing-domain';
import * as metering from '@billstream/metering-domain';
import * as payments from '@billstream/payments-domain';
import * as subscriptions from '@billstream/subscriptions-domain';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.resolve(__dirname, '../..');
const domains = { accounts, subscriptions, metering, invoicing, payments };

export type StoredEvent = { readonly context: string; readonly name: string; readonly type: string };
export type PublicEvent = {
  readonly name: string;
  readonly says: string;
  readonly data: string;
  readonly heardBy: readonly string[];
};

const isStoredName = (value: unknown): value is string =>
  typeof value === 'string' && /^[\w-]+(\.[\w-]+)+\.v\d+$/.test(value);

const namesIn = (exported: unknown): readonly (readonly [type: string, name: string])[] => {
  if (typeof exported !== 'object' || exported === null || !('names' in exported && 'decode' in exported)) return [];
  return Object.entries(exported.names ?? {}).flatMap(([type, name]) =>
    isStoredName(name) ? [[type, name] as const] : [],
  );
};

/** Every event that can be in the log: the names of all schemas that a domain exports, and names that stand alone. */
export const storedEvents = (): readonly StoredEvent[] =>
  Object.entries(domains).flatMap(([context, exports]) => {
    const found = Object.entries(exports).flatMap(([key, exported]: [string, unknown]) =>
      isStoredName(exported) ? [[key, exported] as const] : namesIn(exported),
    );
    const byName = new Map(found.map(([type, name]) => [name, type]));
    return [...byName].map(([name, type]) => ({ context, name, type })).sort((a, b) => (a.name < b.name ? -1 : 1));
  });

/** Which services react to a public event: the patterns of their reactions. */
export const listeners = (): ReadonlyMap<string, readonly string[]> => {
  const heard = new Map<string, string[]>();
  for (const context of Object.keys(domains)) {
    const folder = path.join(root, 'apps', context, 'src/reactions');
    for (const file of readdirSync(folder))
      for (const [, name = ''] of readFileSync(path.join(folder, file), 'utf8').matchAll(/@EventPattern\('([^']+)'\)/g))
        heard.set(name, [...new Set([...(heard.get(name) ?? []), context])].sort());
  }
  return heard;
};

const literals = (type: ts.TypeNode | undefined): readonly string[] => {
  if (type === undefined) return [];
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(literals);
  return ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : [];
};

/** The fields of a shape written out, or the name of a shape that is declared elsewhere. */
const dataOf = (type: ts.TypeNode | undefined, source: ts.SourceFile): string => {
  if (type === undefined) return '';
  if (!ts.isTypeLiteralNode(type)) return type.getText(source);
  return type.members.map((member) => member.name?.getText(source) ?? '').join(', ');
};

/** The comment between the member before and this one: it stands in front of the bar, which no node owns. */
const saidAbove = (node: ts.Node, source: ts.SourceFile): string => {
  const before = source.text.slice(0, node.getStart(source));
  const [, comment = ''] = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/[\s|]*$/.exec(before) ?? [];
  return comment
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
};

const membersOf = (node: ts.Node): readonly ts.TypeLiteralNode[] => {
  if (ts.isTypeLiteralNode(node)) return [node];
  return ts.isUnionTypeNode(node) ? node.types.flatMap(membersOf) : [];
};

/** What the contracts say: each member of a context's union of public events, with the sentence above it. */
export const publicEvents = (): readonly PublicEvent[] => {
  const heard = listeners();
  return Object.keys(domains).flatMap((context) => {
    const file = path.join(root, 'libs', context, 'contracts/src/events.ts');
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
    const union = source.statements
      .filter(ts.isTypeAliasDeclaration)
      .find(({ name }) => name.text === `${context[0]?.toUpperCase() ?? ''}${context.slice(1)}Event`);
    if (union === undefined) throw new Error(`${file} declares no union of its public events`);
    return membersOf(union.type).flatMap((member) => {
      const field = (name: string): ts.TypeNode | undefined =>
        member.members.filter(ts.isPropertySignature).find((one) => one.name.getText(source) === name)?.type;
      const facts = { says: saidAbove(member, source), data: dataOf(field('data'), source) };
      return literals(field('type')).map((name) => ({ name, ...facts, heardBy: heard.get(name) ?? [] }));
    });
  });
};

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** A table as the formatter would leave it. */
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const cells = [head, ...rows].map((row) => row.map(cell));
  const widths = head.map((_, i) => Math.max(3, ...cells.map((row) => (row[i] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, i) => text + ' '.repeat((widths[i] ?? 0) - text.length)).join(' | ')} |`;
  return [line(cells[0] ?? []), line(widths.map((width) => '-'.repeat(width))), ...cells.slice(1).map(line)].join('\n');
};

const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

/** `docs/events.md`. */
export const eventsDocument = (): string => {
  const stored = storedEvents();
  const sections = contexts.map(({ name, streams }) => {
    const rows = stored.filter(({ context }) => context === name).map((event) => [code(event.name), event.type]);
    return `### ${name}\n\nStreams: ${streams.map((prefix) => code(`${prefix}…`)).join(', ')}\n\n${table(['stored name', 'event'], rows)}`;
  });
  const rows = publicEvents().map(({ name, says, data, heardBy }) => [
    code(name),
    says,
    code(data),
    heardBy.join(', '),
  ]);
  return `# Events

Made by \`npm run docs:events\` from the contracts, the schemas and the reactions; a test fails when it is stale.

## Public events

What a context tells the others, over RabbitMQ, at least once and in order per key. A breaking change is a new version,
published beside the old one until nobody hears that any more.

${table(['name', 'says', 'data', 'heard by'], rows)}

## Stored events

What is in the log. A name, once written, stays readable for ever: older versions are brought up to date when they are
read. \`libs/<context>/domain/src/stored\` holds one event of each name and version as it is stored; a new name or version
comes with a file there, and a file is not changed any more.

${sections.join('\n\n')}
`;
};
