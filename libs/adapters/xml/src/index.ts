export { child, childText, listIn, parseXml } from './read-xml';
export type { XmlElement } from './read-xml';
export { optionalXmlElement, xmlDocument, xmlElement } from './write-xml';
export type { XmlContent } from './write-xml';
