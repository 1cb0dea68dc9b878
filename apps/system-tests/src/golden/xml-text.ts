/** An element's content by name, in order: text, an element, or a list of either. `@name` is an attribute. */
export type XmlContent = string | number | boolean | XmlElement | readonly XmlContent[];
export type XmlElement = { readonly [name: string]: XmlContent | undefined };

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => entities[sign] ?? sign);

const isList = (content: XmlContent): content is readonly XmlContent[] => Array.isArray(content);

const attribute = (value: XmlContent): string => {
  if (typeof value === 'object') throw new Error('an attribute holds text');
  return String(value);
};

const element = (name: string, content: XmlContent): string => {
  if (isList(content)) return content.map((one) => element(name, one)).join('');
  if (typeof content !== 'object') return `<${name}>${escaped(String(content))}</${name}>`;
  const children = Object.entries(content).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const attributes = children
    .filter(([key]) => key.startsWith('@'))
    .map(([key, value]) => ` ${key.slice(1)}="${escaped(attribute(value))}"`);
  const inner = children.filter(([key]) => !key.startsWith('@')).map(([key, value]) => element(key, value));
  return `<${name}${attributes.join('')}>${inner.join('')}</${name}>`;
};

/** A document with one root element. */
export const xmlText = (root: XmlElement): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${Object.entries(root)
    .map(([name, content]) => element(name, content ?? ''))
    .join('')}`;
