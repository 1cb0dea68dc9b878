import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** An element of a document, read plainly: no namespaces, no types, text trimmed. */
export type XmlElement = {
  readonly name: string;
  /** From the root on, e.g. `/library/shelf/book[2]/title`; counted where siblings have the same name. */
  readonly path: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly XmlElement[];
};

type Ordered = Readonly<Record<string, unknown>>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
});

const textOf = (nodes: readonly Ordered[]): string =>
  nodes
    .map((node) => node['#text'])
    .filter((text) => typeof text === 'string')
    .join('')
    .trim();

const nameOf = (node: Ordered): string | undefined => Object.keys(node).find((key) => key !== ':@' && key !== '#text');

const elementsOf = (nodes: readonly Ordered[], parent: string): readonly XmlElement[] => {
  const total = new Map<string | undefined, number>();
  for (const node of nodes) total.set(nameOf(node), (total.get(nameOf(node)) ?? 0) + 1);
  const seen = new Map<string, number>();
  return nodes.flatMap((node) => {
    const name = nameOf(node);
    if (name === undefined) return [];
    const place = (seen.get(name) ?? 0) + 1;
    seen.set(name, place);
    const path = `${parent}/${name}${total.get(name) === 1 ? '' : `[${place}]`}`;
    const inner = node[name] as readonly Ordered[];
    const attributes = (node[':@'] ?? {}) as Readonly<Record<string, string>>;
    return [{ name, path, attributes, text: textOf(inner), children: elementsOf(inner, path) }];
  });
};

/** The parser throws at what is nested too deeply for it and at names like `constructor`. */
const nodesOf = (text: string): { readonly nodes: readonly Ordered[] } | { readonly error: string } => {
  try {
    return { nodes: parser.parse(text) as readonly Ordered[] };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
};

/**
 * The root element. A document type is refused, because it could define entities that grow without bound or name files;
 * the five entities of XML itself are understood.
 */
export const parseXml = (text: string): { readonly root: XmlElement } | { readonly error: string } => {
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) return { error: 'a document type definition is not allowed' };
  const valid = XMLValidator.validate(text);
  if (valid !== true) return { error: `line ${valid.err.line}: ${valid.err.msg}` };
  const nodes = nodesOf(text);
  if ('error' in nodes) return nodes;
  const [root] = elementsOf(nodes.nodes, '');
  return root === undefined ? { error: 'the document has no element' } : { root };
};

export const child = (element: XmlElement, name: string): XmlElement | null =>
  element.children.find((one) => one.name === name) ?? null;

export const childText = (element: XmlElement, name: string): string | null => {
  const text = child(element, name)?.text;
  return text === undefined || text === '' ? null : text;
};

/** The children of a wrapper, e.g. each `plan` in `plans`; none when there is no wrapper. */
export const listIn = (element: XmlElement, wrapper: string, name: string): readonly XmlElement[] =>
  child(element, wrapper)?.children.filter((one) => one.name === name) ?? [];
