const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escape = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] ?? character);

/** Text, or the elements inside; null is an element that is not there. */
export type XmlContent = string | readonly (string | null)[];
type Attributes = Readonly<Record<string, string | null>>;

/** An element as indented text. Text and attributes are escaped; elements inside are taken as they are. */
export const xmlElement = (name: string, content: XmlContent, attributes: Attributes = {}): string => {
  const stated = Object.entries(attributes)
    .map(([key, value]) => (value === null ? '' : ` ${key}="${escape(value)}"`))
    .join('');
  if (typeof content === 'string') return `<${name}${stated}>${escape(content)}</${name}>`;
  const inner = content.filter((one) => one !== null);
  if (inner.length === 0) return `<${name}${stated}/>`;
  return `<${name}${stated}>\n${inner.join('\n').replace(/^/gm, '    ')}\n</${name}>`;
};

export const optionalXmlElement = (name: string, text: string | null): string | null =>
  text === null ? null : xmlElement(name, text);

/** A whole document. */
export const xmlDocument = (root: string): string =>
  `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n${root}\n`;
